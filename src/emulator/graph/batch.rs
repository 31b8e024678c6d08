//! `$batch`: up to twenty requests in one, each answered on its own.
//!
//! Items go through the same router, faults included, with the caller of the whole. Answers come in
//! the opposite order, because no client may count on one.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER};
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::call::{Answer, Call, ok};
use crate::emulator::error::GraphError;
use crate::emulator::faults::BatchItem;
use crate::emulator::http::graph;
use crate::emulator::http::ids::RequestIds;
use crate::emulator::http::log::{BatchItems, Item as LogItem};
use crate::emulator::http::origin::{FullPath, Origin};
use crate::emulator::world::World;

const ITEMS_MAX: usize = 20;

pub(super) fn routes() -> Router<World> {
    Router::new().route("/$batch", post(run))
}

#[derive(Debug, Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

/// One request. Members that nobody documented are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Option<Vec<String>>,
}

async fn run(State(world): State<World>, ids: RequestIds, origin: Origin, call: Call) -> Answer {
    let batch: Batch = serde_json::from_slice(call.bytes())
        .map_err(|_| malformed("Invalid batch payload format."))?;
    check(&batch.requests)?;
    let mut statuses: BTreeMap<String, StatusCode> = BTreeMap::new();
    let mut responses = Vec::new();
    let mut log = Vec::new();
    for item in &batch.requests {
        let causes = item.depends_on.iter().flatten();
        let has_failed_cause = causes
            .filter_map(|id| statuses.get(id))
            .any(|status| status.is_client_error() || status.is_server_error());
        let (status, answer) = if has_failed_cause {
            let error = GraphError::new(
                StatusCode::FAILED_DEPENDENCY,
                "FailedDependency",
                "A request that this one depends on has failed.",
            );
            refused(item, &error, &ids)
        } else {
            match request(item, &call, &ids, &origin) {
                Ok(request) => answered(item, send(&world, request).await?).await?,
                Err(error) => refused(item, &error, &ids),
            }
        };
        statuses.insert(item.id.clone(), status);
        log.push(LogItem {
            id: item.id.clone(),
            method: item.method.to_uppercase(),
            path: item.url.clone(),
            status: status.as_u16(),
        });
        responses.push(answer);
    }
    responses.reverse();
    let mut body = Map::new();
    body.insert("responses".to_owned(), Value::Array(responses));
    let mut response = ok(body);
    response.extensions_mut().insert(BatchItems(log));
    Ok(response)
}

fn malformed(message: &str) -> GraphError {
    GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message)
}

/// What makes the whole batch impossible.
fn check(items: &[Item]) -> Result<(), GraphError> {
    if items.is_empty() {
        return Err(malformed("The batch request must contain at least one request."));
    }
    if items.len() > ITEMS_MAX {
        return Err(malformed("Number of batch request steps exceeds the maximum value of 20."));
    }
    let mut before: Vec<&str> = Vec::new();
    for item in items {
        if item.id.is_empty() || before.contains(&item.id.as_str()) {
            return Err(malformed("Each request of a batch needs an id of its own."));
        }
        if !item.depends_on.iter().flatten().all(|id| before.contains(&id.as_str())) {
            return Err(malformed("A request may depend on earlier requests of its batch only."));
        }
        before.push(&item.id);
    }
    Ok(())
}

/// The request that an item means.
fn request(
    item: &Item,
    call: &Call,
    ids: &RequestIds,
    origin: &Origin,
) -> Result<Request<Body>, GraphError> {
    let method: Method =
        item.method.to_uppercase().parse().map_err(|_| malformed("Invalid batch method."))?;
    let path = format!("/{}", item.url.trim_start_matches('/'));
    if item.url.contains("://") || path.starts_with("/v1.0/") || path.starts_with("/beta/") {
        return Err(malformed("The url of a batch request must be relative to the version."));
    }
    if path.starts_with("/$batch") {
        return Err(malformed("A batch cannot contain a batch."));
    }
    let mut request = Request::builder().method(method).uri(path.replace(' ', "%20"));
    let headers = item.headers.iter().flatten();
    for (name, value) in headers.filter(|(name, _)| !name.eq_ignore_ascii_case("authorization")) {
        request = request.header(name, value);
    }
    request = request.header(HOST, origin.0.split("://").last().unwrap_or_default());
    let body = match &item.body {
        None | Some(Value::Null) => Body::empty(),
        Some(body) => {
            let names = item.headers.iter().flatten().map(|(name, _)| name);
            if !names.into_iter().any(|name| name.eq_ignore_ascii_case("content-type")) {
                return Err(malformed("A batch request with a body needs a Content-Type header."));
            }
            Body::from(body.to_string())
        }
    };
    let mut request =
        request.body(body).map_err(|_| malformed("The url or a header is malformed."))?;
    let full_path = format!("/v1.0{}", request.uri().path());
    let extensions = request.extensions_mut();
    extensions.insert(call.caller.clone());
    extensions.insert(ids.clone());
    extensions.insert(origin.clone());
    extensions.insert(FullPath(full_path));
    extensions.insert(BatchItem);
    Ok(request)
}

async fn send(world: &World, request: Request<Body>) -> Result<Response<Body>, GraphError> {
    let router = graph(world).with_state(world.clone());
    router.oneshot(request).await.map_err(|never| match never {})
}

/// An answer as an item of the batch's answer.
async fn answered(
    item: &Item,
    response: Response<Body>,
) -> Result<(StatusCode, Value), GraphError> {
    let (parts, body) = response.into_parts();
    let bytes: Bytes =
        body.collect().await.map_err(|_| malformed("The item was lost."))?.to_bytes();
    let body: Option<Value> = serde_json::from_slice(&bytes).ok();
    let mut headers = Map::new();
    if body.is_some() {
        headers.insert("Content-Type".to_owned(), "application/json".into());
    } else if let Some(kind) = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
        headers.insert("Content-Type".to_owned(), kind.into());
    }
    let told: [(HeaderName, &str); 3] = [
        (LOCATION, "Location"),
        (RETRY_AFTER, "Retry-After"),
        (HeaderName::from_static("preference-applied"), "Preference-Applied"),
    ];
    for (name, written) in told {
        if let Some(value) = parts.headers.get(name).and_then(|value| value.to_str().ok()) {
            headers.insert(written.to_owned(), value.into());
        }
    }
    let mut answer = json!({"id": item.id, "status": parts.status.as_u16(), "headers": headers});
    let text = || (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into());
    if let (Some(body), Some(answer)) = (body.or_else(text), answer.as_object_mut()) {
        answer.insert("body".to_owned(), body);
    }
    Ok((parts.status, answer))
}

fn refused(item: &Item, error: &GraphError, ids: &RequestIds) -> (StatusCode, Value) {
    let answer = json!({
        "id": item.id,
        "status": error.status.as_u16(),
        "headers": {"Content-Type": "application/json"},
        "body": error.body(ids),
    });
    (error.status, answer)
}
