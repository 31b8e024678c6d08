//! What was asked and what was answered: read over `/_emulator/log` and by tests.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::DATE;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::ids::RequestIds;
use crate::emulator::clock;
use crate::emulator::faults::Struck;
use crate::emulator::store::StoreError;
use crate::emulator::world::World;

/// One request. Neither headers nor bodies: they hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub at: String,
    pub method: String,
    /// With its query.
    pub path: String,
    pub status: u16,
    pub request_id: String,
    /// What went wrong on purpose.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<String>,
    /// What a `$batch` was made of.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub items: Vec<Item>,
}

/// One request within a `$batch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub id: String,
    pub method: String,
    pub path: String,
    pub status: u16,
}

/// Put into a response by whoever answers a `$batch`.
#[derive(Debug, Clone)]
pub(crate) struct BatchItems(pub Vec<Item>);

/// The outermost layer: gives a request its ids, and keeps what became of it.
pub(crate) async fn layer(
    State(world): State<World>,
    mut request: Request,
    next: Next,
) -> Response {
    let Ok(now) = world.store().read(|tx| Ok::<_, StoreError>(tx.now())) else {
        return failed();
    };
    let ids = RequestIds::of(request.headers(), now);
    request.extensions_mut().insert(ids.clone());
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let mut response = next.run(request).await;
    if let Ok(date) = HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    {
        response.headers_mut().insert(DATE, date);
    }
    if !is_kept(&path) {
        return response;
    }
    let items = response.extensions_mut().remove::<BatchItems>();
    let entry = Entry {
        at: clock::stamp(now),
        method,
        path,
        status: response.status().as_u16(),
        request_id: ids.request,
        fault: response.extensions().get::<Struck>().map(|struck| struck.0.clone()),
        items: items.map(|items| items.0).unwrap_or_default(),
    };
    match keep(&world, &entry) {
        Ok(()) => response,
        Err(error) => {
            tracing::error!(%error, "the log");
            failed()
        }
    }
}

/// Looking at the emulator is not a request to the tenant.
fn is_kept(path: &str) -> bool {
    !path.starts_with("/_emulator") && path != "/"
}

fn keep(world: &World, entry: &Entry) -> Result<(), StoreError> {
    let text = serde_json::to_string(entry)
        .map_err(|source| StoreError::Body { kind: "log entry", source })?;
    world.store().write(|tx| tx.log_entry(&text))
}

fn failed() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// All requests after a number, oldest first, with their numbers.
pub(crate) fn entries(world: &World, after: i64) -> Result<Vec<(i64, Entry)>, StoreError> {
    let lines = world.store().read(|tx| tx.log(after))?;
    lines
        .into_iter()
        .map(|(seq, text)| {
            let entry = serde_json::from_str(&text)
                .map_err(|source| StoreError::Body { kind: "log entry", source })?;
            Ok((seq, entry))
        })
        .collect()
}
