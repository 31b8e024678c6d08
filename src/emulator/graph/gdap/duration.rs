//! Durations as the wire writes them.

use jiff::Span;

/// The whole days of an ISO 8601 duration. Years are 365 days, as they are taken by the service;
/// months have no length of their own.
pub(crate) fn days(text: &str) -> Option<i32> {
    // The library also reads what people write, "730 days"; the service does not.
    if !text.starts_with('P') {
        return None;
    }
    let span: Span = text.parse().ok()?;
    if span.get_months() != 0 {
        return None;
    }
    let days = i64::from(span.get_years()) * 365
        + i64::from(span.get_weeks()) * 7
        + i64::from(span.get_days());
    let minutes = i64::from(span.get_hours()) * 60 + span.get_minutes();
    if minutes % (24 * 60) != 0 || span.get_seconds() != 0 || span.is_negative() {
        return None;
    }
    let days = days + minutes / (24 * 60);
    i32::try_from(days).ok()
}

/// Never in years: those who read it as a span of time know none.
pub(crate) fn text(days: i32) -> String {
    if days == 0 { "PT0S".to_owned() } else { format!("P{days}D") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_duration() {
        for (written, meant) in [
            ("P730D", Some(730)),
            ("P2Y", Some(730)),
            ("P1D", Some(1)),
            ("P4W", Some(28)),
            ("PT24H", Some(1)),
            ("PT0S", Some(0)),
            ("P0D", Some(0)),
            ("-P1D", None),
            ("PT5H", None),
            ("P1M", None),
            ("730 days, 0:00:00", None),
            ("730", None),
            ("P", None),
            ("", None),
        ] {
            assert_eq!(days(written), meant, "{written}");
        }
        assert_eq!((text(730), text(0)), ("P730D".to_owned(), "PT0S".to_owned()));
    }
}
