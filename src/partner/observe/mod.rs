//! Observing a whole tenant: in bulk, in parallel, with as few calls as there can be.
//!
//! `full` reads everything that a scope asks for. `since` begins with an earlier snapshot and reads
//! what moved: the directory says so by its deltas, Partner Center by its audit records. What neither
//! can show is either read again or listed as not seen.

mod account;
mod customers;
mod delegated;
mod directory;
mod full;
mod since;

pub(super) use full::full;
pub(super) use since::since;

/// How many objects are asked about at once; the limiter may let fewer through.
const AT_ONCE: usize = 16;
