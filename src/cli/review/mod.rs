mod proof;
mod sides;
mod tenant;
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
/// the rules is told first. Needs no credentials and no network. Where a cvc5 is on the machine
/// (`CVC5`, or in `PATH`), it is also asked whether the policies permit anything that they did not in
/// any estate there could be; that is told, and stops nobody.
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
    /// Show also what this plan does to the tenant, as `plan --out` wrote it from the same files
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
    plan: Option<PathBuf>,
    /// Show also what would be done to the tenant as it was seen, by `plan --snapshot-out`
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
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

/// What a plan from a snapshot cannot know.
const SNAPSHOT_NOTE: &str = "planned from a snapshot, without the ledger: what is removed, and what others changed since the last apply, is not seen";

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
    if let Some(file) = &args.plan {
        found.plan = Some(tenant::saved(file, &sides)?);
    }
    if let Some(file) = args.snapshot.as_ref().filter(|_| !found.is_unreadable()) {
        found.plan = Some(tenant::planned(file, &sides, today)?);
        found.notes.push(SNAPSHOT_NOTE.to_owned());
    }
    if !found.is_unreadable() && !sides.base.loaded.has_errors() {
        found.proof = proof::ask(&sides)?;
    }
    found.over_limits = sides.limits().map(|limits| found.over(limits)).unwrap_or_default();
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
