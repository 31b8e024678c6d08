//! How bytes reach the tenant: over the network, or into a service within this process.
//!
//! A transport sends one request and hands back what came; it knows nothing of tokens, limits or
//! repeats. What it does say is whether a request that got no answer can have arrived.

mod inside;
mod network;

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub use inside::Inside;
pub use network::{Network, REQUEST_TIMEOUT};

/// The most that an answer may hold. The largest honest one, 500 customers with all their links,
/// has less than a megabyte.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Sends a request, once.
pub trait Transport: Send + Sync + fmt::Debug {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Lost>>;
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub arrival: Arrival,
    /// What happened, without addresses or headers.
    pub cause: String,
}

/// Whether a request can have had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It never left: no connection came about.
    No,
    /// It left, and only the answer is known to be missing.
    Possible,
}

impl Lost {
    pub fn never_sent(cause: impl fmt::Display) -> Self {
        Self { arrival: Arrival::No, cause: cause.to_string() }
    }

    pub fn on_the_way(cause: impl fmt::Display) -> Self {
        Self { arrival: Arrival::Possible, cause: cause.to_string() }
    }
}
