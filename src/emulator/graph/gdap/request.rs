//! What was asked to become of a relationship.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::emulator::store::Document;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub id: String,
    pub relationship: String,
    pub action: Action,
    pub status: RequestStatus,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub due_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    LockForApproval,
    Terminate,
    Approve,
    Reject,
}

impl Action {
    pub(crate) const ALL: [Self; 4] =
        [Self::LockForApproval, Self::Terminate, Self::Approve, Self::Reject];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LockForApproval => "lockForApproval",
            Self::Terminate => "terminate",
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RequestStatus {
    Created,
    Succeeded,
    Failed,
}

impl RequestStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl Document for Request {
    const KIND: &'static str = "gdap-request";

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
