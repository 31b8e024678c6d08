//! Which of our groups may do what by a relationship that is active.

use std::collections::BTreeSet;

use serde_json::Value;

use super::life::guard;
use super::seat::{Relation, Seat};
use super::wanted::{Grant, Wanted, listed, path_of, words};
use crate::model::directory_role::DirectoryRole;
use crate::model::id::RoleTemplateId;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::model::tenant::{DelegatedAssignment, ObjectId};
use crate::plan::bind::{Binding, object_id};
use crate::plan::change::{Change, Target};
use crate::plan::compare::{Same, Verdict};
use crate::plan::draft::{report, whole};
use crate::plan::effect::Effect;
use crate::plan::gather::{Gather, seen};
use crate::plan::record::Hold;
use crate::plan::roles::few;
use crate::plan::step::{Cause, FieldChange, State, Verb};

/// What the service says of an assignment that gives something, or soon will.
fn is_there(assignment: &DelegatedAssignment) -> bool {
    !matches!(assignment.status.as_str(), "deleting" | "deleted")
}

pub(super) fn is_active(assignment: &DelegatedAssignment) -> bool {
    assignment.status == "active"
}

fn has_failed(assignment: &DelegatedAssignment) -> bool {
    assignment.status == "error"
}

/// Plans what groups may do. Whether all of it is as declared already.
pub(super) fn plan<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    one: &Relation<'a>,
) -> bool {
    let Some(all) = &one.found.assignments else {
        let message = format!("what groups may do by {} cannot be seen", one.found.name);
        gather.drafts.say(&seat.subject.key, State::Unrecognised, message);
        return false;
    };
    let there: Vec<&DelegatedAssignment> = all.iter().filter(|held| is_there(held)).collect();
    let mut is_mapped = true;
    let mut meant = BTreeSet::new();
    for grant in &wanted.grants {
        let group = match &grant.group {
            Ok(group) => group,
            Err(why) => {
                gather.drafts.say(&seat.subject.key, State::Held, why.clone());
                is_mapped = false;
                continue;
            }
        };
        let held = match group {
            Target::Id(id) => there.iter().copied().find(|held| held.group == *id),
            Target::MadeFor(_) => None,
        };
        meant.extend(held.map(|held| held.id.as_str()));
        is_mapped &= map(gather, seat, one, grant, group, held);
    }
    for held in there.into_iter().filter(|held| !meant.contains(held.id.as_str())) {
        is_mapped &= unmap(gather, seat, wanted, one, held);
    }
    is_mapped
}

/// What a group is to have by a relationship; whether it has it.
fn map<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    one: &Relation<'a>,
    grant: &Grant<'a>,
    group: &Target,
    held: Option<&DelegatedAssignment>,
) -> bool {
    // What the customer did not approve waits for the next relationship.
    let roles: BTreeSet<RoleTemplateId> =
        grant.roles.intersection(&one.found.roles).copied().collect();
    let is_whole = roles.len() == grant.roles.len();
    let path = path_of(grant.to.as_str());
    let Some(held) = held.filter(|held| !has_failed(held)) else {
        if !roles.is_empty() {
            assign(gather, seat, one, grant, group, &roles, held);
        }
        return false;
    };
    if held.roles == roles {
        if is_active(held) {
            return is_whole;
        }
        let message = format!("{path}: the service is giving {} its roles", grant.to);
        gather.drafts.say(&seat.subject.key, State::Settling, message);
        return false;
    }
    if roles.is_empty() {
        // Nothing of what it is to have is to be had here.
        drop(gather, seat, one, held, &path, Cause::Change);
        return false;
    }
    let verdict =
        seat.subject.memory.field(&path, &words(&roles), &words(&held.roles), Same::Exactly);
    let Some(change) = gather.drafts.heed(&seat.subject.key, &path, verdict) else { return false };
    update(gather, seat, one, grant, held, roles, change);
    false
}

fn privileged<'r>(roles: impl IntoIterator<Item = &'r RoleTemplateId>) -> u32 {
    u32::from(roles.into_iter().any(|role| DirectoryRole(*role).is_privileged()))
}

fn assign<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    one: &Relation<'a>,
    grant: &Grant<'a>,
    group: &Target,
    roles: &BTreeSet<RoleTemplateId>,
    failed: Option<&DelegatedAssignment>,
) {
    let path = path_of(grant.to.as_str());
    let memory = &seat.subject.memory;
    let verdict = if is_new(seat, one, &path) && !memory.ignores(&path) {
        let new = whole(&path, Value::Null, words(roles), Cause::Create);
        Verdict::Change(Box::new(new))
    } else {
        memory.field(&path, &words(roles), &Value::Null, Same::Exactly)
    };
    let Some(change) = gather.drafts.heed(&seat.subject.key, &path, verdict) else { return };
    let mut guard = guard(one, seen(std::slice::from_ref(&change)));
    if let Some(failed) = failed {
        guard.seen.insert(path, words(&failed.roles));
    }
    let sent = Change::AssignDelegated {
        relationship: one.id.clone(),
        group: group.clone(),
        roles: roles.clone(),
        instead_of: failed.map(|failed| failed.id.clone()),
    };
    let company = &seat.customer.spec.company_name;
    let summary = format!("give {} {} at {company}", grant.to, listed(roles));
    let what = format!("grant/{}", grant.to);
    let mut step = seat.subject.step(&what, Verb::Grant, summary, vec![change], sent);
    step.guard = guard;
    step.cost.privileged_grants = privileged(roles);
    gather.push(step, Effect::Nothing);
}

/// Whether it never gave a group what it is to have: it is new, or takes over from another one.
fn is_new(seat: &Seat<'_>, one: &Relation<'_>, path: &str) -> bool {
    let was_given =
        seat.subject.memory.applied().is_some_and(|applied| applied.fields.contains_key(path));
    let is_empty = one.found.assignments.as_ref().is_some_and(Vec::is_empty);
    one.hold == Hold::Made && is_empty && (!was_given || seat.living.len() > 1)
}

fn update<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    one: &Relation<'a>,
    grant: &Grant<'a>,
    held: &DelegatedAssignment,
    roles: BTreeSet<RoleTemplateId>,
    change: FieldChange,
) {
    let gained: Vec<_> = roles.difference(&held.roles).copied().collect();
    let lost: Vec<_> = held.roles.difference(&roles).copied().collect();
    let company = &seat.customer.spec.company_name;
    let (verb, summary) = match (gained.as_slice(), lost.as_slice()) {
        (gained, []) => {
            (Verb::Grant, format!("give {} also {} at {company}", grant.to, listed(gained)))
        }
        ([], lost) => {
            (Verb::Revoke, format!("take {} from {} at {company}", listed(lost), grant.to))
        }
        (gained, lost) => (
            Verb::Update,
            format!(
                "give {} {} at {company} instead of {}",
                grant.to,
                listed(gained),
                listed(lost)
            ),
        ),
    };
    let guard = guard(one, seen(std::slice::from_ref(&change)));
    let sent = Change::UpdateDelegated {
        relationship: one.id.clone(),
        assignment: held.id.clone(),
        roles,
    };
    let what = format!("{}/{}", verb.word(), grant.to);
    let mut step = seat.subject.step(&what, verb, summary, vec![change], sent);
    step.guard = guard;
    step.cost.removals = u32::from(!lost.is_empty());
    step.cost.privileged_grants = privileged(&gained);
    step.cost.customer = Some(seat.tenant.to_string());
    gather.push(step, Effect::Nothing);
}

/// A group that has something and is not to: whether that can stay so.
fn unmap<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    one: &Relation<'a>,
    held: &DelegatedAssignment,
) -> bool {
    let role = role_of(gather, held.group);
    let path = path_of(role.as_deref().unwrap_or(&held.group.to_string()));
    let applied = seat.subject.memory.applied().and_then(|applied| applied.fields.get(&path));
    let was_ours = applied.is_some_and(|roles| !roles.is_null());
    if !was_ours && one.hold == Hold::Adopted {
        let message = format!(
            "a group that no grant names has roles by {}: {}",
            one.found.name,
            few(&[
                role.map_or_else(|| group_name(gather, held.group), |role| format!("role/{role}"))
            ])
        );
        gather.drafts.report.push(report(&seat.subject.key, State::Unmanaged, message));
        return true;
    }
    let has_expired = wanted.template.spec.grants.iter().any(|grant| {
        Some(grant.to.as_str()) == role.as_deref()
            && gather
                .input
                .estate
                .roles
                .get(&grant.to)
                .is_some_and(|declared| declared.metadata.has_expired(gather.input.today))
    });
    let cause = match (has_expired, was_ours) {
        (true, _) => Cause::Expiry,
        (false, true) => Cause::Change,
        (false, false) => Cause::Drift,
    };
    drop(gather, seat, one, held, &path, cause);
    false
}

fn drop<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    one: &Relation<'a>,
    held: &DelegatedAssignment,
    path: &str,
    cause: Cause,
) {
    let change = FieldChange {
        path: path.to_owned(),
        before: words(&held.roles),
        after: Value::Null,
        cause,
        applied: None,
    };
    let verdict = if seat.subject.memory.ignores(path) {
        Verdict::Ignored
    } else if seat.subject.memory.is_settling() && cause == Cause::Drift {
        Verdict::Settling
    } else {
        Verdict::Change(Box::new(change))
    };
    let Some(change) = gather.drafts.heed(&seat.subject.key, path, verdict) else { return };
    let exists = gather.input.snapshot.groups.contains_key(&held.group);
    let guard = guard(one, seen(std::slice::from_ref(&change)));
    let sent = Change::UnassignDelegated {
        relationship: one.id.clone(),
        assignment: held.id.clone(),
        group: held.group,
    };
    let company = &seat.customer.spec.company_name;
    let who = path.strip_prefix("spec.grants.").unwrap_or(path);
    let summary = if exists {
        format!("take {} from {} at {company}", listed(&held.roles), group_name(gather, held.group))
    } else {
        format!("take {} at {company} from a group that no longer exists", listed(&held.roles))
    };
    let what = format!("revoke/{who}");
    let mut step = seat.subject.step(&what, Verb::Revoke, summary, vec![change], sent);
    step.guard = guard;
    // From nobody nothing is taken.
    step.cost.removals = u32::from(exists);
    step.cost.customer = Some(seat.tenant.to_string());
    gather.push(step, Effect::Nothing);
}

fn group_name(gather: &Gather<'_>, id: ObjectId) -> String {
    let group = gather.input.snapshot.groups.get(&id);
    group.map_or_else(|| id.to_string(), |group| format!("the group {}", group.name))
}

/// The role whose group it is, or was.
fn role_of(gather: &Gather<'_>, group: ObjectId) -> Option<String> {
    let bound = gather.bound.roles.iter().find(|(_, one)| **one == Binding::Live(group));
    if let Some((key, _)) = bound {
        return Some(key.as_str().to_owned());
    }
    let agents = gather.agent_groups.iter().find(|(_, (id, _))| *id == group);
    if let Some((level, _)) = agents {
        return Some(crate::policy::world::declared::agent_role(*level).to_owned());
    }
    let mut remembered = gather.input.record.of_kind(Kind::Role);
    let known = remembered
        .find(|(_, known)| known.managed.remote_id.as_deref().and_then(object_id) == Some(group));
    known.map(|(ObjectKey { name, .. }, _)| name.to_string())
}

/// Whether one gives all that another gives of what is wanted.
pub(super) fn covers(
    gather: &Gather<'_>,
    wanted: &Wanted<'_>,
    best: &Relation<'_>,
    other: &Relation<'_>,
) -> bool {
    let of = |one: &Relation<'_>, group: ObjectId| -> BTreeSet<RoleTemplateId> {
        let all = one.found.assignments.iter().flatten();
        all.filter(|held| held.group == group && is_active(held))
            .flat_map(|held| held.roles.iter().copied())
            .collect()
    };
    if other.found.assignments.is_none() {
        return false;
    }
    let _ = gather;
    wanted.grants.iter().all(|grant| match &grant.group {
        Ok(Target::Id(group)) => {
            let (here, there) = (of(best, *group), of(other, *group));
            there.intersection(&grant.roles).all(|role| here.contains(role))
        }
        Ok(Target::MadeFor(_)) => true,
        Err(_) => false,
    })
}
