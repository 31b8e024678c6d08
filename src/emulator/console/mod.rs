//! The other side of the table: what people and the weather do.
//!
//! `/_emulator/...` for commands and tests, from this machine alone; pages for people in [`pages`].

mod pages;
mod remote;

use axum::Router;

use super::world::World;

pub(crate) use pages::invitation_link;

pub(crate) fn routes() -> Router<World> {
    Router::new().nest("/_emulator", remote::routes()).merge(pages::routes())
}
