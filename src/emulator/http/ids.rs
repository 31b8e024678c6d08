//! The ids that a request is traced by, its own and ours.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use uuid::Uuid;

/// Ids of one request, and when it came by the tenant's time.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds {
    /// Ours in Graph; in Partner Center the request's, if it has one.
    pub request: String,
    /// What the request called itself; ours, if nothing.
    pub client: String,
    pub correlation: String,
    pub at: Timestamp,
}

impl RequestIds {
    pub(crate) fn of(headers: &HeaderMap, at: Timestamp) -> Self {
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?.trim();
            // Whatever is echoed into headers and logs is short.
            (!value.is_empty() && value.len() <= 100).then(|| value.to_owned())
        };
        let new = || Uuid::from_u128(rand::random()).to_string();
        let ours = new();
        Self {
            client: header("client-request-id").unwrap_or_else(|| ours.clone()),
            correlation: header("ms-correlationid").unwrap_or_else(new),
            request: header("ms-requestid").unwrap_or(ours),
            at,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestIds {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
