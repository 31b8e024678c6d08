//! Partner Center: customers, partnerships, the account itself, and what was audited.
//!
//! What is sent stands in [`body`], strict; what comes stands in `wire`, lenient. Questions are
//! functions over the reading end of a line.

pub(super) mod account;
pub(super) mod audit;
pub mod body;
pub(super) mod customers;
pub(super) mod page;
pub(super) mod wire;
