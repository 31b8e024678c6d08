//! What the token service says when it refuses.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::emulator::http::ids::RequestIds;
use crate::emulator::store::StoreError;

/// A refusal: an error of OAuth, and the number by which people look it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    number: u32,
    message: String,
}

impl Refusal {
    fn new(error: &'static str, number: u32, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, number, message: message.into() }
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new("invalid_request", 900_144, message)
    }

    pub(crate) fn tenant_not_found(name: &str) -> Self {
        Self::new("invalid_request", 90002, format!("Tenant '{name}' not found."))
    }

    pub(crate) fn unknown_application(client_id: &str) -> Self {
        let message = format!("Application with identifier '{client_id}' was not found.");
        Self::new("unauthorized_client", 700_016, message)
    }

    pub(crate) fn invalid_client(number: u32, message: impl Into<String>) -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self { status, ..Self::new("invalid_client", number, message) }
    }

    pub(crate) fn invalid_grant(number: u32, message: impl Into<String>) -> Self {
        Self::new("invalid_grant", number, message)
    }

    pub(crate) fn invalid_scope() -> Self {
        let message = "The provided value for the input parameter 'scope' is not valid.";
        Self::new("invalid_scope", 70011, message)
    }

    pub(crate) fn invalid_resource(name: &str) -> Self {
        let message = format!("The resource principal named {name} was not found in the tenant.");
        Self::new("invalid_resource", 500_011, message)
    }

    pub(crate) fn unsupported_grant(name: &str) -> Self {
        let message = format!("The app requested an unsupported grant type '{name}'.");
        Self::new("unsupported_grant_type", 70003, message)
    }

    /// The answers to polling with a device code.
    pub(crate) fn polling(error: &'static str, number: u32, message: &str) -> Self {
        Self::new(error, number, message)
    }

    pub(crate) fn respond(&self, ids: &RequestIds) -> Response {
        let Self { status, error, number, message } = self;
        let timestamp = ids.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let description = format!(
            "AADSTS{number}: {message}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {timestamp}",
            ids.request, ids.correlation,
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": ids.request,
            "correlation_id": ids.correlation,
        });
        (*status, Json(body)).into_response()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, ..Self::new("server_error", 50000, "There was an error issuing a token.") }
    }
}
