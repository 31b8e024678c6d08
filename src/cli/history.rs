use std::collections::HashMap;
use std::path::PathBuf;

use super::output::Output;
use super::past::{PastArgs, named};
use super::planning::ledger_failed;
use super::tenant::block_on;
use super::{CommandError, Outcome, saved};
use crate::ledger::{
    Broken, Entry, Ledger, LedgerError, Outcome as Came, Run as Known, RunOutcome,
};
use crate::plan::{Plan, Step as Planned};
use crate::report::history::{
    self, Chain, Counts, FORMAT, Field, History, Outcome as Ended, Run, Step, Unlock,
};

/// Show which runs there were, or what one of them did
///
/// Reads the ledger alone. The history is a chain of hashes: it is read whole each time, and an
/// entry that was changed or is missing is said, with exit code 1.
#[derive(clap::Args, Debug)]
pub(crate) struct HistoryArgs {
    /// One run, by its id or by how it begins
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Print only which commits are in the tenant as they stood, the latest first, for whoever wants to
    /// know who made this saved plan: those of plans for the same estate that were approved and carried
    /// out whole, and that which the account began with
    #[arg(long, value_name = "PLANFILE", conflicts_with_all = ["run", "limit", "format"])]
    before: Option<PathBuf>,
    /// How many runs, the latest first
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "run")]
    limit: u32,
    #[command(flatten)]
    past: PastArgs,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: history::Format,
}

pub(crate) fn run(out: &Output, args: &HistoryArgs) -> Result<Outcome, CommandError> {
    if let Some(plan) = &args.before {
        let plan = saved::read(plan)?;
        return block_on(before(out, &args.past, &plan));
    }
    block_on(async {
        let mut found = History { format: FORMAT.to_owned(), ..History::default() };
        let mut changed = None;
        if let Some(ledger) = args.past.open(out).await? {
            (found.chain, changed) = chain(&ledger).await?;
            let runs = ledger.runs(u32::MAX).await.map_err(|error| ledger_failed(&error))?;
            if let Some(beginning) = &args.run {
                found.runs.push(one(&ledger, &runs, beginning).await?);
            } else {
                let taken_back = undone_by(&runs);
                let count = usize::try_from(args.limit).unwrap_or(usize::MAX);
                found.runs = runs.iter().take(count).map(|run| told(run, &taken_back)).collect();
                found.unlocks = unlocks(&ledger, args.limit).await?;
            }
            ledger.close().await;
        } else if let Some(beginning) = &args.run {
            return Err(named(&[], beginning).map_or_else(|error| error, |_| missing()));
        }
        out.result(|to| history::write(&found, args.format, to))?;
        match changed {
            None => Ok(Outcome::Done),
            Some(error) => Err(CommandError::because("verifying the history", &error)),
        }
    })
}

/// The commits that are in the tenant as they stood. A past that was changed names none.
async fn before(out: &Output, past: &PastArgs, plan: &Plan) -> Result<Outcome, CommandError> {
    let Some(ledger) = past.open(out).await? else { return Err(missing()) };
    if plan.parents.ledger.as_deref().is_some_and(|id| id != ledger.id()) {
        return Err(CommandError::Stale("the plan was made for another: the ledger".to_owned()));
    }
    if let (_, Some(error)) = chain(&ledger).await? {
        return Err(CommandError::because("verifying the history", &error));
    }
    let runs = ledger.runs(u32::MAX).await.map_err(|error| ledger_failed(&error))?;
    let commits: Vec<String> =
        settled(&runs, &plan.parents.estate).into_iter().map(str::to_owned).collect();
    ledger.close().await;
    out.result(|to| commits.iter().try_for_each(|commit| writeln!(to, "{commit}")))?;
    Ok(Outcome::Done)
}

/// The commits of an estate whose manifests were brought into the tenant whole, the latest first, each
/// once: what others merged since then is what a plan now would do.
///
/// What was done by hand counts for nothing but the beginning: it may have been a part, and nobody
/// looked at whose change it was. Nor does what somebody took back: from then on it is as it was
/// before, until it is carried out anew.
fn settled<'a>(latest_first: &'a [Known], estate: &str) -> Vec<&'a str> {
    let runs: Vec<&Known> =
        latest_first.iter().filter(|run| run.started.estate == estate).collect();
    // Runs before this one are not taken back.
    let mut kept = 0;
    let mut whole: Vec<(&Known, &str)> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        if let Some(undone) = &run.started.undoes {
            let undone = runs.iter().position(|run| run.id == *undone);
            kept = kept.max(undone.map_or(runs.len(), |undone| undone + 1));
        }
        let is_whole =
            run.ended.as_ref().is_some_and(|(_, end)| end.outcome == RunOutcome::Applied);
        if let Some(commit) = run.started.commit.as_deref().filter(|_| is_whole && at >= kept) {
            whole.push((run, commit));
        }
    }
    let beginning = whole.pop().into_iter();
    let approved = whole.iter().filter(|(run, _)| !run.started.approved_by.is_empty());
    let mut found: Vec<&str> = Vec::new();
    for (_, commit) in approved.copied().chain(beginning) {
        if !found.contains(&commit) {
            found.push(commit);
        }
    }
    found
}

fn missing() -> CommandError {
    CommandError::usage("there is no ledger")
}

async fn chain(ledger: &Ledger) -> Result<(Chain, Option<LedgerError>), CommandError> {
    match ledger.verify_history().await {
        Ok(head) if head.entries == 0 => Ok((Chain::default(), None)),
        Ok(head) => {
            let chain = Chain { entries: Some(head.entries), head: Some(head.hash), broken: None };
            Ok((chain, None))
        }
        Err(error @ LedgerError::CorruptChain { .. }) => {
            Ok((Chain { broken: Some(error.to_string()), ..Chain::default() }, Some(error)))
        }
        Err(error) => Err(ledger_failed(&error)),
    }
}

async fn one(ledger: &Ledger, runs: &[Known], beginning: &str) -> Result<Run, CommandError> {
    let run = named(runs, beginning)?;
    let entries = ledger.entries(run.id.clone()).await.map_err(|error| ledger_failed(&error))?;
    let steps = entries.iter().map(step).collect();
    Ok(Run { steps: Some(steps), ..told(run, &undone_by(runs)) })
}

async fn unlocks(ledger: &Ledger, limit: u32) -> Result<Vec<Unlock>, CommandError> {
    let broken = ledger.broken_leases(limit).await.map_err(|error| ledger_failed(&error))?;
    let told = broken.into_iter().map(|(at, Broken { by, reason, holder })| Unlock {
        at,
        by,
        reason,
        holder,
    });
    Ok(told.collect())
}

/// Which runs took which back.
fn undone_by(runs: &[Known]) -> HashMap<&str, Vec<String>> {
    let mut found: HashMap<&str, Vec<String>> = HashMap::new();
    for run in runs {
        if let Some(undone) = &run.started.undoes {
            found.entry(undone).or_default().push(run.id.clone());
        }
    }
    found
}

fn told(run: &Known, taken_back: &HashMap<&str, Vec<String>>) -> Run {
    let ended = run.ended.as_ref();
    Run {
        id: run.id.clone(),
        started_at: run.started_at,
        ended_at: ended.map(|(at, _)| *at),
        estate: run.started.estate.clone(),
        actor: run.started.actor.clone(),
        commit: run.started.commit.clone(),
        allowed: run.started.allowed.clone(),
        approved_by: run.started.approved_by.clone(),
        plan_digest: run.started.plan_digest.clone(),
        outcome: ended.map_or(Ended::Unfinished, |(_, ended)| match ended.outcome {
            RunOutcome::Applied => Ended::Applied,
            RunOutcome::Partly => Ended::Partly,
            RunOutcome::Failed => Ended::Failed,
            RunOutcome::Interrupted => Ended::Interrupted,
            RunOutcome::Abandoned => Ended::Abandoned,
        }),
        // Whoever clears up after the dead counts nothing.
        counts: ended
            .filter(|(_, ended)| ended.outcome != RunOutcome::Abandoned)
            .map(|(_, ended)| counts(ended.counts)),
        undoes: run.started.undoes.clone(),
        undone_by: taken_back.get(run.id.as_str()).cloned().unwrap_or_default(),
        steps: None,
    }
}

fn counts(counts: crate::ledger::Counts) -> Counts {
    let crate::ledger::Counts { done, failed, skipped, stale, unknown, waiting } = counts;
    Counts { done, failed, skipped, stale, unknown, waiting }
}

fn step(entry: &Entry) -> Step {
    let intent = &entry.intent;
    let planned: Option<Planned> = intent.detail.as_ref().and_then(|detail| detail.read().ok());
    let (outcome, why) = match &entry.outcome {
        None => ("open", Some("what came of it is not known: `apply` looks it up".to_owned())),
        Some(Came::Done { .. }) => ("done", None),
        Some(Came::Failed { why }) => ("failed", Some(why.clone())),
        Some(Came::Unknown { why }) => ("unknown", Some(why.clone())),
        Some(Came::Skipped { why }) => ("skipped", Some(why.clone())),
        Some(Came::Stale { why }) => ("stale", Some(why.clone())),
    };
    let fields = planned.as_ref().map(|planned| &planned.fields).into_iter().flatten();
    Step {
        id: intent.step.clone(),
        object: intent.object.to_string(),
        verb: intent.verb.clone(),
        summary: planned
            .as_ref()
            .map_or_else(|| intent.step.clone(), |planned| planned.summary.clone()),
        attempt: intent.attempt,
        outcome: outcome.to_owned(),
        why,
        at: entry.concluded_at.unwrap_or(entry.intended_at),
        fields: fields
            .map(|field| Field {
                path: field.path.clone(),
                before: field.before.clone(),
                after: field.after.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;
