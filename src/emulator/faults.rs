//! The weather: what goes wrong on purpose, by seed, so that it goes wrong the same way again.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::store::{Read, StoreError};
use super::world::World;

/// Which faults strike.
#[derive(Debug, Default)]
pub(crate) struct Faults {}

/// Put into a response that a fault has changed: its name, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Struck(pub String);

impl Faults {
    pub(crate) fn of(_: &Read<'_>) -> Result<Self, StoreError> {
        Ok(Self::default())
    }
}

pub(crate) async fn layer(State(world): State<World>, request: Request, next: Next) -> Response {
    let _ = world.faults();
    next.run(request).await
}
