//! The way back from a run: what it did is taken back, the latest first, as far as it still is as the
//! run left it.
//!
//! It follows from what the journal says that the run did, and from how things stand; manifests have
//! no say. What somebody changed since is left alone, and what cannot be taken back is named before
//! anything begins. What is as it was before is passed over, so that a run is undone only once.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::bind::object_id;
use super::change::{Change, Target};
use super::compare::{Memory, Same};
use super::draft::{Drafts, Subject, whole};
use super::effect::Effect;
use super::gather::{Gather, seen};
use super::holdings::{self, Held, Standing};
use super::input::Input;
use super::record::is_ours;
use super::roles::{DESCRIPTION, MEMBERS, NAME, few};
use super::step::{Cause, FieldChange, Guard, Source, State, Step, Verb};
use super::users::{ENABLED, FIELDS, Field, bare};
use super::{Planned, guard, removed, roles, target};
use crate::model::id::TenantId;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::model::tenant::{
    CustomerRef, Delegated, GroupRef, ObjectId, Profile, ProfileKind, Scope,
};

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

    fn created_user(mut self) {
        let Some(id) = self.own() else { return };
        let Some(user) = self.gather.input.snapshot.users.get(&id) else { return };
        if self.is_protected() {
            return self.say(State::Held, "the account is protected, so it is not deleted");
        }
        if user.is_synced {
            let message = "the account is kept on premises by now, so it is not deleted";
            return self.say(State::Foreign, message);
        }
        let held = still_held(self.gather, id);
        if !held.is_empty() {
            let message =
                format!("the account is not deleted: it was given more since ({})", few(&held));
            return self.say(State::Stale, message);
        }
        removed::delete(self.gather, &self.subject, id, Cause::Undo);
    }

    fn deleted_user(mut self, user: &Target) {
        let Some(id) = self.id(user) else { return };
        let snapshot = self.gather.input.snapshot;
        if snapshot.users.contains_key(&id) {
            return;
        }
        let Some(deleted) = snapshot.deleted_users.get(&id) else {
            let message =
                "the account was deleted and is no longer to be restored: that goes for 30 days";
            return self.say(State::Final, message);
        };
        let summary = format!(
            "restore {}, who signed in as {}, without letting them sign in",
            self.subject.key, deleted.sign_in_name
        );
        let fields = vec![whole(ENABLED, Value::Null, false.into(), Cause::Undo)];
        let user = Target::Id(id);
        let sent = Change::RestoreUser { user: user.clone() };
        let mut step = self.subject.step("restore", Verb::Restore, summary, fields, sent);
        step.guard = Guard { remote_id: Some(id.to_string()), ..Guard::default() };
        self.gather.push(step, Effect::Restores { user });
        let message = "what a restored account still holds is seen only afterwards, so it is restored without being let in: bring its document back, and the next plan takes away what is not declared and lets it in";
        self.say(State::Held, message);
    }

    fn restored_user(mut self, user: &Target) {
        let is_there =
            self.id(user).is_some_and(|id| self.gather.input.snapshot.users.contains_key(&id));
        if is_there {
            let message = "the account was restored by the run and is not deleted again: it may hold what others gave it before; it can be disabled or deleted by its document";
            self.say(State::Final, message);
        }
    }

    fn updated_user(mut self, user: &Target) {
        let Some(id) = self.id(user) else { return };
        let Some(now) = self.gather.input.snapshot.users.get(&id) else {
            return self.say(State::Stale, "the account is no longer there");
        };
        let mut changes = Vec::new();
        let mut sent = BTreeMap::new();
        for change in &self.deed.step.fields {
            let Some(field) = FIELDS.iter().find(|field| field.path == change.path) else {
                continue;
            };
            let Some(back) = self.back(change, &(field.live)(now), field.same) else { continue };
            if now.is_synced && field.is_identity {
                let message = format!("{} is kept on premises, and left as it is", change.path);
                self.say(State::Foreign, message);
            } else if back.after.is_null() && !is_emptiable(field) {
                let message =
                    format!("{} had no value before the run, and cannot be emptied", change.path);
                self.say(State::Final, message);
            } else {
                sent.insert(field.wire.to_owned(), back.after.clone());
                changes.push(back);
            }
        }
        let Some(first) = changes.first() else { return };
        let (what, verb, effect) = match (first.path == ENABLED, first.after == Value::Bool(true)) {
            (true, true) => ("enable", Verb::Update, Effect::Enables { user: Target::Id(id) }),
            (true, false) => ("disable", Verb::Disable, Effect::Disables { user: Target::Id(id) }),
            (false, _) => ("update", Verb::Update, Effect::Nothing),
        };
        let summary = match what {
            "enable" => format!("let {} sign in again", self.subject.key),
            "disable" => format!("keep {} from signing in, as before", self.subject.key),
            _ => format!("set {} of {} as before", names(&changes), self.subject.key),
        };
        let guard = self.gather.guard_of(id, &changes);
        let change = Change::UpdateUser { user: Target::Id(id), fields: sent };
        let mut step = self.subject.step(what, verb, summary, changes, change);
        step.guard = guard;
        step.cost.removals = u32::from(verb == Verb::Disable);
        self.gather.push(step, effect);
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

    fn created_group(mut self) {
        let Some(id) = self.own() else { return };
        let Some(group) = self.gather.input.snapshot.groups.get(&id) else { return };
        if self.is_protected() {
            return self.say(State::Held, "the role is protected, so its group is not deleted");
        }
        let is_ours = self.subject.memory.recorded().is_none_or(|known| is_ours(&known.managed));
        if !is_ours || removed::is_in_use(self.gather, id, group) {
            let message = format!(
                "the group {} is not deleted: others are in it, or it is used elsewhere",
                group.name
            );
            return self.say(State::Stale, message);
        }
        removed::delete_group(self.gather, &self.subject, id, Cause::Undo);
    }

    fn deleted_group(mut self) {
        let name = self.deed.step.fields.first().map(|field| shown(&field.before));
        let message = format!(
            "the group {} was deleted, and a group does not come back: declared again, it is made anew, with another id and nobody in it",
            name.unwrap_or_default()
        );
        self.say(State::Final, message);
    }

    fn updated_group(mut self, group: &Target) {
        let Some(id) = self.id(group) else { return };
        let Some(now) = self.gather.input.snapshot.groups.get(&id) else {
            return self.say(State::Stale, "the group is no longer there");
        };
        let mut changes = Vec::new();
        let (mut name, mut description) = (None, None);
        for change in &self.deed.step.fields {
            let text = change.before.as_str().unwrap_or_default().to_owned();
            let live = match change.path.as_str() {
                NAME => now.name.as_str().into(),
                DESCRIPTION => now.description.as_deref().map_or(Value::Null, Value::from),
                _ => continue,
            };
            let Some(back) = self.back(change, &live, Same::Text) else { continue };
            // An empty description takes it away.
            *(if change.path == NAME { &mut name } else { &mut description }) = Some(text);
            changes.push(back);
        }
        if changes.is_empty() {
            return;
        }
        let guard =
            Guard { remote_id: Some(id.to_string()), seen: seen(&changes), ..Guard::default() };
        let summary = format!("describe the group of {} as before", self.subject.key);
        let sent = Change::UpdateGroup { group: Target::Id(id), name, description };
        let mut step = self.subject.step("update", Verb::Update, summary, changes, sent);
        step.guard = guard;
        self.gather.push(step, Effect::Nothing);
    }

    fn held(&self) -> Option<(ObjectId, Held)> {
        let made = self.made;
        holdings::of_step(self.gather, &self.deed.step, &|target| found(made, target))
    }

    /// What the run gave is taken.
    fn given(mut self) {
        let Some((id, held)) = self.held() else { return self.not_read() };
        if !self.gather.input.snapshot.users.contains_key(&id) {
            // Who is gone holds nothing.
            return;
        }
        match holdings::standing(self.gather, id, &held) {
            Standing::Held(now) if now.path == MEMBERS => self.member(id, &now, false),
            Standing::Held(now) => {
                let target = Target::Id(id);
                holdings::revoke(self.gather, &self.subject, &target, &now, Some(Cause::Undo));
            }
            Standing::NotHeld if self.subject.memory.is_settling() => {
                let message =
                    format!("{} was given a moment ago and is not seen yet", held.title());
                self.say(State::Settling, message);
            }
            Standing::NotHeld | Standing::NoGroup => {}
            Standing::Eligible => self.eligible(&held),
            Standing::NotOurs | Standing::CannotBeSeen => self.unseen(&held),
        }
    }

    /// What the run took is given again.
    fn taken(mut self) {
        let Some((id, held)) = self.held() else { return self.not_read() };
        let restore = self.gather.drafts.steps.iter().find(
            |step| matches!(&step.change, Change::RestoreUser { user } if *user == Target::Id(id)),
        );
        let restore = restore.map(|step| step.id.clone());
        if restore.is_none() && !self.gather.input.snapshot.users.contains_key(&id) {
            let message =
                format!("{} is not given again: the account is no longer there", held.title());
            return self.say(State::Stale, message);
        }
        match holdings::standing(self.gather, id, &held) {
            Standing::NotHeld if held.path == MEMBERS => self.member(id, &held, true),
            Standing::NotHeld => {
                holdings::give_back(self.gather, &self.subject, id, &held, restore);
            }
            Standing::Held(_) if self.subject.memory.is_settling() => {
                let message = format!("{} was taken a moment ago and is still seen", held.title());
                self.say(State::Settling, message);
            }
            Standing::Held(_) => {}
            Standing::Eligible => self.eligible(&held),
            Standing::NoGroup => {
                let message =
                    format!("{} is not given again: its group is no longer there", held.title());
                self.say(State::Final, message);
            }
            Standing::NotOurs | Standing::CannotBeSeen => self.unseen(&held),
        }
    }

    /// Whoever was taken out of an exclusive group, and whoever was put back into it.
    fn member(&mut self, id: ObjectId, held: &Held, comes_back: bool) {
        let (Change::RemoveMember { group, .. } | Change::AddMember { group, .. }) =
            &self.deed.step.change
        else {
            return;
        };
        let Some(group) = self.id(group) else { return };
        let groups = &self.gather.input.snapshot.groups;
        let title = groups.get(&group).map(|group| group.name.clone()).unwrap_or_default();
        let name = shown(&held.value);
        let (member, group) = (Target::Id(id), Target::Id(group));
        let (role, value) = (held.role.clone(), held.value.clone());
        let (what, verb, summary, field, sent) = if comes_back {
            (
                format!("grant/{role}/{id}"),
                Verb::Grant,
                format!("put {name} back into the group {title}"),
                whole(MEMBERS, Value::Null, value, Cause::Undo),
                Change::AddMember { group, member: member.clone() },
            )
        } else {
            (
                format!("revoke/{role}/{id}"),
                Verb::Revoke,
                format!("take {name} out of the group {title} again"),
                whole(MEMBERS, value, Value::Null, Cause::Undo),
                Change::RemoveMember { group, member: member.clone() },
            )
        };
        let mut step = self.subject.step(&what, verb, summary, vec![field], sent);
        let element = format!("{MEMBERS}:{}", self.subject.key.name);
        step.guard = self.gather.guard_on(&member, &element, !comes_back);
        step.cost.removals = u32::from(!comes_back);
        let effect = if comes_back {
            Effect::Gives { user: member, role }
        } else {
            Effect::Takes { user: member, role }
        };
        self.gather.push(step, effect);
    }

    fn eligible(&mut self, held: &Held) {
        let message = format!(
            "{} can be activated by now: whether it is held always is for people to settle",
            held.title()
        );
        self.say(State::Stale, message);
    }

    fn unseen(&mut self, held: &Held) {
        let message = format!(
            "{} is left as it is: who holds it cannot be seen, or is not ours to set",
            held.title()
        );
        self.say(State::Unrecognised, message);
    }

    fn not_read(&mut self) {
        let message =
            format!("the journal does not say enough of `{}` to take it back", self.deed.step.id);
        self.say(State::Final, message);
    }

    fn profile(mut self, kind: ProfileKind, members: &BTreeMap<String, Value>) {
        let Some(profile) = self.gather.input.snapshot.profiles.get(&kind) else {
            return self.say(State::Unrecognised, "its profile cannot be seen");
        };
        let (changes, sent) = self.members(profile, members);
        if changes.is_empty() {
            return;
        }
        let mut summary = format!("set {} of {} as before", names(&changes), self.subject.key);
        if kind == ProfileKind::Legal {
            summary.push_str(", which Microsoft then vets again");
        }
        let guard = Guard { seen: seen(&changes), ..Guard::default() };
        let change = Change::PutProfile { profile: kind, members: sent };
        let what = self.what();
        let mut step = self.subject.step(&what, Verb::Update, summary, changes, change);
        step.guard = guard;
        self.gather.push(step, Effect::Nothing);
    }

    fn billing(mut self, id: TenantId, members: &BTreeMap<String, Value>) {
        let snapshot = self.gather.input.snapshot;
        let found = snapshot.customers.get(&id).and_then(|found| found.details.billing.as_ref());
        let Some(profile) = found else {
            return self.say(State::Unrecognised, "its billing profile cannot be seen");
        };
        let (changes, sent) = self.members(profile, members);
        if changes.is_empty() {
            return;
        }
        let guard =
            Guard { remote_id: Some(id.to_string()), seen: seen(&changes), ..Guard::default() };
        let summary = format!("set the billing address of {} as before", self.subject.key);
        let change = Change::PutCustomerBilling { customer: id, members: sent };
        let what = self.what();
        let mut step = self.subject.step(&what, Verb::Update, summary, changes, change);
        step.guard = guard;
        step.cost.customer = Some(id.to_string());
        self.gather.push(step, Effect::Nothing);
    }

    /// The same part of an object has the same id, whichever way it goes.
    fn what(&self) -> String {
        let step = &self.deed.step;
        let prefix = format!("{}/", step.object);
        step.id.strip_prefix(&prefix).unwrap_or("update").to_owned()
    }

    /// Members of a profile as they were before, and as the service calls them.
    fn members(
        &mut self,
        profile: &Profile,
        members: &BTreeMap<String, Value>,
    ) -> (Vec<FieldChange>, BTreeMap<String, Value>) {
        let (mut changes, mut sent) = (Vec::new(), BTreeMap::new());
        for change in &self.deed.step.fields {
            let Some(wire) = guard::wire_of(&change.path) else { continue };
            let Some(wire) = members.keys().find(|member| guard::is_called(member, &wire)) else {
                continue;
            };
            let live = profile.at(wire).cloned().unwrap_or(Value::Null);
            let is_phone = wire.to_lowercase().ends_with("phone")
                || wire.to_lowercase().ends_with("phonenumber");
            let same = if is_phone { Same::Phone } else { Same::Text };
            if let Some(back) = self.back(change, &live, same) {
                sent.insert(wire.clone(), back.after.clone());
                changes.push(back);
            }
        }
        (changes, sent)
    }

    fn is_customer(&self, id: TenantId) -> bool {
        let found = self.gather.input.snapshot.customers.get(&id);
        found.is_some_and(crate::model::tenant::Customer::is_ours)
    }

    fn created_customer(mut self) {
        let id = self.deed.remote_id.as_deref().and_then(super::bind::tenant_id);
        if id.is_none_or(|id| self.is_customer(id)) {
            let message = "the tenant that was made for it stays: only its relationship with us can be ended, with `relationship: none`";
            self.say(State::Final, message);
        }
    }

    fn asked(mut self, customer: TenantId, qualification: &str) {
        if self.is_customer(customer) {
            let message =
                format!("{qualification} was asked for, and only Microsoft takes that back");
            self.say(State::Final, message);
        }
    }

    fn ended(mut self, customer: TenantId) {
        if !self.is_customer(customer) {
            let why = self.deed.step.irreversible.clone();
            let message = format!(
                "the relationship was ended: {}",
                why.unwrap_or_else(|| "only the customer can bring it back".to_owned())
            );
            self.say(State::Final, message);
        }
    }
}

/// Everything that an account holds and that the drafts do not take from it.
fn still_held(gather: &Gather<'_>, id: ObjectId) -> Vec<String> {
    let target = Target::Id(id);
    let leaves = |is: &dyn Fn(&Change) -> bool| {
        gather
            .drafts
            .steps
            .iter()
            .any(|step| step.change.targets().contains(&&target) && is(&step.change))
    };
    let groups = gather.index.groups_of(id).iter().filter(|group| {
        !leaves(&|change| {
            matches!(change, Change::RemoveMember { group: left, .. } if *left == Target::Id(**group))
        })
    });
    let name = |group: &ObjectId| {
        let found = gather.input.snapshot.groups.get(group);
        format!("the group {}", found.map_or_else(|| group.to_string(), |one| one.name.clone()))
    };
    let mut held: Vec<String> = groups.map(name).collect();
    let roles = gather.index.roles_of(id).iter().filter(|role| {
        !leaves(&|change| {
            matches!(change, Change::RemoveRole { assignment, .. } if *assignment == role.id)
        })
    });
    held.extend(roles.map(|held| {
        format!("the role {}", crate::model::directory_role::DirectoryRole(held.role))
    }));
    let account = gather.index.account_roles_of(id).iter().filter(|(role, _)| {
        !leaves(&|change| {
            matches!(change, Change::RemoveAccountRole { role: left, .. } if *left == role.id)
        })
    });
    held.extend(account.map(|(role, _)| format!("the role {}", role.name)));
    held
}

/// Whether the directory takes null for it.
fn is_emptiable(field: &Field) -> bool {
    matches!(
        field.wire,
        "givenName" | "surname" | "jobTitle" | "department" | "mobilePhone" | "preferredLanguage"
    )
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
