//! A tenant to test against: requests through the router, as a client would send them.

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use serde_json::Value;
use tower::ServiceExt;

use super::identity::token::{GRAPH, PARTNER_CENTER};
use super::{Credentials, Emulator};

/// A tenant in memory, and tokens for it.
pub(crate) struct Bench {
    pub emulator: Emulator,
    pub credentials: Credentials,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null where the body is empty or no JSON.
    pub body: Value,
    pub text: String,
}

/// Who calls, and for which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// `embedded-admin` with a second factor.
    User,
    App,
    Nobody,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let emulator = Emulator::in_memory(1).unwrap();
        let credentials = emulator.credentials().unwrap();
        Self { emulator, credentials }
    }

    /// Sends a request with a token that fits its path.
    pub(crate) async fn send(
        &self,
        who: As,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Answer {
        self.send_with(who, method, path, &[], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(As::User, "GET", path, None).await
    }

    pub(crate) async fn send_with(
        &self,
        who: As,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Option<Value>>,
    ) -> Answer {
        self.exchange(self.request(who, method, path, headers, body).await).await
    }

    /// A request with a token that fits its path.
    pub(crate) async fn request(
        &self,
        who: As,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Option<Value>>,
    ) -> Request<Body> {
        let mut request =
            Request::builder().method(method).uri(path).header("host", "emulator.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let audience = if path.starts_with("/v1.0") { GRAPH } else { PARTNER_CENTER };
        if let Some(token) = self.token(who, audience).await {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body.into() {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        request.body(body).unwrap()
    }

    /// Sends a form, as clients ask for tokens.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let escaped = |text: &str| -> Vec<String> {
            text.bytes().map(|byte| format!("%{byte:02X}")).collect()
        };
        let form: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value).concat()))
            .collect();
        let request = Request::post(path)
            .header("host", "emulator.example")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.join("&")))
            .unwrap();
        self.exchange(request).await
    }

    pub(crate) async fn exchange(&self, request: Request<Body>) -> Answer {
        read(self.emulator.router().oneshot(request).await.unwrap()).await
    }

    /// A token, the way a client gets one.
    pub(crate) async fn token(&self, who: As, audience: &str) -> Option<String> {
        let credentials = &self.credentials;
        let secret = credentials.client_secret.expose_secret();
        let refresh = credentials.refresh_token.expose_secret();
        let scope = format!("{audience}/.default");
        let mut fields = vec![
            ("client_id", credentials.client_id.as_str()),
            ("client_secret", secret),
            ("scope", scope.as_str()),
        ];
        match who {
            As::Nobody => return None,
            As::App => fields.push(("grant_type", "client_credentials")),
            As::User => {
                fields.extend([("grant_type", "refresh_token"), ("refresh_token", refresh)]);
            }
        }
        let answer =
            self.form(&format!("/{}/oauth2/v2.0/token", credentials.tenant), &fields).await;
        Some(answer.body["access_token"].as_str().unwrap().to_owned())
    }
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, body, text }
}
