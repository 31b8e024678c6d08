//! The tenant over HTTP: Partner Center and Microsoft Graph, as its own clients would ask them.
//!
//! From below: a [`transport`] carries bytes; [`auth`] finds tokens; `pace` and `retry` decide when
//! and whether; a `line` puts these together and has two ends, one that can only read. On it stand the
//! services, `center` and `graph`, with strict bodies for what is sent and lenient ones for what comes.
//! On top are the [`Reader`], which observes a whole tenant as a [`snapshot`], and the [`Writer`], the
//! one type that can change anything.
//!
//! What the service really does is written in no single place. So facts that nobody verified are
//! never assumed here: what comes is read leniently, and what is sent is what every document agrees on.

pub mod auth;
pub mod center;
pub mod clock;
pub mod error;
pub mod graph;
mod json;
mod line;
mod observe;
pub mod pace;
pub mod read;
pub mod request;
pub mod retry;
pub mod snapshot;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod transport;
pub mod write;

pub use error::{Error, Reason, Refusal};
pub use line::Connection;
pub use read::Reader;
pub use snapshot::Snapshot;
pub use write::Writer;
