//! Accounts that a run made, changed, deleted or restored.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Back, names};
use crate::model::directory_role::DirectoryRole;
use crate::model::tenant::ObjectId;
use crate::plan::change::{Change, Target};
use crate::plan::draft::whole;
use crate::plan::effect::Effect;
use crate::plan::gather::Gather;
use crate::plan::removed;
use crate::plan::roles::few;
use crate::plan::step::{Cause, Guard, State, Verb};
use crate::plan::users::{ENABLED, FIELDS, Field};

impl Back<'_, '_> {
    pub(super) fn created_user(mut self) {
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

    pub(super) fn reset_password(mut self) {
        let message = "its password is another by now: nobody has the one before, and it can only be given a new one";
        self.say(State::Final, message);
    }

    pub(super) fn updated_user(mut self, user: &Target) {
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

    pub(super) fn deleted_user(mut self, user: &Target) {
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

    pub(super) fn restored_user(mut self, user: &Target) {
        let is_there =
            self.id(user).is_some_and(|id| self.gather.input.snapshot.users.contains_key(&id));
        if is_there {
            let message = "the account was restored by the run and is not deleted again: it may hold what others gave it before; it can be disabled or deleted by its document";
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
    held.extend(roles.map(|held| format!("the role {}", DirectoryRole(held.role))));
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
