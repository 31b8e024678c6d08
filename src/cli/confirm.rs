use super::output::Output;
use super::planning::{Asked, PlanningArgs, ledger_failed};
use super::tenant::{Memory, block_on};
use super::{CommandError, Outcome};
use crate::ledger::Confirmation;
use crate::plan::State;

/// Say that a step which only a person can do is done
///
/// It is remembered with who said so and when, and lapses when the declared value changes.
#[derive(clap::Args, Debug)]
pub(crate) struct ConfirmArgs {
    /// The step, as `plan` and `status` name it
    #[arg(value_name = "STEP")]
    step: String,
    #[command(flatten)]
    planning: PlanningArgs,
}

pub(crate) fn run(out: &Output, args: &ConfirmArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let planned = ready.plan(&Asked::default());
        let waiting: Vec<_> =
            planned.report.iter().filter(|report| report.state == State::Waiting).collect();
        let found = waiting.iter().find(|report| report.step.as_deref() == Some(&args.step));
        let Some(report) = found else {
            let steps: Vec<&str> =
                waiting.iter().filter_map(|report| report.step.as_deref()).collect();
            let there = if steps.is_empty() {
                "nothing waits".to_owned()
            } else {
                format!("there are: {}", steps.join(", "))
            };
            return Err(CommandError::usage(format!("no step {} waits\n{there}", args.step)));
        };
        let Some(what) = &report.confirms else {
            return Err(CommandError::usage(format!(
                "{} needs no confirmation: it is seen in the tenant once it is done",
                args.step
            )));
        };
        let Memory::Kept(ledger) = &ready.memory else {
            return Err(CommandError::usage("there is no ledger to remember it in"));
        };
        let who = ready.acting.user.clone().unwrap_or_else(|| "somebody".to_owned());
        let confirmation = Confirmation {
            object: report.object.clone(),
            step: args.step.clone(),
            what: what.clone(),
            who: who.clone(),
        };
        ledger.confirm(confirmation).await.map_err(|error| ledger_failed(&error))?;
        out.result(|to| {
            writeln!(to, "confirmed by {}: {}", crate::report::clean::line(&who), args.step)
        })?;
        Ok(Outcome::Done)
    })
}
