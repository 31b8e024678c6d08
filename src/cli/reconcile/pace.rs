//! How long to rest: the interval, and after failures less, then more and more.

use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(5);

/// How long to rest after so many failures in a row.
///
/// Whatever failed may be over in a moment, so it is tried again sooner than usual; the interval is
/// the most, for somebody chose it for a service that is well.
pub(super) fn rest(interval: Duration, failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => interval,
        Some(more) => FIRST.saturating_mul(2_u32.saturating_pow(more)).min(interval),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_longer_after_each_failure_and_never_longer_than_usual() {
        let interval = Duration::from_mins(1);
        let rests: Vec<u64> = (0..7).map(|failures| rest(interval, failures).as_secs()).collect();
        assert_eq!(rests, [60, 5, 10, 20, 40, 60, 60]);
        assert_eq!(rest(interval, u32::MAX), interval);
        assert_eq!(rest(Duration::from_secs(2), 1), Duration::from_secs(2));
    }
}
