//! An emulator to give commands to: served somewhere, or in process. The same requests either way.

use std::io;
use std::net::IpAddr;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::{CommandError, failed};
use crate::emulator::Emulator;

pub(super) enum Remote {
    Embedded(Box<Emulator>),
    Served { base: String, client: reqwest::Client },
}

impl Remote {
    /// An emulator at an address. One on this machine may vouch for itself.
    pub(super) fn served(url: &str) -> Result<Self, CommandError> {
        let wrong = || CommandError::usage(format!("{url} is not an emulator's address"));
        let parsed = reqwest::Url::parse(url).map_err(|_| wrong())?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let host = parsed.host_str().ok_or_else(wrong)?;
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_danger_accept_invalid_certs(is_here)
            .build()
            .map_err(|error| failed("preparing to connect", error))?;
        Ok(Self::Served { base: url.trim_end_matches('/').to_owned(), client })
    }

    /// Sends a command; the answer is null where there is nothing to say.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CommandError> {
        let text = body.map(Value::to_string);
        let (status, bytes) = match self {
            Self::Embedded(emulator) => in_process(emulator, method, path, text).await?,
            Self::Served { base, client } => over_tcp(client, base, method, path, text).await?,
        };
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(answer);
        }
        let why = answer
            .get("error")
            .and_then(Value::as_str)
            .map_or_else(|| String::from_utf8_lossy(&bytes).into_owned(), str::to_owned);
        if status.is_client_error() {
            return Err(CommandError::usage(why));
        }
        let error = io::Error::other(format!("{status}: {why}"));
        Err(CommandError::failed(format!("{method} {path}"), error))
    }
}

type Answered = (StatusCode, Vec<u8>);

async fn in_process(
    emulator: &Emulator,
    method: &str,
    path: &str,
    body: Option<String>,
) -> Result<Answered, CommandError> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(body.map_or_else(Body::empty, Body::from))
        .map_err(|error| failed("asking the embedded tenant", error))?;
    let lost = |error| failed("asking the embedded tenant", error);
    let response = emulator.service().oneshot(request).await.map_err(lost)?;
    let status = response.status();
    let bytes = response.into_body().collect().await;
    let bytes = bytes.map_err(|error| failed("asking the embedded tenant", error))?;
    Ok((status, bytes.to_bytes().to_vec()))
}

async fn over_tcp(
    client: &reqwest::Client,
    base: &str,
    method: &str,
    path: &str,
    body: Option<String>,
) -> Result<Answered, CommandError> {
    let doing = format!("asking {base}");
    let method =
        http::Method::from_bytes(method.as_bytes()).map_err(|error| failed(&doing, error))?;
    let mut request =
        client.request(method, format!("{base}{path}")).header("content-type", "application/json");
    if let Some(body) = body {
        request = request.body(body);
    }
    let response = request.send().await.map_err(|error| failed(&doing, error))?;
    let status = response.status();
    let bytes = response.bytes().await.map_err(|error| failed(&doing, error))?;
    Ok((status, bytes.to_vec()))
}
