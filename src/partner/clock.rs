//! The clock of whoever talks to a tenant: what time it is, how long something took, how to wait.
//!
//! Tokens expire and limits are per minute, so the wire client truly needs one. It is a value that is
//! handed in: tests hand in one that counts in tokio's own time, which can be paused.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Reads time and waits.
#[derive(Clone, Copy)]
pub struct Clock {
    started: Instant,
    /// Where the wall clock stood at the start, for a clock that only counts.
    fixed: Option<Timestamp>,
}

impl Clock {
    /// The machine's own.
    pub fn system() -> Self {
        Self { started: Instant::now(), fixed: None }
    }

    /// A clock that says `from` now and counts from there.
    pub fn counting_from(from: Timestamp) -> Self {
        Self { started: Instant::now(), fixed: Some(from) }
    }

    /// The time of day, as far as this machine knows.
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "token assertions carry the time of day")]
        self.fixed.map_or_else(Timestamp::now, |from| {
            jiff::SignedDuration::try_from(self.elapsed())
                .ok()
                .and_then(|elapsed| from.checked_add(elapsed).ok())
                .unwrap_or(from)
        })
    }

    /// How long this clock has been running: never goes back, whatever happens to the time of day.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("fixed", &self.fixed).finish_non_exhaustive()
    }
}
