//! The way back from a run: what it did is taken back, the latest first, as far as it still is as the
//! run left it.
//!
//! It follows from what the journal says that the run did, and from how things stand; manifests have
//! no say. What somebody changed since is left alone, and what cannot be taken back is named before
//! anything begins. What is as it was before is passed over, so that a run is undone only once.

mod accounts;
mod customers;
mod delegated;
mod groups;
mod held;
mod profiles;

use std::collections::HashMap;

use serde_json::Value;

use super::bind::object_id;
use super::change::{Change, Target};
use super::compare::{Memory, Same};
use super::draft::{Drafts, Subject, whole};
use super::gather::Gather;
use super::input::Input;
use super::step::{Cause, FieldChange, Source, State, Step, Verb};
use super::users::bare;
use super::{Planned, roles, target};
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::model::tenant::{CustomerRef, Delegated, GroupRef, ObjectId, Scope};

/// Something that a run did.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    pub step: Step,
    /// The id of what it made or touched, as the service gave it.
    pub remote_id: Option<String>,
}

/// Plans the way back from what a run did; its deeds stand in the order in which it did them.
pub fn undo(input: &Input<'_>, deeds: &[Deed]) -> Planned {
    let mut gather = Gather::new(input);
    // Whether manifests fit the tenant is another question.
    gather.drafts = Drafts::default();
    roles::former_groups(&mut gather);
    let made = made(deeds);
    for deed in deeds.iter().rev() {
        let subject = subject(input, &deed.step.object);
        Back { gather: &mut gather, deed, subject, made: &made }.take();
    }
    target::keep(&mut gather);
    super::finish(gather)
}

/// Lets a scope hold all that deeds are about, whatever the manifests speak of by now.
pub fn widen(scope: &mut Scope, deeds: &[Deed]) {
    let made = made(deeds);
    let find = |target: &Target| found(&made, target);
    for deed in deeds {
        match &deed.step.change {
            Change::AddMember { group, .. }
            | Change::RemoveMember { group, .. }
            | Change::UpdateGroup { group, .. } => {
                scope.groups.extend(find(group).map(GroupRef::Id));
            }
            Change::CreateGroup { .. } => {
                let id = made.get(&deed.step.object).copied();
                scope.groups.extend(id.map(GroupRef::Id));
                // A group that customers know is not deleted.
                scope.delegated = Delegated::All;
            }
            Change::CreateUser { .. }
            | Change::AddAccountRole { .. }
            | Change::RemoveAccountRole { .. } => scope.account_roles = true,
            Change::PutProfile { profile, .. } => {
                scope.profiles.0.insert(*profile);
            }
            Change::RequestDelegation { .. } => scope.delegated = Delegated::All,
            change if change.relationship().is_some() => scope.delegated = Delegated::All,
            Change::PutCustomerBilling { customer, .. } => {
                let who = CustomerRef::Tenant(*customer);
                let details = scope.details.entry(who).or_default();
                details.billing = true;
            }
            _ => {}
        }
    }
}

/// What the run made, by what it made it for.
fn made(deeds: &[Deed]) -> HashMap<ObjectKey, ObjectId> {
    deeds
        .iter()
        .filter(|deed| deed.step.verb == Verb::Create)
        .filter_map(|deed| {
            Some((deed.step.object.clone(), deed.remote_id.as_deref().and_then(object_id)?))
        })
        .collect()
}

fn found(made: &HashMap<ObjectKey, ObjectId>, target: &Target) -> Option<ObjectId> {
    match target {
        Target::Id(id) => Some(*id),
        Target::MadeFor(key) => made.get(key).copied(),
    }
}

/// An object by what is remembered of it; whatever its document says now.
fn subject<'a>(input: &Input<'a>, key: &ObjectKey) -> Subject<'a> {
    let recorded = input.record.object(key);
    let memory = Memory::new(recorded, None, input.now, input.lags);
    Subject { key: key.clone(), source: source(input, key), memory }
}

/// Where it is declared, if it still is.
fn source(input: &Input<'_>, key: &ObjectKey) -> Option<Source> {
    let (estate, name) = (input.estate, key.name.as_str());
    let origin = match key.kind {
        Kind::Account => estate.account.as_ref().map(|one| one.origin),
        Kind::User => estate.users.get(name).map(|one| one.origin),
        Kind::Role => estate.roles.get(name).map(|one| one.origin),
        Kind::Customer => estate.customers.get(name).map(|one| one.origin),
        Kind::DelegatedAccess => {
            let template = name.split('/').next().unwrap_or_default();
            estate.delegated_access.get(template).map(|one| one.origin)
        }
        _ => None,
    };
    origin.and_then(|origin| (input.source_of)(origin))
}

/// One deed, on its way back.
struct Back<'g, 'a> {
    gather: &'g mut Gather<'a>,
    deed: &'g Deed,
    subject: Subject<'a>,
    made: &'g HashMap<ObjectKey, ObjectId>,
}

impl Back<'_, '_> {
    fn take(self) {
        match &self.deed.step.change {
            Change::CreateUser { .. } => self.created_user(),
            Change::UpdateUser { user, .. } => self.updated_user(user),
            Change::DeleteUser { user } => self.deleted_user(user),
            Change::ResetPassword { .. } => self.reset_password(),
            Change::CreateGroup { .. } => self.created_group(),
            Change::UpdateGroup { group, .. } => self.updated_group(group),
            Change::AddMember { .. }
            | Change::AssignRole { .. }
            | Change::AddAccountRole { .. } => self.given(),
            Change::RemoveMember { .. }
            | Change::RemoveRole { .. }
            | Change::RemoveAccountRole { .. } => self.taken(),
            Change::PutProfile { profile, members } => self.profile(*profile, members),
            Change::PutCustomerBilling { customer, members } => self.billing(*customer, members),
            Change::RestoreUser { user } => self.restored_user(user),
            Change::DeleteGroup { .. } => self.deleted_group(),
            Change::CreateCustomer { .. } => self.created_customer(),
            Change::AskQualification { customer, qualification, .. } => {
                self.asked(*customer, qualification);
            }
            Change::EndRelationship { customer } => self.ended(*customer),
            Change::RequestDelegation { .. } => self.requested(),
            Change::UpdateDelegation { relationship, .. } => self.updated_delegation(relationship),
            Change::LockDelegation { relationship }
            | Change::DeleteDelegation { relationship }
            | Change::TerminateDelegation { relationship } => self.ended_delegation(relationship),
            Change::AssignDelegated { relationship, group, .. } => {
                self.assigned(relationship, group);
            }
            Change::UpdateDelegated { relationship, assignment, .. } => {
                self.reassigned(relationship, assignment);
            }
            Change::UnassignDelegated { relationship, group, .. } => {
                self.unassigned(relationship, *group);
            }
        }
    }

    fn say(&mut self, state: State, message: impl Into<String>) {
        self.gather.drafts.say(&self.subject.key, state, message);
    }

    fn id(&self, target: &Target) -> Option<ObjectId> {
        found(self.made, target)
    }

    /// What the run made by this deed.
    fn own(&self) -> Option<ObjectId> {
        self.made.get(&self.deed.step.object).copied()
    }

    fn is_protected(&self) -> bool {
        self.subject.memory.recorded().is_some_and(|known| known.managed.is_protected)
    }

    /// A field as it was before the run, if it still is as the run left it.
    fn back(&mut self, change: &FieldChange, live: &Value, same: Same) -> Option<FieldChange> {
        let FieldChange { path, before, after, .. } = change;
        let known = self.subject.memory.recorded();
        let is_as_left = same.holds(after, live)
            || known.is_some_and(|known| known.managed.is_rewriting(path, after, live));
        if is_as_left {
            let before = before.clone();
            return Some(whole(path, live.clone(), before, Cause::Undo));
        }
        if same.holds(before, live) && !self.subject.memory.is_settling() {
            return None;
        }
        if self.subject.memory.is_settling() {
            let message = format!("{path} was written a moment ago and is not seen yet");
            self.say(State::Settling, message);
        } else {
            let message = format!(
                "{path} was set to {} by the run and is {} by now",
                shown(after),
                shown(live)
            );
            self.say(State::Stale, message);
        }
        None
    }
}

fn names(changes: &[FieldChange]) -> String {
    changes.iter().map(|change| bare(&change.path)).collect::<Vec<_>>().join(", ")
}

/// A value in a sentence.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
