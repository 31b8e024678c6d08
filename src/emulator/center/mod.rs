//! Partner Center v1.

use axum::Router;

use super::world::World;

pub(crate) fn routes() -> Router<World> {
    Router::new()
}
