//! Finds out who calls, or refuses in the words of the service that is called.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;

use super::ids::RequestIds;
use crate::emulator::caller::{Audience, Caller, Who};
use crate::emulator::error::{CenterError, GraphError};
use crate::emulator::identity::token::{self, Refused};
use crate::emulator::world::World;

/// Lets requests with a token for Graph through. Items of a `$batch` bring their caller along.
pub(super) async fn graph(
    State(world): State<World>,
    ids: RequestIds,
    mut request: Request,
    next: Next,
) -> Response {
    if request.extensions().get::<Caller>().is_some() {
        return next.run(request).await;
    }
    let caller = match bearer(&request).map(|token| token::read(&world, token, ids.at)) {
        None => Err(GraphError::unauthorized("Access token is empty.")),
        Some(Err(Refused::Store(error))) => Err(error.into()),
        Some(Err(Refused::Expired)) => {
            Err(GraphError::unauthorized("Access token has expired or is not yet valid."))
        }
        Some(Err(Refused::Invalid)) => {
            Err(GraphError::unauthorized("Access token validation failure."))
        }
        Some(Ok(caller)) if caller.audience != Audience::Graph => {
            Err(GraphError::unauthorized("Access token validation failure. Invalid audience."))
        }
        Some(Ok(caller)) => Ok(caller),
    };
    match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Lets requests with a token for Partner Center through; a user's must have a second factor.
pub(super) async fn center(
    State(world): State<World>,
    ids: RequestIds,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match bearer(&request).map(|token| token::read(&world, token, ids.at)) {
        None => Err(CenterError::unauthorized(800_001, "The partner token is missing.")),
        Some(Err(Refused::Store(error))) => Err(error.into()),
        Some(Err(Refused::Expired | Refused::Invalid)) => {
            Err(CenterError::unauthorized(400, "Access denied."))
        }
        Some(Ok(caller)) if caller.audience != Audience::PartnerCenter => {
            Err(CenterError::unauthorized(400, "Access denied."))
        }
        Some(Ok(Caller { who: Who::User { mfa: false, .. }, .. })) => {
            Err(CenterError::mfa_required())
        }
        Some(Ok(caller)) => Ok(caller),
    };
    match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
