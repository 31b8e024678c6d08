//! Delegated access (GDAP): what our groups may do inside customers' tenants.

use super::choice::choices;
use super::directory_role::DirectoryRole;
use super::label::Selector;
use super::name::RoleKey;
use super::time::Days;

choices! {
    /// Whether an end is put off by itself.
    "an automatic extension"
    pub enum AutoExtend {
        /// It ends when it ends.
        None = "none",
        /// By 180 days, each time the end is reached.
        HalfYear = "P180D",
    }
}

choices! {
    /// When a relationship that cannot be changed in place is replaced.
    "a time to replace"
    pub enum Replace {
        /// With the next renewal.
        AtRenewal = "at-renewal",
        /// At once, with overlap.
        Now = "now",
    }
}

/// The `spec` of a `DelegatedAccess`: a template for one relationship per selected customer.
#[derive(Debug, Clone, PartialEq)]
pub struct DelegatedAccess {
    pub customers: Selector,
    pub duration: Days,
    pub auto_extend: AutoExtend,
    pub renew_before: Days,
    pub replace: Replace,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// A Role: its group.
    pub to: RoleKey,
    pub directory_roles: Vec<DirectoryRole>,
}

/// The longest a relationship can last.
pub const DURATION_MAX: Days = Days(730);
/// When renewal begins unless a template says otherwise.
pub const RENEW_BEFORE: Days = Days(60);
