//! Microsoft Graph v1.0.

pub(crate) mod directory;
pub(crate) mod gdap;
pub(crate) mod roles;

use axum::Router;

use super::world::World;

pub(crate) fn routes() -> Router<World> {
    Router::new()
}
