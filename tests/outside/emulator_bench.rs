//! A tenant to talk to from outside: requests through its router, as a client would send them.

use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use partnerctl::emulator::{Credentials, Emulator};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const CENTER: &str = "https://api.partnercenter.microsoft.com";
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    User,
    App,
    Nobody,
}

/// An answer, read whole; the body is null where it is no JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

pub(crate) struct Bench {
    pub emulator: Emulator,
    pub credentials: Credentials,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let emulator = Emulator::in_memory(1).unwrap();
        let credentials = emulator.credentials().unwrap();
        Self { emulator, credentials }
    }

    /// One whose tenant is as `change` makes it.
    pub(crate) async fn with_tenant(change: Value) -> Self {
        let mut bench = Self::new();
        let mut whole = bench.send(As::Nobody, "GET", "/_emulator/tenant", &[], None).await.body;
        for (name, value) in change.as_object().unwrap() {
            whole["tenant"][name] = value.clone();
        }
        bench.command("PUT", "/_emulator/tenant", whole).await;
        // `embedded-admin` keeps its sign-in name: the credentials of before go on.
        bench.credentials.tenant = change["id"].as_str().unwrap().to_owned();
        bench
    }

    pub(crate) async fn command(&self, method: &str, path: &str, body: Value) -> Answer {
        let answer = self.send(As::Nobody, method, path, &[], Some(body)).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(As::User, "GET", path, &[], None).await
    }

    pub(crate) async fn send(
        &self,
        who: As,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "api.partnercenter.microsoft.com")
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let audience = if path.starts_with("/v1.0") { GRAPH } else { CENTER };
        if who != As::Nobody {
            let token = self.token(who, audience).await;
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.exchange(request.body(body).unwrap()).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode =
            |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let request = Request::post(path)
            .header("host", "login.microsoftonline.com")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.join("&")))
            .unwrap();
        self.exchange(request).await
    }

    pub(crate) async fn token_answer(&self, who: As, scope: &str) -> Answer {
        let secret = self.credentials.client_secret.expose_secret();
        let refresh = self.credentials.refresh_token.expose_secret();
        let mut fields = vec![
            ("client_id", self.credentials.client_id.as_str()),
            ("client_secret", secret),
            ("scope", scope),
        ];
        match who {
            As::App => fields.push(("grant_type", "client_credentials")),
            _ => fields.extend([("grant_type", "refresh_token"), ("refresh_token", refresh)]),
        }
        let tenant = &self.credentials.tenant;
        self.form(&format!("/{tenant}/oauth2/v2.0/token"), &fields).await
    }

    async fn token(&self, who: As, audience: &str) -> String {
        let answer = self.token_answer(who, &format!("{audience}/.default")).await;
        answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    async fn exchange(&self, request: Request<Body>) -> Answer {
        let response = self.emulator.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, text }
    }
}

/// What stands in a file of `tests/wire-examples/`.
pub(crate) fn example(name: &str) -> Value {
    let path = format!("{}/tests/wire-examples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

/// A body without what differs each time: ids, times, secrets, and words that are not matched on.
pub(crate) fn masked(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_token = members.get("key") == Some(&json!("MS-ContinuationToken"));
            members
                .iter()
                .map(|(name, value)| {
                    let masked = match name.as_str() {
                        "etag" | "eTag" | "@odata.etag" => json!("<etag>"),
                        "value" if is_token => json!("<token>"),
                        "description" | "message" | "error_description" => json!("<words>"),
                        "password" | "access_token" | "refresh_token" | "id_token"
                        | "user_code" | "device_code" => json!("<secret>"),
                        "iat" | "nbf" | "exp" => json!("<time>"),
                        _ => masked(value),
                    };
                    (name.clone(), masked)
                })
                .collect()
        }
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::String(text) => json!(masked_text(text)),
        other => other.clone(),
    }
}

fn masked_text(text: &str) -> String {
    let is_time = text.len() >= 19
        && text.bytes().take(4).all(|b| b.is_ascii_digit())
        && matches!(text.as_bytes()[10], b'T' | b' ')
        && text.as_bytes()[13] == b':';
    if is_time {
        return "<time>".to_owned();
    }
    let mut masked = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let id = rest.get(..36).filter(|id| id.parse::<uuid::Uuid>().is_ok());
        if id.is_some() {
            masked.push_str("<id>");
            rest = &rest[36..];
        } else {
            masked.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    masked
}
