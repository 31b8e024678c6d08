//! Which of our groups may do what by a relationship that is active.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cost;
use super::life::guard;
use super::seat::{Relation, Seat};
use super::wanted::{Grant, Wanted, listed, path_of, words};
use crate::model::id::RoleTemplateId;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::model::tenant::{DelegatedAssignment, ObjectId};
use crate::plan::bind::{Binding, object_id};
use crate::plan::change::{Change, Target};
use crate::plan::compare::{Same, Verdict};
use crate::plan::draft::whole;
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

/// What groups may do already of what they are to.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    /// All of it is as declared.
    pub(super) is_whole: bool,
    /// What is: as it stands in documents.
    pub(super) fields: BTreeMap<String, Value>,
}

/// Plans what groups may do.
pub(super) fn plan<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    one: &Relation<'a>,
) -> Mapped {
    let Some(all) = &one.found.assignments else {
        let message = format!("what groups may do by {} cannot be seen", one.found.name);
        gather.drafts.say(&seat.subject.key, State::Unrecognised, message);
        return Mapped::default();
    };
    let mut fields = BTreeMap::new();
    let there: Vec<&DelegatedAssignment> = all.iter().filter(|held| is_there(held)).collect();
    let place = Place { seat, one, is_beside: false };
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
        let is_there = place.map(gather, grant, group, held);
        if is_there {
            fields.insert(path_of(grant.to.as_str()), words(&grant.roles));
        }
        is_mapped &= is_there;
    }
    for held in there.into_iter().filter(|held| !meant.contains(held.id.as_str())) {
        if place.is_foreign(gather, held) {
            let role = role_of(gather, held.group).map(|role| format!("role/{role}"));
            let who = role.unwrap_or_else(|| group_name(gather, held.group));
            let message = format!(
                "a group that no grant names has roles by {}: {}",
                one.found.name,
                few(&[who])
            );
            place.say(gather, State::Unmanaged, message);
        } else {
            is_mapped = false;
            place.unmap(gather, wanted, held);
        }
    }
    Mapped { is_whole: is_mapped, fields }
}

/// Where steps about groups belong.
struct Place<'s, 'a> {
    seat: &'s Seat<'a>,
    one: &'s Relation<'a>,
    /// It is not the one in which groups have what is declared: its steps say which it is.
    is_beside: bool,
}

impl<'a> Place<'_, 'a> {
    /// A step about what one group has.
    fn push(
        &self,
        gather: &mut Gather<'a>,
        (verb, to): (Verb, &str),
        summary: String,
        change: FieldChange,
        sent: Change,
    ) {
        let mut what = format!("{}/{to}", verb.word());
        if self.is_beside {
            what = format!("{what}/{}", self.seat.which(self.one));
        }
        let mut guard = guard(self.one, seen(std::slice::from_ref(&change)));
        if let Change::AssignDelegated { instead_of: Some(failed), .. } = &sent {
            let failed = self.one.found.assignments.iter().flatten().find(|one| one.id == *failed);
            guard.seen.extend(failed.map(|failed| (change.path.clone(), words(&failed.roles))));
        }
        let mut cost = cost::of(&sent, self.one.found, &gather.input.snapshot.groups);
        if self.is_new(&change.path) {
            // The customer has just approved it: to carry that through is nothing that happens to them.
            cost.customer = None;
        }
        let mut step = self.seat.subject.step(&what, verb, summary, vec![change], sent);
        (step.guard, step.cost) = (guard, cost);
        gather.push(step, Effect::Nothing);
    }

    fn say(&self, gather: &mut Gather<'_>, state: State, message: String) {
        gather.drafts.say(&self.seat.subject.key, state, message);
    }

    fn heed(&self, gather: &mut Gather<'_>, path: &str, verdict: Verdict) -> Option<FieldChange> {
        gather.drafts.heed(&self.seat.subject.key, path, verdict)
    }

    fn company(&self) -> &'a str {
        self.seat.customer.spec.company_name.as_str()
    }

    /// What a group is to have; whether it has it.
    fn map(
        &self,
        gather: &mut Gather<'a>,
        grant: &Grant<'a>,
        group: &Target,
        held: Option<&DelegatedAssignment>,
    ) -> bool {
        // What the customer did not approve waits for the next relationship.
        let roles: BTreeSet<RoleTemplateId> =
            grant.roles.intersection(&self.one.found.roles).copied().collect();
        let is_whole = roles.len() == grant.roles.len();
        let Some(held) = held.filter(|held| !has_failed(held)) else {
            if !roles.is_empty() {
                self.assign(gather, grant, group, &roles, held);
            }
            return false;
        };
        if held.roles != roles {
            self.reassign(gather, grant, held, roles);
            return false;
        }
        if !is_active(held) {
            let path = path_of(grant.to.as_str());
            let message = format!("{path}: the service is giving {} its roles", grant.to);
            self.say(gather, State::Settling, message);
            return false;
        }
        is_whole
    }

    fn assign(
        &self,
        gather: &mut Gather<'a>,
        grant: &Grant<'a>,
        group: &Target,
        roles: &BTreeSet<RoleTemplateId>,
        failed: Option<&DelegatedAssignment>,
    ) {
        let path = path_of(grant.to.as_str());
        let memory = &self.seat.subject.memory;
        let verdict = if self.is_new(&path) && !memory.ignores(&path) {
            let new = whole(&path, Value::Null, words(roles), Cause::Create);
            Verdict::Change(Box::new(new))
        } else {
            memory.field(&path, &words(roles), &Value::Null, Same::Exactly)
        };
        let Some(change) = self.heed(gather, &path, verdict) else { return };
        let sent = Change::AssignDelegated {
            relationship: self.one.id.clone(),
            group: group.clone(),
            roles: roles.clone(),
            instead_of: failed.map(|failed| failed.id.clone()),
        };
        let summary = format!("give {} {} at {}", grant.to, listed(roles), self.company());
        self.push(gather, (Verb::Grant, grant.to.as_str()), summary, change, sent);
    }

    /// Whether it never gave a group what it is to have: it is new, or takes over from another one.
    fn is_new(&self, path: &str) -> bool {
        let applied = self.seat.subject.memory.applied();
        let was_given = applied.is_some_and(|applied| applied.fields.contains_key(path));
        let is_empty = self.one.found.assignments.as_ref().is_some_and(Vec::is_empty);
        self.one.hold == Hold::Made && is_empty && (!was_given || self.seat.living.len() > 1)
    }

    /// Another set of roles for a group that has some; without any, its assignment goes.
    fn reassign(
        &self,
        gather: &mut Gather<'a>,
        grant: &Grant<'a>,
        held: &DelegatedAssignment,
        roles: BTreeSet<RoleTemplateId>,
    ) {
        let path = path_of(grant.to.as_str());
        if roles.is_empty() {
            return self.drop(gather, held, &path, Cause::Change);
        }
        let memory = &self.seat.subject.memory;
        let verdict = memory.field(&path, &words(&roles), &words(&held.roles), Same::Exactly);
        let Some(change) = self.heed(gather, &path, verdict) else { return };
        let gained: Vec<_> = roles.difference(&held.roles).copied().collect();
        let lost: Vec<_> = held.roles.difference(&roles).copied().collect();
        let company = self.company();
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
        let sent = Change::UpdateDelegated {
            relationship: self.one.id.clone(),
            assignment: held.id.clone(),
            roles,
        };
        self.push(gather, (verb, grant.to.as_str()), summary, change, sent);
    }

    /// Whether a group that no grant names has what it has from others, in what others made.
    fn is_foreign(&self, gather: &Gather<'_>, held: &DelegatedAssignment) -> bool {
        self.one.hold == Hold::Adopted && !self.was_ours(&place_of(gather, held.group))
    }

    fn was_ours(&self, path: &str) -> bool {
        let applied = self.seat.subject.memory.applied();
        applied.and_then(|applied| applied.fields.get(path)).is_some_and(|roles| !roles.is_null())
    }

    /// Takes what a group has and is not to.
    fn unmap(&self, gather: &mut Gather<'a>, wanted: &Wanted<'a>, held: &DelegatedAssignment) {
        let path = place_of(gather, held.group);
        let to = path.strip_prefix("spec.grants.").unwrap_or(&path);
        let cause = match (wanted.has_expired(to), self.was_ours(&path)) {
            (true, _) => Cause::Expiry,
            (false, true) => Cause::Change,
            (false, false) => Cause::Drift,
        };
        self.drop(gather, held, &path, cause);
    }

    fn drop(&self, gather: &mut Gather<'a>, held: &DelegatedAssignment, path: &str, cause: Cause) {
        let change = whole(path, words(&held.roles), Value::Null, cause);
        let memory = &self.seat.subject.memory;
        let verdict = if memory.ignores(path) {
            Verdict::Ignored
        } else if memory.is_settling() && cause == Cause::Drift {
            Verdict::Settling
        } else {
            Verdict::Change(Box::new(change))
        };
        let Some(change) = self.heed(gather, path, verdict) else { return };
        let exists = gather.input.snapshot.groups.contains_key(&held.group);
        let sent = Change::UnassignDelegated {
            relationship: self.one.id.clone(),
            assignment: held.id.clone(),
            group: held.group,
        };
        let (taken, company) = (listed(&held.roles), self.company());
        let summary = if exists {
            format!("take {taken} from {} at {company}", group_name(gather, held.group))
        } else {
            format!("take {taken} at {company} from a group that no longer exists")
        };
        let to = path.strip_prefix("spec.grants.").unwrap_or(path).to_owned();
        self.push(gather, (Verb::Revoke, &to), summary, change, sent);
    }
}

/// What becomes of a relationship beside the one that took over.
pub(super) enum Beside {
    /// Everything that it gives is given: it can end.
    Replaced,
    /// By it, groups that are none of our business have something.
    Others(Vec<String>),
    /// Not everything is given yet.
    Needed,
}

/// What one that another took over from still gives. What nobody is to have any more is taken at once:
/// it does not wait until the other one gives everything.
pub(super) fn beside<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    best: &Relation<'a>,
    one: &Relation<'a>,
) -> Beside {
    let Some(all) = &one.found.assignments else { return Beside::Needed };
    let place = Place { seat, one, is_beside: true };
    let gives = |group: ObjectId| -> BTreeSet<RoleTemplateId> {
        let all = best.found.assignments.iter().flatten();
        let held = all.filter(|held| held.group == group && is_active(held));
        held.flat_map(|held| held.roles.intersection(&best.found.roles).copied()).collect()
    };
    let (mut others, mut is_needed) = (Vec::new(), false);
    for held in all.iter().filter(|held| is_there(held)) {
        let is_covered = held.roles.is_subset(&gives(held.group));
        let grant = wanted.grants.iter().find(|grant| grant.group == Ok(Target::Id(held.group)));
        if let Some(grant) = grant {
            is_needed |= !is_covered;
            let rest: BTreeSet<_> = held.roles.intersection(&grant.roles).copied().collect();
            if rest != held.roles && !has_failed(held) {
                is_needed = true;
                place.reassign(gather, grant, held, rest);
            }
        } else if place.is_foreign(gather, held) {
            if is_covered {
                continue;
            }
            let role = role_of(gather, held.group).map(|role| format!("role/{role}"));
            others.push(role.unwrap_or_else(|| group_name(gather, held.group)));
        } else {
            is_needed = true;
            place.unmap(gather, wanted, held);
        }
    }
    match others.as_slice() {
        _ if is_needed => Beside::Needed,
        [] => Beside::Replaced,
        _ => Beside::Others(others),
    }
}

fn group_name(gather: &Gather<'_>, id: ObjectId) -> String {
    let group = gather.input.snapshot.groups.get(&id);
    group.map_or_else(|| id.to_string(), |group| format!("the group {}", group.name))
}

/// Where the roles of a group stand.
fn place_of(gather: &Gather<'_>, group: ObjectId) -> String {
    path_of(role_of(gather, group).as_deref().unwrap_or(&group.to_string()))
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
