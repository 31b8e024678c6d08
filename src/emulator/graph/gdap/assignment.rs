//! Which group of ours may do what in a customer's tenant, within a relationship.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::emulator::store::Document;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    pub id: String,
    pub relationship: String,
    /// The group's object id.
    pub container: String,
    pub roles: Vec<String>,
    pub status: AssignmentStatus,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub due_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum AssignmentStatus {
    Pending,
    Active,
    Deleting,
    /// Listed for a day more.
    Deleted,
}

impl AssignmentStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// Whether its group gets what it says, or soon will.
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Pending | Self::Active)
    }
}

impl Document for Assignment {
    const KIND: &'static str = "gdap-assignment";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![
            ("relationship", self.relationship.clone()),
            ("container", self.container.clone()),
        ];
        if let Some(due) = self.due_at {
            keys.push(("due", super::due_key(due)));
        }
        keys
    }
}
