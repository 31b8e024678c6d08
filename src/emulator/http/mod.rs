//! The way of a request: layers, and the list of families.

pub(crate) mod authenticate;
pub(crate) mod ids;
pub(crate) mod log;
pub(crate) mod origin;
mod render;
mod tidy;

use axum::Router;
use axum::middleware::from_fn_with_state;
use http::StatusCode;
use tower::ServiceExt;

use super::world::World;
use super::{center, console, faults, graph, identity};

/// All families behind all layers.
pub(crate) fn router(world: World) -> Router {
    let families = Router::new()
        .nest("/v1", center(&world))
        .nest("/v1.0", graph(&world))
        .merge(identity(&world))
        .merge(console::routes())
        .layer(from_fn_with_state(world.clone(), log::layer))
        .with_state(world);
    Router::new().fallback_service(families.map_request(tidy::tidy))
}

fn center(world: &World) -> Router<World> {
    center::routes()
        .fallback(nothing)
        .layer(from_fn_with_state(world.clone(), authenticate::center))
        .layer(from_fn_with_state(world.clone(), faults::center))
        .layer(from_fn_with_state(world.clone(), render::center))
}

fn identity(world: &World) -> Router<World> {
    identity::routes().layer(from_fn_with_state(world.clone(), faults::identity))
}

/// Graph as requests reach it, behind the log: what items of a `$batch` are sent to, each marked as
/// one ([`faults::BatchItem`]) so that a fault ends no connection that it has not got.
pub(crate) fn graph(world: &World) -> Router<World> {
    graph::routes()
        .fallback(nothing)
        .layer(from_fn_with_state(world.clone(), authenticate::graph))
        .layer(from_fn_with_state(world.clone(), faults::graph))
        .layer(from_fn_with_state(world.clone(), render::graph))
}

/// What nobody serves is refused by its family, after it is known who asks.
async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}
