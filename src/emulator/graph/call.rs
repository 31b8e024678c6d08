//! One request, as the handlers of this family see it, and the answers they give.

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_MATCH, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::query::{self, Query};
use crate::emulator::caller::Caller;
use crate::emulator::error::GraphError;
use crate::emulator::http::origin::{FullPath, Origin};
use crate::emulator::store::{Read, Write};
use crate::emulator::world::World;

/// What a handler returns.
pub(super) type Answer = Result<Response, GraphError>;

/// No body of this service is longer.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// A request with a caller, read whole.
pub(super) struct Call {
    pub world: World,
    pub caller: Caller,
    pub headers: HeaderMap,
    origin: Origin,
    path: String,
    raw_query: String,
    body: Bytes,
}

impl FromRequest<World> for Call {
    type Rejection = GraphError;

    async fn from_request(request: Request, world: &World) -> Result<Self, GraphError> {
        let (parts, body) = request.into_parts();
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| GraphError::unauthorized("Access token is empty."))?;
        let origin = parts.extensions.get::<Origin>().cloned();
        let path = parts.extensions.get::<FullPath>().map(|path| path.0.clone());
        let body = axum::body::to_bytes(body, BODY_MAX)
            .await
            .map_err(|_| GraphError::bad_request("The request body is too large."))?;
        Ok(Self {
            world: world.clone(),
            caller,
            origin: origin.unwrap_or_else(|| Origin::of(&parts)),
            path: path.unwrap_or_else(|| format!("/v1.0{}", parts.uri.path())),
            raw_query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
        })
    }
}

impl Call {
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, GraphError>,
    ) -> Result<T, GraphError> {
        self.world.store().read(work)
    }

    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<T, GraphError>,
    ) -> Result<T, GraphError> {
        self.world.store().write(work)
    }

    /// The query options, of which the given ones are understood here.
    pub(super) fn query(&self, understood: &[&str]) -> Result<Query, GraphError> {
        query::parse(&self.raw_query, understood, self.is_eventual())
    }

    /// Whether the caller takes what an index says, which lags.
    pub(super) fn is_eventual(&self) -> bool {
        let level = self.headers.get("consistencylevel").and_then(|value| value.to_str().ok());
        level.is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }

    pub(super) fn prefers(&self, preference: &str) -> bool {
        let values = self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| one.trim() == preference)
    }

    pub(super) fn if_match(&self) -> Option<&str> {
        self.headers.get(IF_MATCH)?.to_str().ok().map(str::trim)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body, an object. Annotations such as `@odata.type` are left out.
    pub(super) fn object(&self) -> Result<Map<String, Value>, GraphError> {
        let unreadable = || {
            let message = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.";
            GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message)
        };
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json")) {
            return Err(unreadable());
        }
        let mut object: Map<String, Value> =
            serde_json::from_slice(&self.body).map_err(|_| unreadable())?;
        object.retain(|name, _| {
            name == "@odata.id" || name.ends_with("@odata.bind") || !name.contains("@odata.")
        });
        Ok(object)
    }

    /// An address within this service, by the origin that the request came by.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/v1.0{path}", self.origin.0)
    }

    /// The address of metadata that a body's shape is described at.
    pub(super) fn context(&self, fragment: &str) -> String {
        self.url(&format!("/$metadata#{fragment}"))
    }

    /// The address of this request with another token for where to go on.
    pub(super) fn link(&self, token_name: &str, token: &str) -> String {
        let others = self.raw_query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
            let name = name.trim_start_matches("%24").trim_start_matches('$');
            !pair.is_empty() && !matches!(name, "skiptoken" | "deltatoken")
        });
        let mut query: Vec<String> = others.map(str::to_owned).collect();
        query.push(format!("${token_name}={token}"));
        format!("{}{}?{}", self.origin.0, self.path, query.join("&"))
    }
}

/// 200 with a body.
pub(super) fn ok(body: Map<String, Value>) -> Response {
    Json(Value::Object(body)).into_response()
}

/// 201 with a body, and where it is.
pub(super) fn created(location: &str, body: Map<String, Value>) -> Response {
    with_header(
        (StatusCode::CREATED, Json(Value::Object(body))).into_response(),
        LOCATION,
        location,
    )
}

pub(super) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

pub(super) fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// An object with its members in a row: annotations first.
pub(super) fn annotated(
    annotations: impl IntoIterator<Item = (&'static str, String)>,
    object: Map<String, Value>,
) -> Map<String, Value> {
    let mut all: Map<String, Value> =
        annotations.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    all.extend(object);
    all
}
