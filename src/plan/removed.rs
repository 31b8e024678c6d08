//! Documents that are gone: by kind, and never more than what we made or gave.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bind::{object_id, tenant_id};
use super::change::{Change, Target};
use super::draft::{Errand, Subject, whole};
use super::effect::Effect;
use super::file::Why;
use super::gather::Gather;
use super::holdings;
use super::record::is_ours;
use super::step::{Cause, State, Verb};
use super::users::ENABLED;
use crate::model::metadata::OnRemoval;
use crate::model::name::Kind;
use crate::model::record::{ObjectKey, Recorded};
use crate::model::tenant::{Group, ObjectId};

/// Whether there is still a document for what is remembered: under its name, under one that it has
/// now, or as something that another document means now.
pub(super) fn is_declared(gather: &Gather<'_>, key: &ObjectKey, recorded: &Recorded) -> bool {
    let estate = gather.input.estate;
    let name = key.name.as_str();
    let remote = recorded.managed.remote_id.as_deref();
    match key.kind {
        Kind::Account => estate.account.is_some(),
        Kind::User => {
            estate.users.contains_key(name)
                || estate.users.values().any(|user| was(&user.metadata, name))
                || remote.and_then(object_id).is_some_and(|id| gather.user_of(id).is_some())
        }
        Kind::Role => {
            let bound = || remote.and_then(object_id);
            estate.roles.contains_key(name)
                || estate.roles.values().any(|role| was(&role.metadata, name))
                || bound().is_some_and(|id| {
                    gather.bound.roles.values().any(|binding| binding.live() == Some(id))
                })
        }
        Kind::Partnership => {
            estate.partnerships.contains_key(name)
                || estate.partnerships.values().any(|one| {
                    was(&one.metadata, name)
                        || remote.and_then(tenant_id) == Some(one.spec.tenant_id)
                })
        }
        // Customers are released, and nothing follows from it.
        _ => true,
    }
}

fn was(metadata: &crate::model::metadata::Metadata, name: &str) -> bool {
    metadata.formerly.iter().any(|former| former.as_str() == name)
}

pub(super) fn plan(gather: &mut Gather<'_>) {
    if !gather.input.is_complete {
        return;
    }
    let record = gather.input.record;
    for kind in [Kind::User, Kind::Role, Kind::Partnership] {
        for (key, recorded) in record.of_kind(kind) {
            if is_declared(gather, key, recorded) {
                continue;
            }
            if recorded.managed.is_protected {
                gather.drafts.refuse(
                    Why::Guard,
                    format!("`{key}` is protected, and its document is gone"),
                    "bring the document back, or first apply it with `protect: false`, and delete it then",
                );
                continue;
            }
            let subject = Subject::gone(gather.input, key, recorded);
            match kind {
                Kind::User => user(gather, &subject, recorded),
                Kind::Role => role(gather, &subject, recorded),
                _ => partnership(gather, &subject, recorded),
            }
        }
    }
}

fn user(gather: &mut Gather<'_>, subject: &Subject<'_>, recorded: &Recorded) {
    let id = recorded.managed.remote_id.as_deref().and_then(object_id);
    let Some(id) = id.filter(|id| gather.input.snapshot.users.contains_key(id)) else { return };
    let target = Target::Id(id);
    let Some(applied) = subject.memory.applied().cloned() else { return };
    for held in holdings::live(gather, id).held {
        if applied.granted.contains(&held.element()) {
            holdings::revoke(gather, subject, &target, &held, Some(Cause::Remove));
        }
    }
    match applied.on_removal() {
        OnRemoval::Release => {}
        OnRemoval::Disable => disable(gather, subject, id),
        OnRemoval::Delete if is_ours(&recorded.managed) => {
            delete(gather, subject, id, Cause::Remove);
        }
        OnRemoval::Delete => {
            let message = "its document said to delete it, but the account was there before us: it is released";
            gather.drafts.say(&subject.key, State::Unmanaged, message);
        }
    }
}

fn disable(gather: &mut Gather<'_>, subject: &Subject<'_>, id: ObjectId) {
    let found = gather.input.snapshot.users.get(&id);
    if found.is_none_or(|user| user.enabled != Some(true) || user.is_synced) {
        return;
    }
    let user = Target::Id(id);
    let fields = vec![whole(ENABLED, true.into(), false.into(), Cause::Remove)];
    let guard = gather.guard_of(id, &fields);
    let sent = Change::UpdateUser {
        user: user.clone(),
        fields: BTreeMap::from([("accountEnabled".to_owned(), Value::Bool(false))]),
    };
    let summary = format!("keep {} from signing in: its document is gone", subject.key);
    let mut step = subject.step("disable", Verb::Disable, summary, fields, sent);
    step.guard = guard;
    step.cost.removals = 1;
    gather.push(step, Effect::Disables { user });
}

/// Deletes an account, after all that is taken from it.
pub(super) fn delete(gather: &mut Gather<'_>, subject: &Subject<'_>, id: ObjectId, cause: Cause) {
    let Some(found) = gather.input.snapshot.users.get(&id) else { return };
    let user = Target::Id(id);
    let name = Value::from(found.sign_in_name.as_str());
    let fields = vec![whole("spec.signInName", name, Value::Null, cause)];
    let guard = gather.guard_of(id, &fields);
    let summary = format!("delete {}, who signs in as {}", subject.key, found.sign_in_name);
    let sent = Change::DeleteUser { user: user.clone() };
    let mut step = subject.step("delete", Verb::Delete, summary, fields, sent);
    step.guard = guard;
    step.cost.removals = 1;
    step.depends_on = gather
        .drafts
        .steps
        .iter()
        .filter(|other| other.verb == Verb::Revoke && other.change.targets().contains(&&user))
        .map(|other| other.id.clone())
        .collect();
    gather.push(step, Effect::Deletes { user });
}

fn role(gather: &mut Gather<'_>, subject: &Subject<'_>, recorded: &Recorded) {
    let id = recorded.managed.remote_id.as_deref().and_then(object_id);
    let Some((id, group)) = id.and_then(|id| Some((id, gather.input.snapshot.groups.get(&id)?)))
    else {
        return;
    };
    if !is_ours(&recorded.managed) {
        return;
    }
    if is_in_use(gather, id, group) {
        let message = format!(
            "its document is gone, and its group {} is still in use: it is released",
            group.name
        );
        return gather.drafts.say(&subject.key, State::Unmanaged, message);
    }
    delete_group(gather, subject, id, Cause::Remove);
}

/// Whether anybody or anything would miss a group.
pub(super) fn is_in_use(gather: &Gather<'_>, id: ObjectId, group: &Group) -> bool {
    // Those whom this plan takes out leave it empty.
    let leaving: std::collections::HashSet<ObjectId> = gather
        .drafts
        .steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::RemoveMember { group: Target::Id(group), member: Target::Id(member) }
                if *group == id =>
            {
                Some(*member)
            }
            _ => None,
        })
        .collect();
    group
        .members
        .as_ref()
        .is_none_or(|members| members.keys().any(|member| !leaving.contains(member)))
        || group.is_role_assignable
        || gather.input.snapshot.assignments.iter().any(|held| held.principal == id)
        || gather.input.snapshot.delegated.values().any(|delegation| {
            !delegation.status.is_over()
                && delegation.assignments.iter().flatten().any(|held| held.group == id)
        })
}

/// Deletes a group, after all who are taken out of it.
pub(super) fn delete_group(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    id: ObjectId,
    cause: Cause,
) {
    let Some(group) = gather.input.snapshot.groups.get(&id) else { return };
    let fields = vec![whole("spec.group.name", group.name.as_str().into(), Value::Null, cause)];
    let mut guard = super::step::Guard { remote_id: Some(id.to_string()), ..Default::default() };
    guard.seen = super::gather::seen(&fields);
    let summary = format!("delete the group {}, which is empty", group.name);
    let sent = Change::DeleteGroup { group: Target::Id(id) };
    let mut step = subject.step("delete", Verb::Delete, summary, fields, sent);
    step.guard = guard;
    step.cost.removals = 1;
    step.depends_on = gather
        .drafts
        .steps
        .iter()
        .filter(|other| matches!(&other.change, Change::RemoveMember { group: Target::Id(group), .. } if *group == id))
        .map(|other| other.id.clone())
        .collect();
    gather.push(step, Effect::Nothing);
}

fn partnership(gather: &mut Gather<'_>, subject: &Subject<'_>, recorded: &Recorded) {
    if !is_ours(&recorded.managed) {
        return;
    }
    let tenant = recorded.managed.remote_id.as_deref().and_then(tenant_id);
    let found = gather
        .input
        .snapshot
        .partnerships
        .iter()
        .find(|one| Some(one.tenant) == tenant && one.state == "active");
    let Some(found) = found else { return };
    let errand = Errand {
        confirms: None,
        object: &subject.key,
        step: format!("{}/end", subject.key),
        message: format!("the document of the partnership with {} is gone", found.name),
        awaiting: "an administrator of ours".to_owned(),
        link: None,
        instructions: "If it is to end, the provider removes it in Partner Center, under Indirect resellers, Remove partnership; otherwise bring the document back.".to_owned(),
    };
    let told = errand.report(gather.input);
    gather.drafts.report.push(told);
}
