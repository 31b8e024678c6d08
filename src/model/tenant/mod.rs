//! The tenant as it was observed in one run, as plain values.
//!
//! Nothing here is a wire type: how a thing was read does not show. What a thing *is* stays: roles,
//! states and kinds that we do not know are kept by name, and what could not be seen is listed in
//! [`Snapshot::blind`], so that nobody takes "not seen" for "not there".

mod index;
mod scope;
mod types;

pub use index::{Index, agent_level};
pub use scope::{CustomerRef, Delegated, Details, GroupRef, Profiles, Scope};
pub use types::*;
