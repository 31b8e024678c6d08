//! Reads that lag behind writes, and pages that shift while they are read.
//!
//! Both belong to a request, not to the store: whoever lets a fault strike runs the request within
//! [`with_lag`], and each read that it makes sees the tenant so. Changes always see it as it is.

use jiff::SignedDuration;

/// How a request's reads differ from the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lag {
    /// What was written so recently is not seen yet.
    pub behind: Option<SignedDuration>,
    /// A page that follows another begins with the last item of that one.
    pub shifted: bool,
}

tokio::task_local! {
    static LAG: Lag;
}

/// Runs a request whose reads lag.
pub(crate) async fn with_lag<T>(lag: Lag, request: impl Future<Output = T>) -> T {
    LAG.scope(lag, request).await
}

/// How the reads of the running request lag.
pub(super) fn current() -> Lag {
    LAG.try_with(|lag| *lag).unwrap_or_default()
}
