//! Microsoft Graph v1.0.

use axum::Router;

use super::world::World;

pub(crate) fn routes() -> Router<World> {
    Router::new()
}
