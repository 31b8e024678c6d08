//! Whether a run would change nothing: neither the tenant, nor what we remember of it.

use std::collections::BTreeSet;

use crate::apply::{Known, is_settled};
use crate::cli::planning::Ready;
use crate::ledger::ObjectKey;
use crate::plan::Remains;
use crate::plan::State;
use crate::plan::file::Plan;

/// Nothing is to be done, the same people are waited for, and all that there is to remember is
/// remembered. Then no lock is taken, and no run is in the history.
pub(crate) fn is_idle(
    ready: &Ready,
    plan: &Plan,
    bound: &[(ObjectKey, Option<String>)],
    remains: &Remains,
) -> bool {
    if !plan.steps.is_empty() {
        return false;
    }
    let due: BTreeSet<_> = plan
        .report
        .iter()
        .filter(|report| report.state == State::Waiting)
        .filter_map(|report| Some((&report.object, report.step.as_deref()?, &report.link)))
        .collect();
    let known: BTreeSet<_> = ready
        .record
        .all_waiting()
        .map(|known| &known.waiting)
        .map(|known| (&known.object, known.step.as_str(), &known.link))
        .collect();
    let settled = || {
        is_settled(Known {
            estate: &ready.policies.loaded.estate,
            name: &plan.parents.estate,
            objects: ready.record.objects().map(|(_, object)| object).collect(),
            bound: bound.to_vec(),
            remains,
            is_complete: ready.is_complete,
        })
    };
    due == known && settled()
}
