//! Microsoft Graph: our directory, and delegated access.
//!
//! What is sent stands in [`body`], strict; what comes stands in `wire`, lenient. Questions are
//! functions over the reading end of a line.

pub(super) mod batch;
pub mod body;
pub(super) mod delegation;
pub(super) mod delta;
pub(super) mod directory;
pub(super) mod page;
pub(super) mod roles;
pub(super) mod wire;
