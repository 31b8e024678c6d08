use std::path::{Path, PathBuf};

use super::applying::{Applying, Signals, live};
use super::going::{Format, GoingArgs, Part, Said};
use super::output::Output;
use super::plan::{object, outcome, write};
use super::planning::{Asked, PlanningArgs, Ready};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::model::record::ObjectKey;
use crate::plan::Remains;
use crate::plan::file::Plan;
use crate::report::plan as report;

/// Take back what a run did, as far as that is possible
///
/// Plans the way back, latest first, says what cannot be undone, shows the plan, asks, and does it.
/// What somebody changed since is left alone. The manifests stay as they are: as long as they declare
/// what is undone, the next `apply` does it again.
#[derive(clap::Args, Debug)]
pub(crate) struct UndoArgs {
    /// The run, by its id or by how it begins; `history` lists them
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    planning: PlanningArgs,
    /// Write the plan to this file, to be applied later, and send nothing
    #[arg(long, value_name = "FILE", conflicts_with = "yes")]
    out: Option<PathBuf>,
    #[command(flatten)]
    going: GoingArgs,
    /// Only this, and what it needs; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    target: Vec<ObjectKey>,
}

impl UndoArgs {
    fn asked(&self) -> Asked {
        Asked { targets: self.target.iter().cloned().collect(), ..Asked::default() }
    }
}

pub(crate) fn run(out: &Output, args: &UndoArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let signals = Signals::listen();
        let prepared = args.planning.prepare_for_plan(Some(&args.run), out).await?;
        let ready = match prepared {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        if let Some(path) = &args.out {
            return save(out, args, &ready, path);
        }
        let begun = Box::pin(Applying::begin(out, &args.planning, ready, "undo", &signals));
        let applying = match begun.await? {
            Ok(applying) => applying,
            Err(outcome) => return Ok(outcome),
        };
        let came = Box::pin(held(out, args, &applying, &signals)).await;
        applying.end(out, came).await
    })
}

/// The way back, for somebody to look at before it is gone.
fn save(
    out: &Output,
    args: &UndoArgs,
    ready: &Ready,
    path: &Path,
) -> Result<Outcome, CommandError> {
    must_be_over(ready)?;
    let plan = ready.file(ready.plan_or_undo(&args.asked()))?;
    let bytes =
        plan.to_bytes().map_err(|error| CommandError::Internal(format!("the plan: {error}")))?;
    write(path, &bytes)?;
    let style = out.style();
    out.result(|to| report::write(&plan, report::Format::Text, style, to))?;
    warn(out, ready, &plan);
    Ok(outcome(&plan, false))
}

/// What is done while the lease is ours.
async fn held(
    out: &Output,
    args: &UndoArgs,
    applying: &Applying,
    signals: &Signals,
) -> Result<Outcome, CommandError> {
    let ready = &applying.ready;
    must_be_over(ready)?;
    let planned = ready.plan_or_undo(&args.asked());
    let bound = live(ready, &planned);
    let plan = ready.file(planned)?;
    if plan.is_empty() {
        let style = out.style();
        out.narration(|to| report::write(&plan, report::Format::Text, style, to))?;
        let told = "nothing to undo: all of it is as before, or is left as it is";
        match args.going.format {
            Format::Text => out.result(|to| writeln!(to, "{told}"))?,
            Format::Json => out.say(told),
        }
        return Ok(outcome(&plan, false));
    }
    warn(out, ready, &plan);
    let remains = Remains::default();
    let is_whole = args.target.is_empty();
    let part = Part { said: Said::Now, is_whole, remains: &remains, approved_by: &[] };
    Ok(args.going.go(out, plan, &bound, part, applying, signals).await?.outcome)
}

fn must_be_over(ready: &Ready) -> Result<(), CommandError> {
    ready.past.as_ref().map_or(Ok(()), super::past::Undoing::must_be_over)
}

/// What is declared is done again, so the manifests have to go back too.
fn warn(out: &Output, ready: &Ready, plan: &Plan) {
    let Some(past) = &ready.past else { return };
    if plan.is_empty() {
        return;
    }
    let from = match &past.run.started.commit {
        Some(commit) => format!("that run applied the commit {commit}: revert it"),
        None => "take back what that run applied".to_owned(),
    };
    out.say(&format!(
        "the manifests are not changed by this, and what they declare is applied again by the next run: {from}"
    ));
}
