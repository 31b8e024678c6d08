//! Whether a request is sent again, and when: a function of what it is and what came of it.
//!
//! Sent again is only what is safe to send again. A request that was throttled was not carried out, so
//! anything throttled may go again; the limiter does the waiting.

use std::time::Duration;

use super::request::Repeat;
use super::transport::Arrival;

/// How long is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// Attempts in all, for requests that failed.
    pub attempts_max: u32,
    /// Refusals for being one too many.
    pub throttles_max: u32,
    /// Before the second attempt; doubled before each further one.
    pub first_wait: Duration,
    pub wait_max: Duration,
    /// Whoever says to come back later than this is told on.
    pub retry_after_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts_max: 9,
            throttles_max: 20,
            first_wait: Duration::from_millis(250),
            wait_max: Duration::from_secs(15),
            retry_after_max: Duration::from_mins(15),
        }
    }
}

/// So many refusals of a token in a row are believed.
const UNAUTHORIZED_MAX: u32 = 5;

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// An answer with a status, and perhaps a wait.
    Status(u16, Option<Duration>),
    /// A success whose body is no JSON, or not the JSON it should be.
    Unreadable,
    Lost(Arrival),
}

/// What happened to a request so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct History {
    pub(super) attempts: u32,
    pub(super) throttles: u32,
    pub(super) has_renewed: bool,
    /// In a row.
    pub(super) unauthorized: u32,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With a new token, at once.
    Renew,
    /// When the limiter lets it.
    Yield,
    /// After a while.
    Wait(Duration),
    Stop,
}

/// What to do after an attempt that was no success. `history` counts that attempt already.
pub(super) fn next(repeat: Repeat, seen: Seen, history: History, patience: &Patience) -> Next {
    let is_safe = repeat != Repeat::Never;
    let wait = |at_least: Option<Duration>| {
        if history.attempts >= patience.attempts_max {
            return Next::Stop;
        }
        let doubled =
            patience.first_wait.saturating_mul(1 << (history.attempts.max(1) - 1).min(16));
        Next::Wait(doubled.min(patience.wait_max).max(at_least.unwrap_or_default()))
    };
    match seen {
        Seen::Status(401, _) if !history.has_renewed => Next::Renew,
        // A new token may be refused for a moment where it is not known yet.
        Seen::Status(401, _) if is_safe && history.unauthorized < UNAUTHORIZED_MAX => wait(None),
        Seen::Status(429, _) if history.throttles > patience.throttles_max => Next::Stop,
        Seen::Status(429 | 503, Some(after)) if after > patience.retry_after_max => Next::Stop,
        Seen::Status(429, _) => Next::Yield,
        Seen::Status(500 | 502 | 503 | 504 | 509 | 408, after) if is_safe => wait(after),
        Seen::Lost(Arrival::No) => wait(None),
        Seen::Lost(Arrival::Possible) | Seen::Unreadable if is_safe => wait(None),
        Seen::Status(..) | Seen::Lost(_) | Seen::Unreadable => Next::Stop,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn after(repeat: Repeat, seen: Seen, attempts: u32) -> Next {
        let history = History { attempts, throttles: 0, has_renewed: true, unauthorized: attempts };
        next(repeat, seen, history, &Patience::default())
    }

    #[test]
    fn what_may_have_happened_is_sent_again_only_where_twice_is_as_good_as_once() {
        let open = [
            Seen::Lost(Arrival::Possible),
            Seen::Unreadable,
            Seen::Status(500, None),
            Seen::Status(502, None),
            Seen::Status(503, Some(Duration::from_secs(1))),
            Seen::Status(504, None),
        ];
        for seen in open {
            assert_eq!(after(Repeat::Never, seen, 1), Next::Stop, "{seen:?}");
            for repeat in [Repeat::Freely, Repeat::WithKey(Uuid::nil())] {
                assert!(matches!(after(repeat, seen, 1), Next::Wait(_)), "{seen:?}");
                assert_eq!(after(repeat, seen, 9), Next::Stop, "{seen:?}");
            }
        }
    }

    #[test]
    fn what_certainly_did_not_happen_is_always_sent_again() {
        for repeat in [Repeat::Never, Repeat::Freely] {
            assert_eq!(after(repeat, Seen::Status(429, None), 1), Next::Yield);
            assert!(matches!(after(repeat, Seen::Lost(Arrival::No), 1), Next::Wait(_)));
        }
    }

    #[test]
    fn refusals_stand() {
        for status in [400, 403, 404, 405, 409, 410, 412, 422, 501, 301] {
            assert_eq!(
                after(Repeat::Freely, Seen::Status(status, None), 1),
                Next::Stop,
                "{status}"
            );
        }
    }

    #[test]
    fn a_token_is_renewed_once() {
        let fresh = History { attempts: 1, ..History::default() };
        let seen = Seen::Status(401, None);
        assert_eq!(next(Repeat::Never, seen, fresh, &Patience::default()), Next::Renew);
        assert_eq!(after(Repeat::Never, seen, 2), Next::Stop);
        assert!(matches!(after(Repeat::Freely, seen, 2), Next::Wait(_)));
        assert_eq!(after(Repeat::Freely, seen, 5), Next::Stop);
    }

    #[test]
    fn patience_ends() {
        let patience = Patience::default();
        let long = Seen::Status(429, Some(patience.retry_after_max + Duration::from_secs(1)));
        assert_eq!(after(Repeat::Freely, long, 1), Next::Stop);
        let history = History { attempts: 30, throttles: 21, ..History::default() };
        assert_eq!(next(Repeat::Freely, Seen::Status(429, None), history, &patience), Next::Stop);
    }

    #[test]
    fn waits_double_up_to_a_limit_and_heed_what_was_said() {
        let waits: Vec<u64> = (1..9)
            .map(|attempts| match after(Repeat::Freely, Seen::Status(500, None), attempts) {
                Next::Wait(wait) => u64::try_from(wait.as_millis()).unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000]);
        assert_eq!(
            after(Repeat::Freely, Seen::Status(503, Some(Duration::from_secs(30))), 1),
            Next::Wait(Duration::from_secs(30))
        );
    }
}
