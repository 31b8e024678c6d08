//! What a plan is made of: steps, each one change to one object, and reports of what will not happen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Change;
use super::record::HeldBy;
use crate::model::record::ObjectKey;

/// One change to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Unique within the plan, the same for the same change: `user/aiko-tanaka/grant/admin-agent`.
    pub id: String,
    /// `kind/name`.
    #[schemars(with = "String")]
    pub object: ObjectKey,
    pub verb: Verb,
    /// In a sentence.
    pub summary: String,
    pub fields: Vec<FieldChange>,
    /// Ids of the steps that must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    pub guard: Guard,
    /// Why it cannot be taken back, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub irreversible: Option<String>,
    /// Where it is declared; nowhere, if its document is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    pub authorisation: Authorisation,
    /// What it costs of the limits.
    #[serde(default, skip_serializing_if = "Cost::is_nothing")]
    pub cost: Cost,
    /// What is sent, as far as it is known before.
    pub change: Change,
    /// Of delegated access: what holds the seat meanwhile. Whoever carries the step out, or finds out
    /// later that it was, remembers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<HeldBy>,
}

/// What a step does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Create,
    Restore,
    Update,
    Grant,
    Revoke,
    Disable,
    Delete,
    /// A password.
    Reset,
    /// A relationship, for good.
    End,
    /// Ask for something that others decide.
    Request,
}

impl Verb {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Restore => "restore",
            Self::Update => "update",
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::Reset => "reset",
            Self::End => "end",
            Self::Request => "request",
        }
    }

    /// Whether something that is there is not there afterwards.
    pub const fn takes_away(self) -> bool {
        matches!(self, Self::Revoke | Self::Disable | Self::Delete | Self::End)
    }
}

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldChange {
    /// As in `metadata.ignore`: `spec.displayName`.
    pub path: String,
    /// As it is in the tenant; null where there is nothing.
    pub before: Value,
    /// As it will be; null where there will be nothing.
    pub after: Value,
    pub cause: Cause,
    /// As it was last applied, where that is neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Value>,
}

/// Why a field changes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Somebody edited the manifests.
    Change,
    /// Somebody edited the tenant.
    Drift,
    /// Both did.
    Both,
    /// It exists already and is taken over.
    Adopt,
    /// Its last day has passed.
    Expiry,
    /// It is made.
    Create,
    /// Its document is gone.
    Remove,
    /// A run is taken back.
    Undo,
}

impl Cause {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Drift => "drift",
            Self::Both => "both",
            Self::Adopt => "adopt",
            Self::Expiry => "expiry",
            Self::Create => "create",
            Self::Remove => "remove",
            Self::Undo => "undo",
        }
    }
}

/// What must still be so when the step is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guard {
    /// The id of what is changed, as the service gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Whether whoever is changed can sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The fields that are written, as they were seen; null where there was nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, Value>,
    /// There is nothing that has this name: what is made is found again by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

/// Where something is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    pub file: String,
    /// Not known of what came through a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What policy says of the step, for the actor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authorisation {
    pub decision: Decision,
    /// The policies that decided; none for a denial by default.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Why not, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    Allow,
    #[default]
    Deny,
    /// Nobody knows yet who will apply it.
    Unknown,
}

/// What a step costs of the limits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cost {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub removals: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub privileged_grants: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub irreversible: u32,
    /// Which customer is touched, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
}

impl Cost {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Why something will not happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    #[schemars(with = "String")]
    pub object: ObjectKey,
    pub state: State,
    pub message: String,
    /// What a person opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// What `confirm` takes, of a step that only a person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What a confirmation is about: of another value it says nothing. Absent where it is seen in the
    /// tenant once it is done, so that nobody has to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirms: Option<String>,
    /// What that person does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Whom it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaiting: Option<String>,
    /// What the customer finds behind the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
    /// How many there are like this one, itself included, where one stands for many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Delegated access that somebody is asked to approve, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asks {
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// It extends itself.
    pub extends: bool,
}

/// What becomes of something that no step is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A person has to do something.
    Waiting,
    /// Something else must come first.
    Held,
    /// Somebody removed it there.
    Gone,
    /// Written a moment ago, and not seen yet.
    Settling,
    /// It is kept by something else: on-premises, a rule, another service.
    Foreign,
    /// Nobody declares it.
    Unmanaged,
    /// Its manifest leaves it to others.
    Ignored,
    /// Something that we do not know.
    Unrecognised,
    /// It cannot be undone.
    Final,
    /// It is no longer as the run left it that is undone, so it is left as it is.
    Stale,
}

impl State {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Gone => "gone",
            Self::Settling => "settling",
            Self::Foreign => "foreign",
            Self::Unmanaged => "unmanaged",
            Self::Ignored => "ignored",
            Self::Unrecognised => "unrecognised",
            Self::Final => "final",
            Self::Stale => "stale",
        }
    }
}
