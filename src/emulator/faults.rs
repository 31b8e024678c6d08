//! The weather: what goes wrong on purpose, by seed, so that it goes wrong the same way again.
//!
//! The n-th request that a rule fits is struck or spared by the seed, the rule and n alone. The
//! first rule that strikes is the one that does. Items of a `$batch` are requests of their own here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::error::{CenterError, Code, GraphError};
use super::http::ids::RequestIds;
use super::http::origin::FullPath;
use super::store::{Lag, Read, StoreError, Write, with_lag};
use super::world::World;

/// What should go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultPlan {
    #[serde(default)]
    pub seed: u64,
    pub rules: Vec<FaultRule>,
}

/// One sort of trouble, and where it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// `GET`; or `writes`: all that may change something.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    /// How the path begins; with `*`, all of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Of all requests that fit, from 0 to 1.
    pub rate: f64,
    /// Of all requests that fit, this one alone, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nth: Option<u64>,
    pub fault: Fault,
    /// Milliseconds, of whatever takes time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Seconds, whole or not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<f64>,
}

/// The sorts of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The answer takes its time.
    Latency,
    /// 429.
    Throttle,
    /// 503, or another status.
    Error,
    /// The connection ends before anything happened.
    DropBefore,
    /// The connection ends, and everything happened.
    DropAfter,
    /// The body comes in small pieces.
    SlowBody,
    /// What was written lately is not seen.
    StaleRead,
    /// The token is called expired.
    ExpiredToken,
    /// The body ends in the middle.
    Malformed,
    /// The body begins with a byte-order mark.
    Bom,
    /// A page begins with the last item of the one before.
    PageShift,
}

impl Fault {
    fn word(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Throttle => "throttle",
            Self::Error => "error",
            Self::DropBefore => "drop-before",
            Self::DropAfter => "drop-after",
            Self::SlowBody => "slow-body",
            Self::StaleRead => "stale-read",
            Self::ExpiredToken => "expired-token",
            Self::Malformed => "malformed",
            Self::Bom => "bom",
            Self::PageShift => "page-shift",
        }
    }

    /// Whether it changes what a read sees, and so strikes reads alone.
    fn is_of_reads(self) -> bool {
        matches!(self, Self::StaleRead | Self::PageShift)
    }
}

/// The plan that is in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(RwLock<Option<Active>>);

#[derive(Debug)]
struct Active {
    plan: FaultPlan,
    /// How many requests fitted each rule.
    fitted: Vec<AtomicU64>,
}

const SETTING: &str = "faults";
/// What was written within this time is stale unless a rule says otherwise.
const STALE_MS: u64 = 5000;
/// How long things take unless a rule says otherwise.
const SLOW_MS: u64 = 200;

/// Put into a response that a fault has changed: its name, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Struck(pub String);

/// Put into a response that must not arrive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

/// Put into a request that is an item of a `$batch`: it has no connection that could end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchItem;

impl Faults {
    pub(crate) fn of(tx: &Read<'_>) -> Result<Self, StoreError> {
        let faults = Self::default();
        faults.replace(tx.setting::<Option<FaultPlan>>(SETTING)?.flatten());
        Ok(faults)
    }

    /// Lets a plan rule from now on; its requests are counted from the beginning.
    pub(crate) fn set(&self, tx: &Write<'_>, plan: Option<FaultPlan>) -> Result<(), StoreError> {
        tx.set(SETTING, &plan)?;
        self.replace(plan);
        Ok(())
    }

    fn replace(&self, plan: Option<FaultPlan>) {
        let active = plan.map(|plan| {
            let fitted = plan.rules.iter().map(|_| AtomicU64::new(0)).collect();
            Active { plan, fitted }
        });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = active;
    }

    pub(crate) fn plan(&self) -> Option<FaultPlan> {
        let active = self.0.read().unwrap_or_else(PoisonError::into_inner);
        active.as_ref().map(|active| active.plan.clone())
    }

    /// The rule that strikes a request, if any does.
    fn strike(&self, method: &Method, path: &str) -> Option<FaultRule> {
        let active = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let active = active.as_ref()?;
        let rules = active.plan.rules.iter().zip(&active.fitted).enumerate();
        for (index, (rule, fitted)) in rules {
            if !fits(rule, method, path) {
                continue;
            }
            let number = fitted.fetch_add(1, Ordering::Relaxed);
            let is_meant = rule.nth.is_none_or(|nth| nth == number + 1);
            if is_meant && chance(active.plan.seed, index, number) < rule.rate {
                return Some(rule.clone());
            }
        }
        None
    }
}

fn fits(rule: &FaultRule, method: &Method, path: &str) -> bool {
    if rule.fault.is_of_reads() && method != Method::GET {
        return false;
    }
    let of_method = rule.method.as_deref().is_none_or(|one| match one {
        "writes" => !method.is_safe(),
        one => one.eq_ignore_ascii_case(method.as_str()),
    });
    of_method && rule.path.as_deref().is_none_or(|pattern| is_like(pattern, path))
}

/// Whether a path begins as a pattern says, or, with `*`, is like it from end to end.
fn is_like(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
        last = Some(part);
    }
    match last {
        None | Some("") => true,
        Some(last) => path.ends_with(last),
    }
}

/// A number from 0 to 1, the same for the same reason.
fn chance(seed: u64, rule: usize, number: u64) -> f64 {
    let mut digest = Sha256::new();
    digest.update(seed.to_be_bytes());
    digest.update((rule as u64).to_be_bytes());
    digest.update(number.to_be_bytes());
    let word =
        digest.finalize().iter().take(4).fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
    f64::from(word) / (f64::from(u32::MAX) + 1.0)
}

/// The words in which a family refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Identity,
    Center,
    Graph,
}

pub(crate) async fn identity(state: State<World>, request: Request, next: Next) -> Response {
    layer(state.0, Family::Identity, request, next).await
}

pub(crate) async fn center(state: State<World>, request: Request, next: Next) -> Response {
    layer(state.0, Family::Center, request, next).await
}

pub(crate) async fn graph(state: State<World>, request: Request, next: Next) -> Response {
    layer(state.0, Family::Graph, request, next).await
}

async fn layer(world: World, family: Family, request: Request, next: Next) -> Response {
    let path = request
        .extensions()
        .get::<FullPath>()
        .map_or_else(|| request.uri().path().to_owned(), |path| path.0.clone());
    let is_item = request.extensions().get::<BatchItem>().is_some();
    let ids = request.extensions().get::<RequestIds>().cloned();
    let quirks = world.quirks();
    if family == Family::Center
        && path.starts_with("/v1/customers")
        && let Some(ids) = &ids
        && let Err(seconds) = world.limiter().admit(quirks.customer_requests_per_minute, ids.at)
    {
        return CenterError::throttled(&seconds.to_string()).into_response();
    }
    let usual = Lag {
        behind: (quirks.lag_seconds > 0)
            .then(|| SignedDuration::from_secs(i64::from(quirks.lag_seconds))),
        shifted: false,
    };
    let Some(rule) = world.faults().strike(request.method(), &path) else {
        return with_lag(usual, next.run(request)).await;
    };
    let pause = |ms: u64| tokio::time::sleep(Duration::from_millis(rule.ms.unwrap_or(ms)));
    let run = |lag: Lag, request: Request, next: Next| with_lag(lag, next.run(request));
    let mut response = match rule.fault {
        Fault::DropBefore | Fault::DropAfter if is_item => refuse(family, &rule, Fault::Error),
        Fault::Throttle | Fault::Error | Fault::ExpiredToken => refuse(family, &rule, rule.fault),
        Fault::Latency => {
            pause(SLOW_MS).await;
            run(usual, request, next).await
        }
        Fault::DropBefore => lost(),
        Fault::DropAfter => {
            drop(run(usual, request, next).await);
            lost()
        }
        Fault::StaleRead => {
            let ms = i64::try_from(rule.ms.unwrap_or(STALE_MS)).unwrap_or(i64::MAX);
            let behind = Some(SignedDuration::from_millis(ms));
            run(Lag { behind, shifted: false }, request, next).await
        }
        Fault::PageShift => run(Lag { shifted: true, ..usual }, request, next).await,
        Fault::Malformed => with_body(run(usual, request, next).await, cut).await,
        Fault::Bom => with_body(run(usual, request, next).await, marked).await,
        Fault::SlowBody => {
            let ms = rule.ms.unwrap_or(SLOW_MS);
            let response = run(usual, request, next).await;
            with_body(response, |body| trickle(body, Duration::from_millis(ms))).await
        }
    };
    response.extensions_mut().insert(Struck(rule.fault.word().to_owned()));
    response
}

/// A refusal in a family's words.
fn refuse(family: Family, rule: &FaultRule, fault: Fault) -> Response {
    let seconds = rule.retry_after.map(|seconds| seconds.to_string());
    let status = rule.status.and_then(|status| StatusCode::from_u16(status).ok());
    match (family, fault) {
        (Family::Graph, Fault::Throttle) => {
            GraphError::throttled(seconds.unwrap_or_else(|| "1".to_owned())).into_response()
        }
        (Family::Center, Fault::Throttle) => {
            CenterError::throttled(&seconds.unwrap_or_else(|| "1".to_owned())).into_response()
        }
        (Family::Graph, Fault::ExpiredToken) => {
            GraphError::unauthorized("Access token has expired or is not yet valid.")
                .into_response()
        }
        (Family::Center, Fault::ExpiredToken) => {
            CenterError::unauthorized(400, "Access denied.").into_response()
        }
        (Family::Graph, _) => {
            let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let error = GraphError::new(status, "UnknownError", "The service is unavailable.");
            GraphError { retry_after: seconds, ..error }.into_response()
        }
        (Family::Center, _) => {
            let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let error = CenterError::new(status, Code::Text(800_003), "Unexpected error.");
            CenterError { retry_after: seconds, ..error }.into_response()
        }
        (Family::Identity, fault) => {
            let status = match fault {
                Fault::Throttle => StatusCode::TOO_MANY_REQUESTS,
                _ => status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            };
            let body = json!({
                "error": "temporarily_unavailable",
                "error_description": "AADSTS90033: A transient error has occurred.",
                "error_codes": [90033],
            });
            let mut response = (status, Json(body)).into_response();
            if let Some(seconds) = seconds.and_then(|seconds| HeaderValue::from_str(&seconds).ok())
            {
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            response
        }
    }
}

/// An answer that does not arrive. Who takes it in process finds a body that breaks off.
fn lost() -> Response {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let body = Body::from_stream(stream::iter([Err::<Bytes, _>(broken)]));
    let mut response = Response::new(body);
    response.extensions_mut().insert(Dropped);
    response
}

/// Does something to the body of an answer that has one.
async fn with_body(response: Response, change: impl FnOnce(&Bytes) -> Body) -> Response {
    let (mut parts, body) = response.into_parts();
    match body.collect().await {
        Ok(whole) => {
            let whole = whole.to_bytes();
            if whole.is_empty() {
                return Response::from_parts(parts, Body::empty());
            }
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, change(&whole))
        }
        Err(error) => {
            tracing::error!(%error, "a body of our own");
            lost()
        }
    }
}

fn cut(whole: &Bytes) -> Body {
    Body::from(whole.slice(..whole.len() / 2))
}

fn marked(whole: &Bytes) -> Body {
    Body::from([b"\xef\xbb\xbf".as_slice(), whole].concat())
}

/// Four pieces, and a pause before each.
fn trickle(whole: &Bytes, pause: Duration) -> Body {
    let piece = (whole.len() / 4).max(1);
    Body::from_stream(stream::unfold(whole.clone(), move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause / 4).await;
        let next = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, std::io::Error>(next), rest))
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::emulator::testing::{As, Bench};

    fn plan(rules: &Value) -> FaultPlan {
        serde_json::from_value(json!({"seed": 7, "rules": rules})).unwrap()
    }

    fn under(rules: &Value) -> Bench {
        let bench = Bench::new();
        let world = &bench.emulator.world;
        world.store().write(|tx| world.faults().set(tx, Some(plan(rules)))).unwrap();
        bench
    }

    #[test]
    fn a_path_is_a_beginning_or_a_pattern() {
        for (pattern, path, expected) in [
            ("/v1/customers", "/v1/customers/1", true),
            ("/v1/customers", "/v1.0/users", false),
            ("/v1.0/users/*/memberOf", "/v1.0/users/7/memberOf", true),
            ("/v1.0/users/*/memberOf", "/v1.0/users/7/memberOf/8", false),
            ("*/token", "/x/oauth2/token", true),
            ("/v1.0/*", "/v1.0/users", true),
        ] {
            assert_eq!(is_like(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests_about_as_often_as_it_should() {
        let strikes = |seed| -> Vec<bool> {
            let mut plan = plan(&json!([{"rate": 0.2, "fault": "error"}]));
            plan.seed = seed;
            let faults = Faults::default();
            faults.replace(Some(plan));
            (0..1000).map(|_| faults.strike(&Method::GET, "/v1.0/users").is_some()).collect()
        };
        assert_eq!(strikes(1), strikes(1));
        assert_ne!(strikes(1), strikes(2));
        let struck = strikes(3).into_iter().filter(|struck| *struck).count();
        assert!((150..250).contains(&struck), "{struck}");
    }

    #[tokio::test]
    async fn each_family_is_throttled_in_its_own_words() {
        let bench = under(&json!([
            {"path": "/v1", "rate": 1, "fault": "throttle", "retryAfter": 2.128},
        ]));
        let graph = bench.get("/v1.0/users").await;
        assert_eq!(
            (graph.status.as_u16(), &graph.headers["retry-after"]),
            (429, &HeaderValue::from_static("2.128"))
        );
        assert_eq!(graph.body["error"]["innerError"]["status"], json!("429"));
        let center = bench.get("/v1/customers").await;
        assert_eq!(center.body["statusCode"], json!(429));
    }

    #[tokio::test]
    async fn bodies_are_cut_marked_and_slow() {
        let bench = under(&json!([
            {"path": "/v1/profiles/billing", "rate": 1, "fault": "malformed"},
            {"path": "/v1/profiles/support", "rate": 1, "fault": "bom"},
            {"path": "/v1/profiles/mpn", "rate": 1, "fault": "slow-body", "ms": 4},
            {"path": "/v1/profiles/legalbusiness", "rate": 1, "fault": "expired-token"},
        ]));
        assert_eq!(bench.get("/v1/profiles/billing").await.body, Value::Null);
        assert!(bench.get("/v1/profiles/support").await.text.starts_with("\u{feff}{"));
        assert!(bench.get("/v1/profiles/mpn").await.body.is_object());
        assert_eq!(bench.get("/v1/profiles/legalbusiness").await.status, 401);
    }

    #[tokio::test]
    async fn a_dropped_request_has_its_effect_or_not() {
        for (fault, done) in [("drop-before", false), ("drop-after", true)] {
            let bench = under(&json!([{"method": "PUT", "rate": 1, "fault": fault}]));
            let mut profile = bench.get("/v1/profiles/support").await.body;
            profile["website"] = json!("https://help.fabrikam.example");
            let request =
                bench.request(As::User, "PUT", "/v1/profiles/support", &[], profile).await;
            let answer = tower::ServiceExt::oneshot(bench.emulator.service(), request).await;
            assert!(answer.is_err());
            let seen = bench.get("/v1/profiles/support").await.body;
            assert_eq!(seen["website"] == json!("https://help.fabrikam.example"), done, "{fault}");
        }
    }
}
