//! Microsoft Graph v1.0: the directory and delegated access, as clients see them.
//!
//! A request is read into a [`call::Call`]; a handler asks whether its caller may ([`rights`]), looks
//! at the store in one transaction and answers. Collections are paged by the store's keys ([`list`]),
//! with query options read strictly ([`query`], [`filter`]): what is not understood is refused rather
//! than ignored. What a body may hold stands in tables ([`property`]). Nothing here lags or fails on
//! purpose: that is the faults' part.
//!
//! Dynamic groups keep their rule and refuse changes of their members; the rule is not evaluated.

mod batch;
mod call;
mod delta;
pub(crate) mod directory;
mod filter;
pub(crate) mod gdap;
mod groups;
mod list;
mod members;
mod objects;
mod principals;
mod property;
mod query;
mod rights;
pub(crate) mod roles;
mod users;

use axum::Router;

use super::world::World;

pub(crate) fn routes() -> Router<World> {
    Router::new()
        .merge(users::routes())
        .merge(groups::routes())
        .merge(members::routes())
        .merge(objects::routes())
        .merge(principals::routes())
        .merge(roles::routes())
        .merge(gdap::routes())
        .merge(delta::routes())
        .merge(batch::routes())
}

#[cfg(test)]
mod tests;
