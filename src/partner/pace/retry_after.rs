//! `Retry-After`: seconds, whole or with a fraction, or a date.

use std::time::Duration;

use jiff::Timestamp;

/// How long to wait. A date is judged by the service's own clock where it told us the time.
pub(in crate::partner) fn parse(
    value: &str,
    date: Option<Timestamp>,
    now: Timestamp,
) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        // A negative or endless wait is none that a service meant.
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = http_date(value)?;
    Duration::try_from(until.duration_since(date.unwrap_or(now))).ok().or(Some(Duration::ZERO))
}

/// A date as HTTP has it.
pub(in crate::partner) fn http_date(value: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(value.trim()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_understood_and_nonsense_is_not() {
        let now: Timestamp = "2026-01-09T02:02:12Z".parse().unwrap();
        let later: Timestamp = "2026-01-09T02:02:30Z".parse().unwrap();
        let parse = |value| parse(value, None, now);
        assert_eq!(parse("57"), Some(Duration::from_secs(57)));
        assert_eq!(parse(" 2.128 "), Some(Duration::from_millis(2128)));
        assert_eq!(parse("0"), Some(Duration::ZERO));
        assert_eq!(parse("Fri, 09 Jan 2026 02:03:12 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(parse("Fri, 09 Jan 2026 02:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(
            super::parse("Fri, 09 Jan 2026 02:03:12 GMT", Some(later), now),
            Some(Duration::from_secs(42)),
            "the service's own clock counts"
        );
        for nonsense in ["", "soon", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
