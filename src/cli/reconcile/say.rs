//! A line for each round.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::round::{Came, Round};
use crate::cli::applying::{counted, waited};
use crate::cli::output::Output;
use crate::cli::{CommandError, clock};
use crate::report::clean;

/// Says what rounds came to, and not again what is still so.
#[derive(Debug, Default)]
pub(super) struct Say {
    /// What was said last, without its time.
    last: Option<String>,
}

impl Say {
    /// Whether nothing was said yet.
    pub(super) const fn is_first(&self) -> bool {
        self.last.is_none()
    }

    pub(super) fn round(
        &mut self,
        out: &Output,
        came: &Result<Round, CommandError>,
        rest: Duration,
    ) -> Result<(), CommandError> {
        let (at, text, is_news) = match came {
            Ok(round) => (round.at, line(round), matches!(round.came, Came::Tried(_))),
            Err(error) => (None, failure(error, rest), true),
        };
        let is_known = self.last.as_ref() == Some(&text);
        if is_known && !is_news && !out.is_verbose() {
            return Ok(());
        }
        // Where the tenant did not say what time it is there, this machine does.
        let time = time_of_day(at.unwrap_or_else(clock::now));
        self.last = Some(text.clone());
        out.result(|to| writeln!(to, "{time} {}", clean::line(&text)))
    }
}

fn time_of_day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string()
}

fn failure(error: &CommandError, rest: Duration) -> String {
    let why = match error {
        CommandError::Locked(holder) => format!("another run holds the ledger: {holder}"),
        CommandError::Stale(why) | CommandError::Usage(why) | CommandError::NotAPlan(why) => {
            why.clone()
        }
        CommandError::Failed { doing, source } => format!("{doing}: {source}"),
        CommandError::Internal(why) => format!("internal error, a bug of partnerctl: {why}"),
    };
    format!("failed, again in {} s: {}", rest.as_secs(), why.replace('\n', "; "))
}

fn line(round: &Round) -> String {
    let mut parts = match &round.came {
        Came::Stopped => return "ended while reading".to_owned(),
        Came::Invalid => {
            return "nothing was done: the manifests or the policies are wrong".to_owned();
        }
        Came::Refused { why, others, outcome: _ } => {
            let more = if *others > 0 { format!(", and {others} more") } else { String::new() };
            return format!("nothing was done, the plan is refused: {why}{more}");
        }
        Came::Quiet if round.left.is_empty() => vec!["as declared".to_owned()],
        Came::Quiet => Vec::new(),
        Came::Tried(counts) => counted(counts),
    };
    parts.extend(waited(round.waiting as u64));
    let left: usize = round.left.values().sum();
    if left > 0 {
        let mut text = format!("{left} left to an approved plan, `partnerctl plan --out FILE` (");
        for (at, (why, count)) in round.left.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}{count} {}", why.said(*count));
        }
        parts.push(text + ")");
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cli::Outcome;
    use crate::ledger::Counts;
    use crate::plan::timid::Why;

    fn said(came: Came, waiting: usize, left: &[(Why, usize)]) -> String {
        let left: BTreeMap<Why, usize> = left.iter().copied().collect();
        line(&Round { came, at: None, waiting, left, calls: 0 })
    }

    #[test]
    fn a_round_is_a_line() {
        let tried = |done, failed, skipped| {
            Came::Tried(Counts { done, failed, skipped, ..Counts::default() })
        };
        let left = [(Why::TakesAway, 2), (Why::GivesPrivileges, 1), (Why::NeedsAnother, 1)];
        let refused = Came::Refused {
            outcome: Outcome::OverLimit,
            why: "over the limit".to_owned(),
            others: 1,
        };
        for (said, line) in [
            (said(Came::Quiet, 0, &[]), "as declared"),
            (said(Came::Quiet, 1, &[]), "as declared, 1 waits for people"),
            (said(tried(3, 0, 0), 0, &[]), "3 done"),
            (said(tried(1, 1, 2), 0, &[]), "1 done, 1 failed, 2 skipped"),
            (
                said(tried(3, 0, 0), 2, &left),
                "3 done, 2 wait for people, 4 left to an approved plan, `partnerctl plan --out FILE` (2 take something away, 1 gives privileges, 1 needs one of these)",
            ),
            (
                said(Came::Quiet, 0, &[(Why::CannotBeTakenBack, 1)]),
                "1 left to an approved plan, `partnerctl plan --out FILE` (1 cannot be taken back)",
            ),
            (
                said(refused, 0, &[]),
                "nothing was done, the plan is refused: over the limit, and 1 more",
            ),
        ] {
            assert_eq!(said, line);
        }
    }

    #[test]
    fn a_failure_is_a_line_and_says_when_it_is_tried_again() {
        let error = CommandError::usage("there is no ledger\nadd `--new-ledger`");
        assert_eq!(
            failure(&error, Duration::from_secs(10)),
            "failed, again in 10 s: there is no ledger; add `--new-ledger`"
        );
    }
}
