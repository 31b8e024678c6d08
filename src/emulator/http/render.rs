//! Writes refusals in the words of each service, and adds the headers that every answer has.

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;
use uuid::Uuid;

use super::ids::RequestIds;
use crate::emulator::error::{CenterError, GraphError, Shape};
use crate::emulator::world::World;

/// Graph's refusals and headers.
pub(super) async fn graph(ids: RequestIds, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.extensions().get::<GraphError>().is_none() {
        response = unrouted(response, |status| {
            let message = if status == StatusCode::NOT_FOUND {
                "Resource not found for the segment."
            } else {
                "The request cannot be served."
            };
            GraphError::new(status, "BadRequest", message).into_response()
        });
    }
    if let Some(error) = response.extensions().get::<GraphError>().cloned() {
        let mut written = (error.status, Json(error.body(&ids))).into_response();
        if error.status == StatusCode::UNAUTHORIZED {
            set(written.headers_mut(), WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
        }
        if let Some(seconds) = &error.retry_after {
            set(written.headers_mut(), RETRY_AFTER, seconds);
        }
        response = over(response, written);
    }
    let headers = response.headers_mut();
    set(headers, HeaderName::from_static("request-id"), &ids.request);
    set(headers, HeaderName::from_static("client-request-id"), &ids.client);
    response
}

/// Partner Center's refusals and headers.
pub(super) async fn center(
    State(world): State<World>,
    ids: RequestIds,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let quirks = world.quirks();
    if response.extensions().get::<CenterError>().is_none() {
        response = unrouted(response, |status| {
            if status == StatusCode::NOT_FOUND {
                CenterError::not_found("Resource not found.").into_response()
            } else {
                let shape = Shape::Empty { reason: None };
                CenterError { status, shape, retry_after: None }.into_response()
            }
        });
    }
    if let Some(error) = response.extensions().get::<CenterError>().cloned() {
        let mut written = match error.body(quirks.codes) {
            Some(body) => (error.status, Json(body)).into_response(),
            None => error.status.into_response(),
        };
        if let Shape::Empty { reason: Some(reason) } = error.shape {
            written.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
        }
        if error.status == StatusCode::UNAUTHORIZED {
            set(written.headers_mut(), WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
        }
        if let Some(seconds) = &error.retry_after {
            set(written.headers_mut(), RETRY_AFTER, seconds);
        }
        response = over(response, written);
    }
    let headers = response.headers_mut();
    if headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
        set(headers, CONTENT_TYPE, "application/json; charset=utf-8");
    }
    let request_id = if quirks.other_request_id {
        Uuid::from_u128(rand::random()).to_string()
    } else {
        ids.request
    };
    set(headers, HeaderName::from_static("ms-requestid"), &request_id);
    set(headers, HeaderName::from_static("ms-correlationid"), &ids.correlation);
    set(headers, HeaderName::from_static("ms-cv"), "emulator.0");
    set(headers, HeaderName::from_static("ms-serverid"), "emulator");
    response
}

/// An answer of the router itself, which has no words: `error` finds some.
fn unrouted(response: Response, error: impl Fn(StatusCode) -> Response) -> Response {
    let status = response.status();
    let is_plain = !response.headers().contains_key(CONTENT_TYPE);
    let is_ours = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    if is_ours && is_plain { over(response, error(status)) } else { response }
}

/// The second answer, with what only the first one's extensions and headers say.
fn over(first: Response, mut second: Response) -> Response {
    let (parts, _) = first.into_parts();
    for (name, value) in &parts.headers {
        if !second.headers().contains_key(name) && name != http::header::CONTENT_LENGTH {
            second.headers_mut().insert(name, value.clone());
        }
    }
    let mut extensions = parts.extensions;
    extensions.remove::<GraphError>();
    extensions.remove::<CenterError>();
    extensions.extend(std::mem::take(second.extensions_mut()));
    *second.extensions_mut() = extensions;
    second
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
