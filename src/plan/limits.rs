//! How much may change in a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a plan costs of each limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    pub removals: Measured,
    pub privileged_grants: Measured,
    pub customers_touched: Measured,
    pub irreversible: Measured,
}

/// One limit, and what of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measured {
    pub planned: u64,
    /// Over the last 24 hours.
    pub spent: u64,
    /// What a percentage is of.
    pub managed: u64,
    /// The most that may be, by count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The most that may be, of what is managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    pub exceeded: bool,
}
