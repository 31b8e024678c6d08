//! A plan that was saved, held against what would be planned now.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use uuid::Uuid;

use super::CommandError;
use crate::apply::Failed;
use crate::model::record::ObjectKey;
use crate::model::tenant::ObjectId;
use crate::plan::file::Plan;
use crate::plan::guard;
use crate::plan::step::{Step, Verb};

/// Reads a plan; one that was changed is none.
pub(crate) fn read(path: &Path) -> Result<Plan, CommandError> {
    let bytes = std::fs::read(path).map_err(|source| {
        CommandError::failed(format!("reading the plan {}", path.display()), source)
    })?;
    Plan::read(&bytes)
        .map_err(|error| CommandError::NotAPlan(format!("{}: {error}", path.display())))
}

/// A saved plan, and who approved of it, where approvals were required.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) plan: Plan,
    pub(crate) approved_by: Vec<String>,
    /// Approvals are for once: what was carried out is not carried out again on the strength of them.
    pub(crate) is_for_once: bool,
}

/// What is left of a saved plan.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) plan: Plan,
    /// An earlier run with this plan did these.
    pub(crate) done: Vec<String>,
    /// What would be otherwise by now, and is left out; each with why.
    pub(crate) stale: Vec<String>,
}

/// A saved plan, as far as each of its steps is what the manifests and the tenant ask for now, or was
/// done by an earlier run with this very plan (`done`).
///
/// If one is not, nothing of it is applied, unless somebody asked for what is left (`is_partial`).
pub(crate) fn left(
    saved: Plan,
    fresh: &Plan,
    done: &BTreeSet<String>,
    bound: &[(ObjectKey, Option<String>)],
    is_partial: bool,
) -> Result<Left, CommandError> {
    is_ours(&saved, fresh)?;
    let now: HashMap<&str, &Step> =
        fresh.steps.iter().map(|step| (step.id.as_str(), step)).collect();
    // What steps that are done have made.
    let made: HashMap<&ObjectKey, ObjectId> = saved
        .steps
        .iter()
        .filter(|step| step.verb == Verb::Create && done.contains(&step.id))
        .filter_map(|step| {
            let (key, id) = bound.iter().find(|(key, _)| *key == step.object)?;
            Some((key, ObjectId(Uuid::try_parse(id.as_deref()?).ok()?)))
        })
        .collect();
    let is_same = |step: &Step, found: &Step| {
        guard::is_same(step, found)
            || guard::is_same_of_made(step, found, |key| made.get(key).copied())
    };
    let (mut steps, mut passed, mut stale) = (Vec::new(), Vec::new(), Vec::new());
    let mut out: BTreeSet<&str> = BTreeSet::new();
    for step in &saved.steps {
        let missing = step.depends_on.iter().find(|id| out.contains(id.as_str()));
        let found = now.get(step.id.as_str());
        let why = match (missing, found) {
            (Some(missing), _) => format!("it needs `{missing}`"),
            (None, Some(found)) if is_same(step, found) => {
                steps.push((*found).clone());
                continue;
            }
            (None, None) if done.contains(&step.id) => {
                passed.push(step.id.clone());
                continue;
            }
            (None, Some(_)) => "it would be another step now".to_owned(),
            (None, None) => "it is not needed, or not possible, any more".to_owned(),
        };
        out.insert(&step.id);
        stale.push(format!("{}: {why}", step.id));
    }
    if !stale.is_empty() && !is_partial {
        return Err(CommandError::Stale(format!(
            "the plan is stale: nothing was sent\n{}\nplan again, or add `--partial` for what is still as it was planned",
            stale.join("\n")
        )));
    }
    let held = spared(&saved, &out, &mut steps);
    stale.extend(held);
    let kept: BTreeSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    // Of what is refused by now, what belongs to these steps; guards and limits are of the whole.
    let refused = fresh
        .refused
        .iter()
        .filter(|refusal| refusal.step.as_deref().is_none_or(|step| kept.contains(step)))
        .cloned()
        .collect();
    let plan = Plan {
        refused,
        report: fresh.report.clone(),
        limits: fresh.limits.clone(),
        steps,
        ..saved
    };
    Ok(Left { plan, done: passed, stale })
}

/// If something that was to be given is left out, nothing is taken that could lock somebody out: the
/// guards saw both. What is spared is no longer among the steps, nor what needs it.
fn spared(saved: &Plan, out: &BTreeSet<&str>, steps: &mut Vec<Step>) -> Vec<String> {
    let is_out = |step: &&Step| out.contains(step.id.as_str());
    let gifts: Vec<&Step> =
        saved.steps.iter().filter(is_out).filter(|step| !step.verb.takes_away()).collect();
    let failed = Failed::of(gifts);
    let mut spared = BTreeSet::new();
    steps.retain(|step| {
        let needs = step.depends_on.iter().any(|id| spared.contains(id));
        let goes = needs || failed.block(step);
        if goes {
            spared.insert(step.id.clone());
        }
        !goes
    });
    let why = "something that was to be given before it is left out";
    spared.into_iter().map(|id| format!("{id}: {why}")).collect()
}

/// Whether a plan was made for this tenant, ledger and estate.
fn is_ours(saved: &Plan, fresh: &Plan) -> Result<(), CommandError> {
    let (was, is) = (&saved.parents, &fresh.parents);
    for (what, was, is) in [
        ("the ledger", &was.ledger, &is.ledger),
        ("the tenant", &was.tenant, &is.tenant),
        ("the estate", &Some(was.estate.clone()), &Some(is.estate.clone())),
        ("the run that it undoes", &was.undoes, &is.undoes),
    ] {
        if was.is_some() && was != is {
            return Err(CommandError::Stale(format!("the plan was made for another: {what}")));
        }
    }
    Ok(())
}
