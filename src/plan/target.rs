//! A part of a plan: what was asked for, and what that needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::gather::Gather;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;

/// Leaves out what nobody asked for, if anything was asked for.
pub(super) fn keep(gather: &mut Gather<'_>) {
    let targets = gather.input.targets;
    if targets.is_empty() {
        return;
    }
    // A template stands for all that it makes.
    let is_meant = |object: &ObjectKey| {
        targets.contains(object)
            || object.kind == Kind::DelegatedAccess
                && object.name.split_once('/').is_some_and(|(template, _)| {
                    targets.contains(&ObjectKey::new(Kind::DelegatedAccess, template))
                })
    };
    let steps = &gather.drafts.steps;
    let by_id: HashMap<&str, usize> =
        steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
    let mut due: Vec<usize> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| is_meant(&step.object))
        .map(|(at, _)| at)
        .collect();
    let mut kept: HashSet<usize> = due.iter().copied().collect();
    while let Some(at) = due.pop() {
        let needs = steps.get(at).into_iter().flat_map(|step| &step.depends_on);
        for needed in needs.filter_map(|id| by_id.get(id.as_str())) {
            if kept.insert(*needed) {
                due.push(*needed);
            }
        }
    }
    let mut about: BTreeSet<_> = targets.clone();
    about.extend(kept.iter().filter_map(|at| steps.get(*at)).map(|step| step.object.clone()));
    let mut at = 0;
    gather.drafts.steps.retain(|_| {
        at += 1;
        kept.contains(&(at - 1))
    });
    let mut at = 0;
    gather.effects.retain(|_| {
        at += 1;
        kept.contains(&(at - 1))
    });
    gather
        .drafts
        .report
        .retain(|report| about.contains(&report.object) || is_meant(&report.object));
}
