//! A change that is under way: what a client polls after a 202.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::emulator::store::Document;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub id: String,
    pub relationship: String,
    pub change: Change,
    pub status: OperationStatus,
    /// What the changed object will be, as JSON within a string.
    pub data: String,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub due_at: Option<Timestamp>,
}

/// What it does when it succeeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Change {
    /// An assignment gets these roles.
    AssignmentRoles { assignment: String, roles: Vec<String> },
    /// The relationship, and its assignments, lose Global Administrator.
    WithoutGlobalAdministrator,
}

impl Change {
    pub(crate) fn operation_type(&self) -> &'static str {
        match self {
            Self::AssignmentRoles { .. } => "delegatedAdminAccessAssignmentUpdate",
            Self::WithoutGlobalAdministrator => "delegatedAdminRelationshipUpdate",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum OperationStatus {
    NotStarted,
    Running,
    Succeeded,
    /// What it was to change had gone.
    Failed,
}

impl OperationStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "notStarted",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl Document for Operation {
    const KIND: &'static str = "gdap-operation";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![("relationship", self.relationship.clone())];
        if let Some(due) = self.due_at {
            keys.push(("due", super::due_key(due)));
        }
        keys
    }
}
