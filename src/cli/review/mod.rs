mod git;
mod sides;
mod tree;

use std::path::PathBuf;

use super::output::Output;
use super::{CommandError, Outcome, clock};
use crate::model::time::Day;
use crate::report::review as report;
use crate::review::verdict::{self, Outcome as Came};
use crate::review::{FailOn, Input, review};

/// Show what a pull request really changes: rules, findings, the estate, who gains access to what
///
/// Compares the files as they are on disk, or those of a commit, with those of another commit, both
/// read from git without checking anything out. The base judges: its policies, limits, guards and
/// waivers, so that nobody passes by rules that they changed in the same commit. What changes about
/// the rules is told first. Needs no credentials and no network.
///
/// Exit codes: 3 if the head is invalid, 4 if the base's rules do not let it pass, 5 if a plan is
/// over the base's limits, 2 if a person has to look, by --fail-on.
#[derive(clap::Args, Debug)]
pub(crate) struct ReviewArgs {
    /// The project's folder; the nearest one with a partnerctl.yaml upward, unless given
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The project file, or the folder it stands in
    #[arg(long, value_name = "FILE|DIR")]
    project: Option<PathBuf>,
    /// The commit that is compared with, and whose rules judge: what would be merged into
    #[arg(long, value_name = "REV")]
    base: String,
    /// The commit that is reviewed, instead of the files as they are on disk
    #[arg(long, value_name = "REV")]
    head: Option<String>,
    /// What ends with exit code 2, beyond what the rules forbid
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: report::Format,
    /// Judge as of this day (UTC) instead of today
    #[arg(long, value_name = "DATE", value_parser = clock::parse_day)]
    as_of: Option<Day>,
}

pub(crate) fn run(out: &Output, args: &ReviewArgs) -> Result<Outcome, CommandError> {
    let today = clock::today(args.as_of);
    let sides = sides::read(args, today, out)?;
    let mut found = review(&Input {
        base: sides.base.compared(),
        head: sides.head.compared(),
        judged: sides.judged.as_ref().map(sides::Held::compared),
        is_new: sides.is_new,
        today,
    });
    found.base.clone_from(&sides.base_name);
    found.head.clone_from(&sides.head_name);
    found.folder.clone_from(&sides.folder);
    found.notes.splice(0..0, sides.notes.iter().cloned());
    found.verdict = verdict::verdict(&found, args.fail_on);
    report::hide(&mut found, &[&sides.base.loaded.findings, &sides.head.loaded.findings]);
    let style = out.style();
    out.result(|to| report::write(&found, args.format, style, to))?;
    // The process is about to end: to take two estates apart first helps nobody.
    std::mem::forget(sides);
    Ok(outcome(found.verdict.outcome))
}

/// The exit code that fits: a contract.
const fn outcome(came: Came) -> Outcome {
    match came {
        Came::Invalid => Outcome::Invalid,
        Came::Denied => Outcome::Denied,
        Came::OverLimit => Outcome::OverLimit,
        Came::Stopped => Outcome::Pending,
        Came::Passes => Outcome::Done,
    }
}
