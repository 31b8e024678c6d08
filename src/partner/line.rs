//! The line to a tenant: sends one request with all that belongs to it (a token, the limiter's leave,
//! tracing ids, repeats) and hands back an answer that was understood, or an error.
//!
//! It has two ends. [`ReadingLine`] takes nothing but a [`Reading`]; only [`ChangingLine`] takes a
//! [`Changing`]. The transport itself is behind both and reachable through neither.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::auth::tokens::Access;
use super::auth::{Actor, Endpoints, Tokens};
use super::clock::Clock;
use super::error::{Error, Place, Reason, Refusal};
use super::json;
use super::pace::{Answer as Paced, Pacer, retry_after};
use super::request::{Changing, Reading, Repeat, Request, Service};
use super::retry::{History, Next, Patience, Seen, next};
use super::transport::{Arrival, Lost, Transport};
use crate::model::secret;

/// Everything that it takes to talk to a tenant in the name of one identity.
#[derive(Debug, Clone)]
pub struct Connection {
    pub transport: Arc<dyn Transport>,
    pub endpoints: Endpoints,
    pub tokens: Arc<Tokens>,
    /// Shared by all who ask the same tenant.
    pub pacer: Pacer,
    pub clock: Clock,
    pub patience: Patience,
}

/// The end of a line that cannot change anything.
#[derive(Debug, Clone)]
pub(super) struct ReadingLine(Arc<Wire>);

/// The end that can. Made from a connection of the writing identity, and of nothing else.
#[derive(Debug, Clone)]
pub(super) struct ChangingLine {
    wire: Arc<Wire>,
    /// Nothing is sent from then on.
    until: Option<Instant>,
}

struct Wire {
    connection: Connection,
    calls: AtomicU64,
}

/// An answer that is a success.
#[derive(Debug, Clone)]
pub(super) struct Answer<T> {
    pub(super) body: T,
    pub(super) headers: HeaderMap,
}

impl<T> Answer<T> {
    /// The service's own time.
    pub(super) fn date(&self) -> Option<Timestamp> {
        date(&self.headers)
    }
}

impl ReadingLine {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(Wire { connection, calls: AtomicU64::new(0) }))
    }

    /// Asks, and reads the JSON that comes.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        reading: &Reading,
    ) -> Result<Answer<T>, Error> {
        self.0.exchange(reading.request(), None, json::read).await
    }

    /// Asks whether something is there.
    pub(super) async fn is_there(&self, reading: &Reading) -> Result<bool, Error> {
        match self.0.exchange(reading.request(), None, |_| Ok(())).await {
            Ok(_) => Ok(true),
            Err(error) if error.is(Reason::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A link that an answer holds, as a path below the service's base address.
    ///
    /// Partner Center's are relative, with `/v1` or without. Graph's are absolute: one that leads to
    /// another host is refused, because our token would go there.
    pub(super) fn followed(&self, service: Service, link: &str) -> Result<String, Error> {
        let base = self.0.connection.endpoints.base(service);
        relative(service, base, link).ok_or_else(|| Error::Astray {
            place: Place { method: Method::GET, path: base.to_owned() },
            link: link.split('?').next().unwrap_or_default().to_owned(),
        })
    }

    pub(super) async fn actor(&self, service: Service) -> Result<Option<Actor>, Error> {
        Ok(self.0.connection.tokens.actor(service).await?)
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.connection.clock
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.0.connection.patience
    }

    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.0.connection.endpoints
    }

    /// How many requests went out so far, tokens not counted.
    pub(super) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }
}

impl ChangingLine {
    pub(super) fn new(connection: Connection) -> Self {
        Self { wire: Arc::new(Wire { connection, calls: AtomicU64::new(0) }), until: None }
    }

    /// The same line, on which nothing is sent any more from a moment on.
    pub(super) fn until(&self, until: Instant) -> Self {
        Self { wire: Arc::clone(&self.wire), until: Some(until) }
    }

    /// The same line, to read back what was written.
    pub(super) fn reading(&self) -> ReadingLine {
        ReadingLine(Arc::clone(&self.wire))
    }

    /// For how long the limiter lets nothing through.
    pub(super) fn held_back(&self) -> Option<Duration> {
        self.wire.connection.pacer.held_back()
    }

    /// Changes something, and reads the JSON that comes.
    pub(super) async fn change<T: DeserializeOwned>(
        &self,
        changing: &Changing,
    ) -> Result<Answer<T>, Error> {
        self.wire.exchange(changing.request(), self.until, json::read).await
    }

    /// Changes something that is answered with nothing worth reading.
    pub(super) async fn change_only(&self, changing: &Changing) -> Result<Answer<()>, Error> {
        self.wire.exchange(changing.request(), self.until, |_| Ok(())).await
    }
}

impl Wire {
    async fn exchange<T>(
        &self,
        request: &Request,
        until: Option<Instant>,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Answer<T>, Error> {
        let Connection { tokens, pacer, clock, patience, .. } = &self.connection;
        let service = request.class.service();
        let too_late = || Error::TooLate { place: place(request) };
        let mut access = by(until, tokens.access(service)).await.ok_or_else(too_late)??;
        let mut history = History::default();
        // What came of the attempt before, where that leaves something open.
        let mut before: Option<Error> = None;
        loop {
            let admitted = by(until, pacer.admit(request.class, request.cost)).await;
            let Some(permit) = admitted else { return Err(before.unwrap_or_else(too_late)) };
            self.calls.fetch_add(1, Ordering::Relaxed);
            let prepared = self.prepared(request, &access)?;
            if request.is_changing {
                tracing::trace!(name: "leaving", request = %place(request), "a change is sent");
            }
            // As late as can be: whoever was stopped in between must not send any more.
            if until.is_some_and(|until| until <= Instant::now()) {
                return Err(before.unwrap_or_else(too_late));
            }
            let sent = by(until, self.connection.transport.send(prepared)).await;
            if request.is_changing {
                tracing::trace!(name: "back", request = %place(request), "a change was answered, or not");
            }
            let sent = sent.unwrap_or_else(|| {
                let cause = "there was no answer in time".to_owned();
                Err(Lost { arrival: Arrival::Possible, cause })
            });
            history.attempts += 1;
            let (seen, error) = match sent {
                Ok(response) => {
                    let wait = self.retry_after(response.headers());
                    let status = response.status();
                    if status == StatusCode::TOO_MANY_REQUESTS {
                        history.throttles += 1;
                        // Being throttled is no failed attempt.
                        history.attempts -= 1;
                        permit.answered(Paced::Throttled { retry_after: wait });
                    } else {
                        permit.answered(Paced::Let);
                    }
                    trace(request, &response);
                    if status.is_success() {
                        let (parts, body) = response.into_parts();
                        match read(&body) {
                            Ok(body) => return Ok(Answer { body, headers: parts.headers }),
                            Err(cause) => (
                                Seen::Unreadable,
                                Error::Unreadable { place: place(request), cause },
                            ),
                        }
                    } else {
                        let seen = Seen::Status(status.as_u16(), wait);
                        (seen, Error::Refused(Box::new(refusal(request, &access, &response, wait))))
                    }
                }
                Err(Lost { arrival, cause }) => {
                    permit.answered(Paced::Other);
                    tracing::debug!(request = %place(request), ?arrival, cause, "no answer");
                    (Seen::Lost(arrival), Error::Lost { place: place(request), arrival, cause })
                }
            };
            history.unauthorized =
                if matches!(seen, Seen::Status(401, _)) { history.unauthorized + 1 } else { 0 };
            if history.unauthorized > 1
                && let Some(missing) = access.lacks_second_factor()
            {
                return Err(Error::SignIn(missing));
            }
            match next(request.repeat, seen, history, patience) {
                Next::Renew => {
                    history.has_renewed = true;
                    access = tokens.renewed(service, &access).await?;
                }
                Next::Yield => {}
                Next::Wait(wait) => {
                    if by(until, clock.sleep(jittered(wait))).await.is_none() {
                        return Err(error);
                    }
                }
                Next::Stop => return Err(error),
            }
            before = Some(error).filter(Error::leaves_outcome_open).or(before);
        }
    }

    /// The request with its token and ids. Those that trace are new with each attempt; the one that
    /// the service knows a creation by is not.
    fn prepared(&self, request: &Request, access: &Access) -> Result<http::Request<Bytes>, Error> {
        let service = request.class.service();
        let url = format!("{}{}", self.connection.endpoints.base(service), request.path);
        let malformed = |cause: &str| Error::Unreadable {
            place: place(request),
            cause: format!("the request cannot be made: {cause}"),
        };
        let mut prepared = http::Request::builder()
            .method(request.method.clone())
            .uri(url)
            .body(request.body.clone())
            .map_err(|_| malformed("its address is malformed"))?;
        let headers = prepared.headers_mut();
        let token = access.header().ok_or_else(|| malformed("its token is malformed"))?;
        headers.insert(header::AUTHORIZATION, token);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if !request.body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if request.is_changing {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        match service {
            Service::PartnerCenter => {
                let key = match request.repeat {
                    Repeat::WithKey(key) => key,
                    Repeat::Never | Repeat::Freely => fresh(),
                };
                headers.insert(HeaderName::from_static("ms-requestid"), id(key));
                headers.insert(HeaderName::from_static("ms-correlationid"), id(fresh()));
                headers.insert(
                    HeaderName::from_static("ms-contract-version"),
                    HeaderValue::from_static("v1"),
                );
            }
            Service::Graph => {
                headers.insert(HeaderName::from_static("client-request-id"), id(fresh()));
            }
        }
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        Ok(prepared)
    }

    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let value = text(headers, "retry-after")?;
        retry_after::parse(&value, date(headers), self.connection.clock.now())
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("endpoints", &self.connection.endpoints)
            .finish_non_exhaustive()
    }
}

/// Waits for something, but no longer than until then.
async fn by<T>(until: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match until {
        Some(until) => tokio::time::timeout_at(until, work).await.ok(),
        None => Some(work.await),
    }
}

fn fresh() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}

fn id(uuid: Uuid) -> HeaderValue {
    // Hexadecimal digits and hyphens are a header value.
    HeaderValue::from_str(&uuid.to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// Half to once of a wait: several runs that failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

fn place(request: &Request) -> Place {
    let path = request.path.split('?').next().unwrap_or_default();
    Place { method: request.method.clone(), path: path.to_owned() }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    retry_after::http_date(&text(headers, "date")?)
}

fn trace(request: &Request, response: &http::Response<Bytes>) {
    tracing::debug!(
        request = %place(request),
        status = response.status().as_u16(),
        bytes = response.body().len(),
        "answered"
    );
}

fn relative(service: Service, base: &str, link: &str) -> Option<String> {
    let path = if let Some((scheme, rest)) = link.split_once("://") {
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let (_, own) = base.split_once("://")?;
        let (own, prefix) = own.split_at(own.find('/').unwrap_or(own.len()));
        let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        if !is_web || !authority.eq_ignore_ascii_case(own) {
            return None;
        }
        // An address behind a proxy may have a path of its own; the service knows it or not.
        path.strip_prefix(prefix).unwrap_or(path).to_owned()
    } else {
        format!("/{}", link.trim_start_matches('/'))
    };
    let is_versioned = |version: &str| {
        path.strip_prefix(version)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    };
    Some(match service {
        Service::PartnerCenter if !is_versioned("/v1") => format!("/v1{path}"),
        Service::Graph if !is_versioned("/v1.0") => format!("/v1.0{path}"),
        _ => path,
    })
}

/// Reads what a service says when it says no, in whichever of its shapes.
fn refusal(
    request: &Request,
    access: &Access,
    response: &http::Response<Bytes>,
    retry_after: Option<Duration>,
) -> Refusal {
    let mut secrets = request.secrets.clone();
    secrets.push(access.secret().clone());
    let headers = response.headers();
    let said = said(response.body());
    let kept = |text: String| scrubbed(&text, &secrets);
    Refusal {
        place: place(request),
        status: response.status().as_u16(),
        code: said.code.map(kept),
        message: said.message.map(kept).unwrap_or_default(),
        request_id: text(headers, "ms-requestid")
            .or_else(|| text(headers, "request-id"))
            .or(said.request_id)
            .map(kept),
        correlation_id: text(headers, "ms-correlationid")
            .or_else(|| text(headers, "client-request-id"))
            .or(said.correlation_id)
            .map(kept),
        retry_after,
    }
}

/// An error body, whichever service it is from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) correlation_id: Option<String>,
}

pub(super) fn said(body: &[u8]) -> Said {
    let Ok(value) = json::read::<Value>(body) else {
        return Said::default();
    };
    let text = |value: &Value, keys: &[&str]| {
        keys.iter().find_map(|key| match value.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    // Graph wraps its error; Partner Center does not; its gateway has a third shape.
    let error = value.get("error").filter(|error| error.is_object()).unwrap_or(&value);
    let inner = error.get("innerError").or_else(|| error.get("innererror")).unwrap_or(&Value::Null);
    Said {
        code: text(error, &["code", "errorName"]),
        message: text(error, &["description", "message"]),
        request_id: text(inner, &["request-id"]),
        correlation_id: text(inner, &["client-request-id"]),
    }
}

/// A text without the secrets that were sent, and without anything else that looks like one.
pub(super) fn scrubbed(text: &str, secrets: &[SecretString]) -> String {
    /// What is shorter is a word, not a secret.
    const SECRET_BYTES_MIN: usize = 4;
    const HIDDEN: &str = "[hidden]";
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.len() >= SECRET_BYTES_MIN && text.contains(secret) {
            text = text.replace(secret, HIDDEN);
        }
    }
    for found in secret::look_for(&text).into_iter().rev() {
        if text.is_char_boundary(found.start) && text.is_char_boundary(found.end) {
            text.replace_range(found, HIDDEN);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved_as_each_service_means_them() {
        let center = |link| relative(Service::PartnerCenter, "https://api.example", link);
        for link in [
            "/customers?size=40&seekOperation=Next",
            "/v1/customers?size=40&seekOperation=Next",
            "customers?size=40&seekOperation=Next",
            "https://API.example/v1/customers?size=40&seekOperation=Next",
        ] {
            assert_eq!(center(link).as_deref(), Some("/v1/customers?size=40&seekOperation=Next"));
        }
        assert_eq!(center("https://evil.example/v1/customers"), None);
        assert_eq!(center("https://api.example.evil.example/v1"), None);
        assert_eq!(center("https://api.example@evil.example/v1"), None);
        assert_eq!(center("file://api.example/v1"), None);
        assert_eq!(center("/v10/x").as_deref(), Some("/v1/v10/x"));
        let graph = |base, link| relative(Service::Graph, base, link);
        assert_eq!(
            graph("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1.0/users?$skiptoken=a%2Bb")
                .as_deref(),
            Some("/v1.0/users?$skiptoken=a%2Bb")
        );
        assert_eq!(
            graph("https://proxy.example/graph", "https://proxy.example/graph/v1.0/users")
                .as_deref(),
            Some("/v1.0/users")
        );
        assert_eq!(graph("http://127.0.0.1:8080", "http://127.0.0.1:9090/v1.0/users"), None);
        assert_eq!(graph("http://a.example", "/users").as_deref(), Some("/v1.0/users"));
    }

    #[test]
    fn refusals_come_in_several_shapes() {
        let said = |body: &str| said(body.as_bytes());
        let of = |code: &str, message: &str| Said {
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            ..Said::default()
        };
        assert_eq!(
            said(r#"{"code":2000,"description":"Set it.","data":[]}"#),
            of("2000", "Set it.")
        );
        assert_eq!(said(r#"{"Code":"2000","Description":"Set it."}"#), of("2000", "Set it."));
        assert_eq!(
            said(r#"{"code":600074,"message":"m","description":"d","errorName":"N"}"#),
            of("600074", "d")
        );
        assert_eq!(
            said(r#"{"statusCode":429,"message":"Try again"}"#),
            Said { code: None, ..of("", "Try again") }
        );
        assert_eq!(
            said(r#"{"error":{"code":"X","message":"m","innerError":{"request-id":"r"}}}"#),
            Said { request_id: Some("r".to_owned()), ..of("X", "m") }
        );
        for none in ["", "<html>", "[]", "null", "\"x\""] {
            assert_eq!(said(none), Said::default(), "{none}");
        }
    }

    #[test]
    fn secrets_do_not_come_back_in_messages() {
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlMTIz";
        let secrets = [SecretString::from("hunter2"), SecretString::from("ab")];
        assert_eq!(
            scrubbed(&format!("password hunter2 and {token} are about"), &secrets),
            "password [hidden] and [hidden] are about"
        );
    }
}
