//! One request to the login authority, and what it answered.

use bytes::Bytes;
use http::{Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::super::json;
use super::super::line::scrubbed;
use super::super::transport::Transport;
use super::{Error, Refusal};

/// What is sent: a form. Values may be secrets, and all of them are treated as such.
pub(super) struct Form<'a>(pub(super) Vec<(&'static str, &'a str)>);

impl Form<'_> {
    fn encoded(&self) -> Bytes {
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(&super::super::request::escaped(value).to_string());
        }
        Bytes::from(text)
    }

    /// Everything that must not come back in a message.
    fn secrets(&self) -> Vec<SecretString> {
        const PLAIN: [&str; 4] = ["client_id", "grant_type", "scope", "client_assertion_type"];
        self.0
            .iter()
            .filter(|(name, _)| !PLAIN.contains(name))
            .map(|(_, value)| SecretString::from((*value).to_owned()))
            .collect()
    }
}

/// What a token request is answered with.
#[derive(Deserialize)]
pub(super) struct Granted {
    #[serde(deserialize_with = "json::secret")]
    pub(super) access_token: SecretString,
    pub(super) expires_in: json::Text,
    #[serde(default, deserialize_with = "json::secret_if_any")]
    pub(super) refresh_token: Option<SecretString>,
}

/// What a device code request is answered with.
#[derive(Deserialize)]
pub(super) struct DeviceCode {
    #[serde(rename = "device_code", deserialize_with = "json::secret")]
    pub(super) code: SecretString,
    pub(super) user_code: String,
    #[serde(alias = "verification_url")]
    pub(super) verification_uri: String,
    #[serde(default)]
    pub(super) expires_in: json::Text,
    #[serde(default)]
    pub(super) interval: json::Text,
}

/// Posts a form and reads what comes back.
pub(super) async fn post<T: for<'de> Deserialize<'de>>(
    transport: &dyn Transport,
    url: &str,
    form: &Form<'_>,
) -> Result<T, Error> {
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(form.encoded());
    let request =
        request.map_err(|_| Error::Unreachable { cause: "its address is malformed".into() })?;
    let answer =
        transport.send(request).await.map_err(|lost| Error::Unreachable { cause: lost.cause })?;
    let status = answer.status().as_u16();
    if (200..300).contains(&status) {
        // The cause names our fields, never the values that came.
        return json::read(answer.body()).map_err(|cause| Error::Unreachable { cause });
    }
    Err(refusal(status, answer.body(), &form.secrets()).into_error())
}

/// Reads an error body; one that is none still has a status.
fn refusal(status: u16, body: &[u8], secrets: &[SecretString]) -> Refusal {
    let value: Value = json::read(body).unwrap_or_default();
    let text =
        |key: &str| value.get(key).and_then(Value::as_str).map(|text| scrubbed(text, secrets));
    let description = text("error_description").unwrap_or_default();
    Refusal {
        status,
        error: text("error").unwrap_or_default(),
        codes: value
            .get("error_codes")
            .and_then(Value::as_array)
            .map(|codes| codes.iter().filter_map(Value::as_u64).collect())
            .unwrap_or_default(),
        description: description.lines().next().unwrap_or_default().to_owned(),
        trace_id: text("trace_id"),
        correlation_id: text("correlation_id"),
    }
}

/// How long a token lives, in seconds; a number or a text, depending on who answers.
pub(super) fn seconds(text: &json::Text, otherwise: u64) -> u64 {
    text.0.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0 && *seconds < 1e9).map_or(
        otherwise,
        |seconds| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and a thousand million, as was just checked"
            )]
            {
                seconds as u64
            }
        },
    )
}

/// The headers of a request to whoever vouches for a workload.
pub(super) fn bearer(token: &SecretString) -> Option<http::HeaderValue> {
    let mut value =
        http::HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
