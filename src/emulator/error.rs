//! What is said when something is refused, in the words of each service.
//!
//! A handler returns the error; the layer of its family writes the body, because only there are the
//! request's ids known.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::http::ids::RequestIds;
use super::store::StoreError;
use super::tenant::Codes;

/// A refusal of Microsoft Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub status: StatusCode,
    pub code: String,
    pub message: String,
    /// Which property is at fault.
    pub target: Option<String>,
    /// Seconds, whole or not, as the header has them.
    pub retry_after: Option<String>,
}

impl GraphError {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), target: None, retry_after: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    pub(crate) fn not_found(id: &str) -> Self {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
    }

    pub(crate) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
    }

    pub(crate) fn throttled(retry_after: impl Into<String>) -> Self {
        Self {
            retry_after: Some(retry_after.into()),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Please retry after")
        }
    }

    pub(crate) fn about(self, target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..self }
    }

    /// The body, with the ids of the request it answers.
    pub(crate) fn body(&self, ids: &RequestIds) -> Value {
        let date = ids.at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let inner = if self.status == StatusCode::TOO_MANY_REQUESTS {
            json!({"code": "429", "date": date, "message": self.message, "request-id": ids.request, "status": "429"})
        } else {
            json!({"date": date, "request-id": ids.request, "client-request-id": ids.client})
        };
        let mut error = json!({"code": self.code, "message": self.message, "innerError": inner});
        if let (Some(target), Some(error)) = (&self.target, error.as_object_mut()) {
            let details = json!([{"code": self.code, "target": target, "message": self.message}]);
            error.insert("details".to_owned(), details);
        }
        json!({"error": error})
    }
}

impl From<StoreError> for GraphError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UnknownError", "Internal server error")
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A refusal of Partner Center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CenterError {
    pub status: StatusCode,
    pub shape: Shape,
    pub retry_after: Option<String>,
}

/// The shapes that Partner Center's errors come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `code`, `description`, `data`, `source`.
    Usual { code: Code, description: String, source: &'static str },
    /// Newer commerce: `message`, `errorName` and more.
    Commerce { code: u32, message: String, name: &'static str },
    /// The gateway before it: `statusCode`, `message`.
    Gateway { message: String },
    /// No body, and perhaps words in the first line.
    Empty { reason: Option<&'static str> },
}

/// An error code, written as it was seen unless the tenant says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Number(u32),
    Text(u32),
}

impl Code {
    fn json(self, codes: Codes) -> Value {
        let (Self::Number(code) | Self::Text(code)) = self;
        let as_number = match codes {
            Codes::AsSeen => matches!(self, Self::Number(_)),
            Codes::Numbers => true,
            Codes::Strings => false,
        };
        if as_number { code.into() } else { code.to_string().into() }
    }
}

impl CenterError {
    pub(crate) fn new(status: StatusCode, code: Code, description: impl Into<String>) -> Self {
        let shape = Shape::Usual { code, description: description.into(), source: "PartnerFD" };
        Self { status, shape, retry_after: None }
    }

    /// An error of the commerce part.
    pub(crate) fn commerce(status: StatusCode, code: Code, description: impl Into<String>) -> Self {
        let shape = Shape::Usual { code, description: description.into(), source: "CommerceFD" };
        Self { status, shape, retry_after: None }
    }

    /// Input that cannot be.
    pub(crate) fn invalid(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::Number(2000), description)
    }

    pub(crate) fn not_found(description: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::Text(1000), description)
    }

    pub(crate) fn app_only() -> Self {
        let description = "App only tokens are not supported.";
        Self::new(StatusCode::FORBIDDEN, Code::Text(900_329), description)
    }

    /// The caller's role does not do.
    pub(crate) fn role_lacks_rights() -> Self {
        let description = "The caller's role has no rights to this operation.";
        Self::new(StatusCode::FORBIDDEN, Code::Text(900_150), description)
    }

    pub(crate) fn mfa_required() -> Self {
        let shape = Shape::Empty { reason: Some("Unauthorized - MFA required") };
        Self { status: StatusCode::UNAUTHORIZED, shape, retry_after: None }
    }

    pub(crate) fn unauthorized(code: u32, description: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Code::Text(code), description)
    }

    pub(crate) fn throttled(seconds: &str) -> Self {
        let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            shape: Shape::Gateway { message },
            retry_after: Some(seconds.to_owned()),
        }
    }

    pub(crate) fn body(&self, codes: Codes) -> Option<Value> {
        Some(match &self.shape {
            Shape::Usual { code, description, source } => json!({
                "code": code.json(codes),
                "description": description,
                "data": [],
                "source": source,
            }),
            Shape::Commerce { code, message, name } => json!({
                "code": code,
                "message": message,
                "description": message,
                "errorName": name,
                "isRetryable": false,
                "parameters": {},
                "errorMessageExtended": format!("InternalErrorCode={code}"),
            }),
            Shape::Gateway { message } => {
                json!({"statusCode": self.status.as_u16(), "message": message})
            }
            Shape::Empty { .. } => return None,
        })
    }
}

impl From<StoreError> for CenterError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Text(800_003), "Unexpected error.")
    }
}

impl IntoResponse for CenterError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_seen_or_as_asked() {
        let of = |code: Code, codes| code.json(codes).to_string();
        assert_eq!(of(Code::Number(3000), Codes::AsSeen), "3000");
        assert_eq!(of(Code::Text(2055), Codes::AsSeen), "\"2055\"");
        assert_eq!(of(Code::Text(2055), Codes::Numbers), "2055");
        assert_eq!(of(Code::Number(3000), Codes::Strings), "\"3000\"");
    }
}
