//! What a step does to who may do what: what guards, policies and the change of access go by.

use super::change::Target;
use crate::model::Str;
use crate::model::name::{CustomerKey, UserKey};

/// What becomes of somebody's rights by a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Makes {
        user: Target,
        key: UserKey,
        enabled: bool,
    },
    /// They are there again, and cannot sign in.
    Restores {
        user: Target,
    },
    Enables {
        user: Target,
    },
    Disables {
        user: Target,
    },
    Deletes {
        user: Target,
    },
    /// By the key of the role, built in or custom.
    Gives {
        user: Target,
        role: Str,
    },
    Takes {
        user: Target,
        role: Str,
    },
    /// A customer comes into being, with a relationship.
    Begins {
        customer: CustomerKey,
    },
    Ends {
        customer: CustomerKey,
    },
}

impl Effect {
    /// Whose rights change.
    pub(super) fn user(&self) -> Option<&Target> {
        match self {
            Self::Makes { user, .. }
            | Self::Restores { user }
            | Self::Enables { user }
            | Self::Disables { user }
            | Self::Deletes { user }
            | Self::Gives { user, .. }
            | Self::Takes { user, .. } => Some(user),
            Self::Nothing | Self::Begins { .. } | Self::Ends { .. } => None,
        }
    }
}
