//! What a plan is made from.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::record::Record;
use super::step::Source;
use crate::model::estate::{Estate, Origin};
use crate::model::id::ApplicationId;
use crate::model::project::{Guards, Limits};
use crate::model::record::ObjectKey;
use crate::model::tenant::{ObjectId, Snapshot};
use crate::model::time::Day;
use crate::policy::rules::Rules;

/// Everything that a plan follows from; the same input makes the same plan.
pub struct Input<'a> {
    pub estate: &'a Estate,
    pub snapshot: &'a Snapshot,
    pub record: &'a Record,
    pub limits: &'a Limits,
    pub guards: &'a Guards,
    /// By which the actor is judged.
    pub rules: &'a Rules,
    /// In whose token changes will be made, if that is known.
    pub actor: Option<Actor>,
    /// Where people approve delegated access: the beginning of each link.
    pub admin: &'a str,
    /// The link by which any customer accepts us, if it was asked for.
    pub invitation: Option<&'a str>,
    /// These are all the manifests there are: what is not in them has gone.
    pub is_complete: bool,
    /// A one-time password can be handed over to somebody.
    pub hands_over: bool,
    /// The service may not show yet what was written.
    pub lags: bool,
    pub now: Timestamp,
    pub today: Day,
    /// Only these, and what they need; all of them, if there are none.
    pub targets: &'a BTreeSet<ObjectKey>,
    /// What others removed, and is to be there again.
    pub revive: &'a BTreeSet<ObjectKey>,
    /// Where something is declared.
    pub source_of: &'a dyn Fn(Origin) -> Option<Source>,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("now", &self.now).finish_non_exhaustive()
    }
}

/// In whose token changes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    User(ObjectId),
    Application(ApplicationId),
}
