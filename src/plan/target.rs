//! A part of a plan: what was asked for, and what that needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::gather::Gather;
use super::record::Record;
use crate::model::estate::Estate;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;

/// Whether an object is among what was asked for. A template stands for all its seats.
pub(super) fn is_meant(asked: &BTreeSet<ObjectKey>, object: &ObjectKey) -> bool {
    asked.contains(object)
        || object.kind == Kind::DelegatedAccess
            && object.name.split_once('/').is_some_and(|(template, _)| {
                asked.contains(&ObjectKey::new(Kind::DelegatedAccess, template))
            })
}

/// Whether there is anything by this name: something that is declared, or that is remembered.
pub fn is_known(estate: &Estate, record: &Record, object: &ObjectKey) -> bool {
    let name = object.name.as_str();
    let is_declared = match object.kind {
        Kind::Account => {
            estate.account.as_ref().is_some_and(|one| one.metadata.name.as_str() == name)
        }
        Kind::User => estate.users.contains_key(name),
        Kind::Role => estate.roles.contains_key(name),
        Kind::Partnership => estate.partnerships.contains_key(name),
        Kind::Customer => estate.customers.contains_key(name),
        Kind::DelegatedAccess => match name.split_once('/') {
            None => estate.delegated_access.contains_key(name),
            Some((template, customer)) => {
                estate.delegated_access.contains_key(template)
                    && estate.customers.contains_key(customer)
            }
        },
        _ => false,
    };
    let asked = BTreeSet::from([object.clone()]);
    is_declared || record.objects().any(|(known, _)| is_meant(&asked, known))
}

/// Leaves out what nobody asked for, if anything was asked for.
pub(super) fn keep(gather: &mut Gather<'_>) {
    let targets = gather.input.targets;
    if targets.is_empty() {
        return;
    }
    let is_meant = |object: &ObjectKey| is_meant(targets, object);
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
