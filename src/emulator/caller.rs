//! Who calls.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

/// An identity that a token proved, and what the token lets it do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub audience: Audience,
    pub tenant: String,
    /// The application's client id.
    pub app_id: String,
    pub who: Who,
}

/// Which service a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    PartnerCenter,
    Graph,
}

/// Whether an application calls for itself or for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    App {
        /// The object id of its service principal.
        id: String,
        /// Permissions of Graph that it holds as itself.
        permissions: Vec<String>,
    },
    User {
        id: String,
        sign_in_name: String,
        /// What the user consented to.
        scopes: Vec<String>,
        /// Signed in with a second factor.
        mfa: bool,
    },
}

impl Caller {
    /// The object id of whoever acts.
    pub(crate) fn principal(&self) -> &str {
        match &self.who {
            Who::App { id, .. } | Who::User { id, .. } => id,
        }
    }

    /// The user's sign-in name, for records.
    pub(crate) fn sign_in_name(&self) -> Option<&str> {
        match &self.who {
            Who::App { .. } => None,
            Who::User { sign_in_name, .. } => Some(sign_in_name),
        }
    }

    /// The permissions that the token carries: consented scopes, or the application's own.
    pub(crate) fn permissions(&self) -> &[String] {
        match &self.who {
            Who::App { permissions, .. } => permissions,
            Who::User { scopes, .. } => scopes,
        }
    }

    pub(crate) fn is_app_only(&self) -> bool {
        matches!(self.who, Who::App { .. })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = StatusCode;

    /// Only routes behind authentication have a caller.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::UNAUTHORIZED)
    }
}
