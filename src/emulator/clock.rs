//! The tenant's time: the machine's, moved by as much as somebody asked for.
//!
//! The offset is kept with the tenant, so that who opens it tomorrow is as far ahead.

use jiff::{SignedDuration, Timestamp};

/// The machine's time. Everything else asks the store, which adds the tenant's offset.
#[expect(clippy::disallowed_methods, reason = "a server needs the time; this is where it is read")]
pub(crate) fn machine_now() -> Timestamp {
    Timestamp::now()
}

/// The tenant's time when it is ahead of the machine by an offset.
pub(crate) fn ahead(now: Timestamp, offset: SignedDuration) -> Timestamp {
    now.saturating_add(offset).unwrap_or(now)
}

/// A time as both services write it, with seven digits after the point.
pub(crate) fn stamp(at: Timestamp) -> String {
    let ticks = at.subsec_nanosecond().unsigned_abs() / 100;
    format!("{}.{ticks:07}Z", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_digits() {
        let at: Timestamp = "2026-01-15T22:56:05.058930812Z".parse().unwrap();
        assert_eq!(stamp(at), "2026-01-15T22:56:05.0589308Z");
        let whole: Timestamp = "2026-01-15T22:56:05Z".parse().unwrap();
        assert_eq!(stamp(whole), "2026-01-15T22:56:05.0000000Z");
    }
}
