//! The one place that reads the clock.

use crate::model::scalar::Scalar;
use crate::model::time::Day;

/// Today in UTC, or the day that was asked for.
pub(crate) fn today(as_of: Option<Day>) -> Day {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
    as_of.unwrap_or_else(|| Day(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()))
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A day from the command line.
pub(crate) fn parse_day(text: &str) -> Result<Day, String> {
    Day::parse(text).map_err(|_| "a day is written 2027-03-31".to_owned())
}
