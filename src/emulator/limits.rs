//! How many requests a minute allows.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

const WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// The requests of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<VecDeque<Timestamp>>);

impl Limiter {
    /// Counts a request, or says in how many seconds there is room for one. No limit is 0.
    pub(crate) fn admit(&self, limit: u32, now: Timestamp) -> Result<(), i64> {
        if limit == 0 {
            return Ok(());
        }
        let mut admitted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while admitted.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            admitted.pop_front();
        }
        let Some(first) = admitted.front().filter(|_| admitted.len() >= limit as usize) else {
            admitted.push_back(now);
            return Ok(());
        };
        let wait = WINDOW.saturating_sub(now.duration_since(*first));
        Err(wait.as_secs() + i64::from(wait.subsec_nanos() > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_holds_so_many_and_says_when_there_is_room() {
        let limiter = Limiter::default();
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert_eq!(limiter.admit(2, at(0)), Ok(()));
        assert_eq!(limiter.admit(2, at(10)), Ok(()));
        assert_eq!(limiter.admit(2, at(20)), Err(40));
        assert_eq!(limiter.admit(2, at(60)), Ok(()));
        assert_eq!(limiter.admit(2, at(61)), Err(9));
    }
}
