//! Delegated access: what a customer has not seen yet is taken back, and what groups may do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Back;
use crate::model::id::RoleTemplateId;
use crate::model::tenant::{
    DelegatedAssignment, Delegation, DelegationStatus, ObjectId, RelationshipId,
};
use crate::plan::change::{Change, Target};
use crate::plan::compare::Same;
use crate::plan::delegated::cost;
use crate::plan::delegated::{
    EXTENSION, ROLES, STATUS, extension_days, extension_word, status_word, words,
};
use crate::plan::draft::whole;
use crate::plan::effect::Effect;
use crate::plan::step::{Cause, FieldChange, Guard, State, Step, Verb};

impl<'a> Back<'_, 'a> {
    fn relationship(&self, id: &RelationshipId) -> Option<&'a Delegation> {
        self.gather.input.snapshot.delegated.get(id)
    }

    /// The one that the run asked for.
    pub(super) fn requested(mut self) {
        let id = self.deed.remote_id.clone().map(RelationshipId);
        let Some((id, found)) = id.and_then(|id| Some((id.clone(), self.relationship(&id)?)))
        else {
            return;
        };
        match found.status {
            DelegationStatus::Created => self.delete(&id, found),
            DelegationStatus::Active => self.terminate(&id, found),
            DelegationStatus::Expired
            | DelegationStatus::Terminated
            | DelegationStatus::Terminating
            | DelegationStatus::TerminationRequested
            | DelegationStatus::Expiring => {}
            DelegationStatus::ApprovalPending => {
                let message = format!(
                    "the request {} cannot be withdrawn: it lapses unless the customer approves it",
                    found.name
                );
                self.say(State::Final, message);
            }
            DelegationStatus::Approved
            | DelegationStatus::Activating
            | DelegationStatus::Other(_) => {
                let message = format!("{} is {} by now", found.name, status_word(&found.status));
                self.say(State::Stale, message);
            }
        }
    }

    fn delete(&mut self, id: &RelationshipId, found: &Delegation) {
        let fields = vec![whole(ROLES, words(&found.roles), Value::Null, Cause::Undo)];
        let summary = format!("delete the request {}, of which nobody knows yet", found.name);
        let sent = Change::DeleteDelegation { relationship: id.clone() };
        let step = self.step("delete", Verb::Delete, summary, fields, sent);
        self.push(step, found, id, &[]);
    }

    fn terminate(&mut self, id: &RelationshipId, found: &Delegation) {
        if self.is_protected() {
            let message = "it is protected, and stays";
            return self.say(State::Final, message);
        }
        let fields = vec![whole(ROLES, words(&found.roles), Value::Null, Cause::Undo)];
        let summary = format!("end {}, which the customer has approved since", found.name);
        let sent = Change::TerminateDelegation { relationship: id.clone() };
        let mut step = self.step("end", Verb::End, summary, fields, sent);
        step.irreversible =
            Some("only the customer can bring it back, by approving a new request".to_owned());
        self.push(step, found, id, &[ROLES]);
    }

    pub(super) fn updated_delegation(mut self, id: &RelationshipId) {
        let Some(found) = self.relationship(id) else { return };
        let fields: Vec<FieldChange> = self.deed.step.fields.clone();
        for change in &fields {
            if change.path == EXTENSION {
                let live = extension_word(found.auto_extend_days);
                let Some(back) = self.back(change, &live, Same::Exactly) else { continue };
                let Some(days) = extension_days(&back.after) else { continue };
                let sent = Change::UpdateDelegation {
                    relationship: id.clone(),
                    days: None,
                    roles: None,
                    extend_days: Some(days),
                };
                let summary = format!("extend {} as before", found.name);
                let step = self.step("update", Verb::Update, summary, vec![back], sent);
                self.push(step, found, id, &[EXTENSION]);
            } else if change.path == ROLES && found.roles.len() < count(&change.before) {
                let message =
                    "what a customer approved and was given back can only be asked for anew";
                self.say(State::Final, message);
            }
        }
    }

    /// What was ended, deleted, or shown to the customer.
    pub(super) fn ended_delegation(mut self, id: &RelationshipId) {
        let is_over = self.relationship(id).is_none_or(|found| {
            !matches!(found.status, DelegationStatus::Active | DelegationStatus::Created)
        });
        if is_over {
            let message = "nothing brings it back but a new request, which the customer approves";
            self.say(State::Final, message);
        }
    }

    /// What a group was given is taken.
    pub(super) fn assigned(mut self, id: &RelationshipId, group: &Target) {
        let Some(group) = self.id(group) else { return };
        let Some((found, held)) = self.held_there(id, |held| held.group == group) else { return };
        let Some(change) = self.deed.step.fields.first().cloned() else { return };
        let Some(back) = self.back(&change, &words(&held.roles), Same::Exactly) else { return };
        let path = back.path.clone();
        let sent = Change::UnassignDelegated {
            relationship: id.clone(),
            assignment: held.id.clone(),
            group,
        };
        let summary = format!("take from a group again what {} gives it", found.name);
        let step = self.step("revoke", Verb::Revoke, summary, vec![back], sent);
        self.push(step, found, id, &[&path]);
    }

    /// What a group had is given again.
    pub(super) fn unassigned(mut self, id: &RelationshipId, group: ObjectId) {
        let Some(change) = self.deed.step.fields.first().cloned() else { return };
        let found = self.relationship(id);
        let Some(found) = found.filter(|one| one.status == DelegationStatus::Active) else {
            let message =
                "the relationship is not active any more: nobody can be given anything by it";
            return self.say(State::Final, message);
        };
        if !self.gather.input.snapshot.groups.contains_key(&group) {
            let message = "it is not given again: the group is no longer there";
            return self.say(State::Final, message);
        }
        let live = self.held_there(id, |held| held.group == group);
        let live = live.map_or(Value::Null, |(_, held)| words(&held.roles));
        let Some(back) = self.back(&change, &live, Same::Exactly) else { return };
        let Some(roles) = roles_of(&back.after) else { return };
        let path = back.path.clone();
        let sent = Change::AssignDelegated {
            relationship: id.clone(),
            group: Target::Id(group),
            roles,
            instead_of: None,
        };
        let summary = format!("give a group again what {} gave it", found.name);
        let step = self.step("grant", Verb::Grant, summary, vec![back], sent);
        self.push(step, found, id, &[&path]);
    }

    pub(super) fn reassigned(mut self, id: &RelationshipId, assignment: &str) {
        let Some(change) = self.deed.step.fields.first().cloned() else { return };
        let Some((found, held)) = self.held_there(id, |held| held.id == assignment) else {
            let message = "the assignment is no longer there";
            return self.say(State::Stale, message);
        };
        let Some(back) = self.back(&change, &words(&held.roles), Same::Exactly) else { return };
        let Some(mut roles) = roles_of(&back.after) else { return };
        roles.retain(|role| found.roles.contains(role));
        let gives = !roles.is_subset(&held.roles);
        let takes = !held.roles.is_subset(&roles);
        let verb = match (gives, takes) {
            (true, false) => Verb::Grant,
            (false, true) => Verb::Revoke,
            _ => Verb::Update,
        };
        let path = back.path.clone();
        let sent = Change::UpdateDelegated {
            relationship: id.clone(),
            assignment: held.id.clone(),
            roles,
        };
        let summary = format!("let a group have again what {} gave it", found.name);
        let step = self.step(verb.word(), verb, summary, vec![back], sent);
        self.push(step, found, id, &[&path]);
    }

    fn held_there(
        &self,
        id: &RelationshipId,
        which: impl Fn(&DelegatedAssignment) -> bool,
    ) -> Option<(&'a Delegation, &'a DelegatedAssignment)> {
        let found = self.relationship(id)?;
        let mut all = found.assignments.iter().flatten();
        let held = all.find(|held| {
            which(held) && !matches!(held.status.as_str(), "deleting" | "deleted" | "error")
        })?;
        (found.status == DelegationStatus::Active).then_some((found, held))
    }

    /// A step of the way back; several deeds may be about one seat.
    fn step(
        &self,
        what: &str,
        verb: Verb,
        summary: String,
        fields: Vec<FieldChange>,
        sent: Change,
    ) -> Step {
        let path = fields.first().map(|field| field.path.clone()).unwrap_or_default();
        let of = path.strip_prefix("spec.grants.").map(|to| format!("/{to}"));
        self.subject.step(&format!("{what}{}", of.unwrap_or_default()), verb, summary, fields, sent)
    }

    fn push(&mut self, mut step: Step, found: &Delegation, id: &RelationshipId, paths: &[&str]) {
        let mut seen: BTreeMap<String, Value> = step
            .fields
            .iter()
            .filter(|field| paths.contains(&field.path.as_str()))
            .map(|field| (field.path.clone(), field.before.clone()))
            .collect();
        seen.insert(STATUS.to_owned(), status_word(&found.status).into());
        step.guard = Guard { remote_id: Some(id.0.clone()), seen, ..Guard::default() };
        step.cost = cost::of(&step.change, found, &self.gather.input.snapshot.groups);
        self.gather.push(step, Effect::Nothing);
    }
}

fn count(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// Roles as they stand in a field.
fn roles_of(value: &Value) -> Option<BTreeSet<RoleTemplateId>> {
    use crate::model::directory_role::DirectoryRole;
    use crate::model::scalar::Scalar;
    let names = value.as_array()?.iter().filter_map(Value::as_str);
    names.map(|name| DirectoryRole::parse(name).ok().map(|role| role.0)).collect()
}
