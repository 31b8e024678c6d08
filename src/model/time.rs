//! Days and durations. No clock: today is always an argument.

use std::fmt;

pub use jiff::civil::Date;

use super::scalar::{Fault, Grammar, Malformed, Scalar, within};

/// A calendar day, as manifests write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub Date);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Scalar for Day {
    const WHAT: &'static str = "a day";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        length_max: 10,
    };
    const EXAMPLES: &'static [&'static str] = &["2027-03-31"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 10)?;
        let form = || Malformed::because(Fault::Form, "year, month and day: `2027-03-31`");
        let number = |from: usize, to: usize| -> Option<i16> {
            let part = text.get(from..to)?;
            if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None }
        };
        let hyphens =
            text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
        let (Some(year), Some(month), Some(day), true, 10) =
            (number(0, 4), number(5, 7), number(8, 10), hyphens, text.len())
        else {
            return Err(form());
        };
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(form());
        }
        let small = |value: i16| i8::try_from(value).unwrap_or_default();
        Date::new(year, small(month), small(day))
            .map(Self)
            .map_err(|_| Malformed::because(Fault::Unreal, "that month has no such day"))
    }
}

/// A duration in whole days: two are equal when they last as long (`P2Y` is `P730D`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days(pub u32);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}D", self.0)
    }
}

impl Scalar for Days {
    const WHAT: &'static str = "a duration in days";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^P(?=[0-9])([0-9]{1,4}Y)?([0-9]{1,4}W)?([0-9]{1,5}D)?$",
        length_max: 17,
    };
    const EXAMPLES: &'static [&'static str] = &["P730D", "P2Y"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 17)?;
        let form = || {
            Malformed::because(Fault::Form, "an ISO 8601 duration in days or years: `P180D`, `P2Y`")
        };
        let Some(mut rest) = text.strip_prefix('P') else { return Err(form()) };
        if rest.is_empty() {
            return Err(form());
        }
        let mut days = 0;
        for (unit, length, digits_max) in [('Y', 365, 4), ('W', 7, 4), ('D', 1, 5)] {
            let Some((number, after)) = rest.split_once(unit) else { continue };
            if number.is_empty()
                || number.len() > digits_max
                || !number.bytes().all(|b| b.is_ascii_digit())
            {
                break;
            }
            days += number.parse::<u32>().unwrap_or_default() * length;
            rest = after;
        }
        if rest.is_empty() {
            return Ok(Self(days));
        }
        Err(if rest.contains('M') && !rest.contains('T') {
            Malformed::because(Fault::Form, "months differ in length: say it in days, `P180D`")
        } else if rest.contains('T') {
            Malformed::because(Fault::Form, "whole days only: `P180D`")
        } else {
            form()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_years_are_730_days_and_months_are_refused() {
        assert_eq!(Days::parse("P2Y"), Days::parse("P730D"));
        assert_eq!(Days::parse("P1W1D"), Ok(Days(8)));
        assert!(Days::parse("P6M").unwrap_err().help.unwrap().contains("days"));
        for wrong in ["P", "730D", "PD", "P1D1Y", "P-1D", "PT24H", "730 days, 0:00:00"] {
            assert!(Days::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_not_malformed() {
        assert_eq!(Day::parse("2027-02-30").unwrap_err().fault, Fault::Unreal);
        assert_eq!(Day::parse("2027-2-3").unwrap_err().fault, Fault::Form);
        assert_eq!(Day::parse("2027-13-01").unwrap_err().fault, Fault::Form);
    }
}
