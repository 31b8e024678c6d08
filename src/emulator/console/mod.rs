//! The other side of the table: what people and the weather do.

use axum::Router;
use axum::routing::get;

use super::world::World;

pub(crate) fn routes() -> Router<World> {
    Router::new().route("/_emulator/health", get(|| async { "ok" }))
}
