use std::collections::BTreeSet;
use std::path::PathBuf;

use super::output::Output;
use super::planning::{Asked, PlanningArgs};
use super::tenant::block_on;
use super::{CommandError, Outcome, signing};
use crate::model::record::ObjectKey;
use crate::partner::snapshot::file as snapshot_file;
use crate::plan::approval::Role;
use crate::plan::file::{Plan, Why};
use crate::plan::{Cause, State};
use crate::report::plan as report;

/// Show what would change in the tenant, why, and what it means
///
/// Reads the tenant and sends nothing that changes anything. The file that --out writes is what
/// `apply` then does, and nothing else.
#[derive(clap::Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    /// Write the plan to this file, to be applied later
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Sign it as who made it, with this OpenSSH key (Ed25519): beside it, in FILE.approvals
    #[arg(long, value_name = "KEY", requires = "out")]
    sign: Option<PathBuf>,
    /// Exit with 2 if anything would change, 9 if only others changed things, 8 if people are waited for
    #[arg(long)]
    exit_code: bool,
    /// Only this, and what it needs: user/NAME, role/NAME, customer/NAME; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    target: Vec<ObjectKey>,
    /// Bring back what somebody removed in the tenant; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    revive: Vec<ObjectKey>,
    /// Write what was seen of the tenant to this file, for `review --snapshot`
    #[arg(long, value_name = "FILE")]
    snapshot_out: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: report::Format,
}

/// Reads `kind/name`.
pub(crate) fn object(text: &str) -> Result<ObjectKey, String> {
    ObjectKey::parse(text)
        .ok_or_else(|| "write the kind before it: user/NAME, customer/NAME".to_owned())
}

pub(crate) fn run(out: &Output, args: &PlanArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let asked = Asked {
            targets: args.target.iter().cloned().collect::<BTreeSet<_>>(),
            revive: args.revive.iter().cloned().collect(),
        };
        ready.must_know(&asked)?;
        let plan = ready.file(ready.plan(&asked))?;
        let plan = if asked.targets.is_empty() { plan } else { part(plan)? };
        if let Some(path) = &args.snapshot_out {
            let bytes = snapshot_file::write_for_others(&ready.snapshot)
                .map_err(|error| CommandError::Internal(format!("the snapshot: {error}")))?;
            write(path, &bytes)?;
        }
        if let Some(path) = &args.out {
            let bytes = plan
                .to_bytes()
                .map_err(|error| CommandError::Internal(format!("the plan: {error}")))?;
            write(path, &bytes)?;
            if let Some(key) = &args.sign {
                let signed = signing::sign(&plan, path, Role::Author, key, None, None)?;
                out.narrate(&format!("signed: {}", signed.display()));
            }
        }
        let style = out.style();
        out.result(|to| report::write(&plan, args.format, style, to))?;
        Ok(outcome(&plan, args.exit_code))
    })
}

/// A plan of a part, which does not make the tenant as the commit has it, and so names none.
pub(crate) fn part(mut plan: Plan) -> Result<Plan, CommandError> {
    plan.parents.commit = None;
    plan.sealed()
        .map_err(|error| CommandError::Internal(format!("the plan cannot be written: {error}")))
}

/// Names and addresses are in it: for its owner alone.
pub(crate) fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), CommandError> {
    let failed = |source| CommandError::failed(format!("writing {}", path.display()), source);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)
}

/// What a plan means for whoever waits for the exit code.
pub(crate) fn outcome(plan: &Plan, says: bool) -> Outcome {
    let refused = |why| plan.refused.iter().any(|refusal| refusal.why == why);
    if refused(Why::Manifest) {
        return Outcome::Invalid;
    }
    if refused(Why::Policy) || refused(Why::Guard) {
        return Outcome::Denied;
    }
    if refused(Why::Limit) {
        return Outcome::OverLimit;
    }
    if !says {
        return Outcome::Done;
    }
    let drifted = plan.steps.iter().all(|step| {
        step.fields.iter().all(|field| field.cause == Cause::Drift) && !step.fields.is_empty()
    });
    let is = |state| plan.report.iter().any(|report| report.state == state);
    match (plan.steps.is_empty(), drifted) {
        (false, false) => Outcome::Pending,
        (false, true) => Outcome::Drifted,
        (true, _) if is(State::Gone) => Outcome::Drifted,
        (true, _) if is(State::Waiting) => Outcome::Waiting,
        (true, _) => Outcome::Done,
    }
}
