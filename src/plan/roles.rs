//! Roles: the groups that carry them, and who is in those without being declared.

use serde_json::Value;

use super::bind::{Binding, is_ours_to_set};
use super::change::{Change, Target};
use super::compare::Same;
use super::draft::{Subject, report, whole};
use super::effect::Effect;
use super::gather::{Gather, seen};
use super::step::{Cause, FieldChange, Guard, State, Verb};
use crate::model::Str;
use crate::model::estate::Declared;
use crate::model::name::{Kind, RoleKey};
use crate::model::record::ObjectKey;
use crate::model::role::{self, Membership, Role};
use crate::model::tenant::{Group, MemberKind, ObjectId};
use crate::policy::world::declared::agent_role;

pub(super) const NAME: &str = "spec.group.name";
const NICKNAME: &str = "spec.group.mailNickname";
pub(super) const DESCRIPTION: &str = "spec.description";
pub(super) const MEMBERS: &str = "spec.membership";

/// How many of a sort are named one by one before they are counted.
const NAMED_MAX: usize = 10;

pub(super) fn plan(gather: &mut Gather<'_>) {
    let estate = gather.input.estate;
    for (key, declared) in &estate.roles {
        let Some(group) = &declared.spec.group else { continue };
        let Some(binding) = gather.bound.roles.get(key).cloned() else { continue };
        let subject = Subject::declared(gather.input, Kind::Role, declared);
        match binding {
            Binding::Live(id) => live(gather, &subject, declared, group, id),
            Binding::Absent(_) => create(gather, &subject, declared, group),
            Binding::Gone(_) if gather.input.revive.contains(&subject.key) => {
                create(gather, &subject, declared, group);
            }
            Binding::Gone(_) => {
                let message = format!(
                    "its group is no longer in the tenant; it is made anew with `--revive {}`",
                    subject.key
                );
                gather.drafts.say(&subject.key, State::Gone, message);
            }
            Binding::Held => {}
        }
    }
}

/// The alias of a role's group: also what it is found again by.
fn nickname(key: &ObjectKey, mail_nickname: Option<&role::MailNickname>) -> String {
    mail_nickname.map_or(key.name.as_str(), |nickname| nickname.as_str()).to_owned()
}

fn create(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    declared: &Declared<Role>,
    group: &role::Group,
) {
    let (name, mail_nickname) = match group {
        role::Group::Named { name, mail_nickname } => {
            (name.as_str().to_owned(), nickname(&subject.key, mail_nickname.as_ref()))
        }
        // A group that is gone cannot come back under its id.
        role::Group::Existing(_) => {
            let message = "the group that it names by id is gone; give it a name, and it is made";
            return gather.drafts.say(&subject.key, State::Held, message);
        }
    };
    if declared.metadata.has_expired(gather.input.today) {
        let message = "its last day has passed, so its group is not made";
        return gather.drafts.say(&subject.key, State::Held, message);
    }
    let description = declared.spec.description.as_ref().map(|text| text.as_str().to_owned());
    let mut fields = vec![
        whole(NAME, Value::Null, name.as_str().into(), Cause::Create),
        whole(NICKNAME, Value::Null, mail_nickname.as_str().into(), Cause::Create),
    ];
    if let Some(description) = &description {
        fields.push(whole(DESCRIPTION, Value::Null, description.as_str().into(), Cause::Create));
    }
    let summary = format!("make the group {name} for {}", subject.key);
    let change = Change::CreateGroup { name, mail_nickname: mail_nickname.clone(), description };
    let mut step = subject.step("create", Verb::Create, summary, fields, change);
    step.guard.absent = Some(mail_nickname);
    gather.push(step, Effect::Nothing);
}

fn live(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    declared: &Declared<Role>,
    group: &role::Group,
    id: ObjectId,
) {
    let Some(found) = gather.input.snapshot.groups.get(&id) else { return };
    if !is_ours_to_set(found) {
        let message = format!(
            "the group {} is not a static security group of the cloud: its members are not ours to set",
            found.name
        );
        return gather.drafts.say(&subject.key, State::Foreign, message);
    }
    fields(gather, subject, declared, group, id, found);
    let membership = declared.spec.membership;
    let role = Str::from(subject.key.name.as_str());
    members(gather, subject, membership, &role, id, found);
    owners(gather, subject, found);
}

fn fields(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    declared: &Declared<Role>,
    group: &role::Group,
    id: ObjectId,
    found: &Group,
) {
    let live = |value: Option<&String>| value.map_or(Value::Null, |text| text.as_str().into());
    let mut changes = Vec::new();
    let (mut name, mut description) = (None, None);
    if let role::Group::Named { name: wanted, mail_nickname } = group {
        let verdict = subject.memory.field(
            NAME,
            &wanted.as_str().into(),
            &found.name.as_str().into(),
            Same::Text,
        );
        if let Some(change) = gather.drafts.heed(&subject.key, NAME, verdict) {
            name = Some(wanted.as_str().to_owned());
            changes.push(change);
        }
        if let (Some(wanted), Some(alias)) = (mail_nickname, &found.mail_nickname)
            && !wanted.as_str().eq_ignore_ascii_case(alias)
        {
            let message = format!(
                "{NICKNAME}: the group has the alias {alias}; that is settled when it is made"
            );
            gather.drafts.say(&subject.key, State::Ignored, message);
        }
    }
    if let Some(wanted) = &declared.spec.description {
        let verdict = subject.memory.field(
            DESCRIPTION,
            &wanted.as_str().into(),
            &live(found.description.as_ref()),
            Same::Text,
        );
        if let Some(change) = gather.drafts.heed(&subject.key, DESCRIPTION, verdict) {
            description = Some(wanted.as_str().to_owned());
            changes.push(change);
        }
    }
    if changes.is_empty() {
        return;
    }
    let guard = Guard { remote_id: Some(id.to_string()), seen: seen(&changes), ..Guard::default() };
    let change = Change::UpdateGroup { group: Target::Id(id), name, description };
    let summary = format!("describe the group of {} as declared", subject.key);
    let mut step = subject.step("update", Verb::Update, summary, changes, change);
    step.guard = guard;
    gather.push(step, Effect::Nothing);
}

/// Who is in a group without being declared: told, or taken out where the group is to have no others.
pub(super) fn members(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    membership: Membership,
    role: &Str,
    id: ObjectId,
    group: &Group,
) {
    let Some(members) = &group.members else { return };
    let (mut people, mut others) = (Vec::new(), Vec::new());
    for (member, kind) in members {
        match kind {
            MemberKind::User if !is_accounted_for(gather, *member, role) => people.push(*member),
            MemberKind::User => {}
            kind => others.push((*member, kind)),
        }
    }
    if !others.is_empty() {
        let words: Vec<String> =
            others.iter().map(|(id, kind)| format!("{} {id}", word(kind))).collect();
        let message = format!(
            "in the group {} are also {}: whatever they stand for holds the role too",
            group.name,
            few(&words)
        );
        let mut told = report(&subject.key, State::Foreign, message);
        told.count = Some(others.len() as u64);
        gather.drafts.report.push(told);
    }
    if people.is_empty() {
        return;
    }
    let name_of = |id: &ObjectId| {
        let user = gather.input.snapshot.users.get(id);
        user.map_or_else(|| id.to_string(), |user| user.sign_in_name.clone())
    };
    if membership == Membership::Additive {
        let names: Vec<String> = people.iter().map(name_of).collect();
        let message = format!(
            "in the group {} {} nobody declares: {}",
            group.name,
            if names.len() == 1 { "is somebody whom" } else { "are some whom" },
            few(&names)
        );
        let mut told = report(&subject.key, State::Unmanaged, message);
        told.count = Some(people.len() as u64);
        gather.drafts.report.push(told);
        return;
    }
    for member in people {
        let name = name_of(&member);
        let change = FieldChange {
            path: MEMBERS.to_owned(),
            before: name.as_str().into(),
            after: Value::Null,
            cause: Cause::Drift,
            applied: None,
        };
        let target = Target::Id(member);
        let mut step = subject.step(
            &format!("revoke/{role}/{member}"),
            Verb::Revoke,
            format!("take {name} out of the group {}, which is exclusive", group.name),
            vec![change],
            Change::RemoveMember { group: Target::Id(id), member: target.clone() },
        );
        step.guard = gather.guard_on(&target, &format!("{MEMBERS}:{}", subject.key.name), true);
        step.cost.removals = 1;
        gather.push(step, Effect::Takes { user: target, role: role.clone() });
    }
}

/// Whether a document speaks of somebody's membership, for or against.
fn is_accounted_for(gather: &Gather<'_>, member: ObjectId, role: &Str) -> bool {
    let Some(key) = gather.user_of(member) else {
        // Somebody whose document is gone is dealt with there.
        return gather.is_removed(member);
    };
    let Some(declared) = gather.input.estate.users.get(&key) else { return false };
    let is_agent =
        crate::model::user::AgentLevel::ALL.iter().any(|level| agent_role(*level) == role.as_str());
    is_agent || declared.spec.roles.is_some()
}

fn owners(gather: &mut Gather<'_>, subject: &Subject<'_>, group: &Group) {
    let Some(owners) = group.owners.as_ref().filter(|owners| !owners.is_empty()) else { return };
    let names: Vec<String> = owners
        .keys()
        .map(|id| {
            let user = gather.input.snapshot.users.get(id);
            user.map_or_else(|| id.to_string(), |user| user.sign_in_name.clone())
        })
        .collect();
    let message =
        format!("the group {} has owners, who can add members: {}", group.name, few(&names));
    gather.drafts.say(&subject.key, State::Foreign, message);
}

fn word(kind: &MemberKind) -> &str {
    match kind {
        MemberKind::User => "the user",
        MemberKind::Group => "the group",
        MemberKind::ServicePrincipal => "the application",
        MemberKind::Other(other) => other,
    }
}

/// The first of them, and how many more.
pub(super) fn few(names: &[String]) -> String {
    let shown = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

/// The groups behind the agent levels, and those of roles whose documents are gone.
pub(super) fn agent_groups(gather: &mut Gather<'_>) {
    let Some(account) = &gather.input.estate.account else { return };
    let subject = Subject::declared(gather.input, Kind::Account, account);
    let groups: Vec<_> =
        gather.agent_groups.iter().map(|(level, (id, group))| (*level, *id, *group)).collect();
    for (level, id, group) in groups {
        let role = Str::from(agent_role(level));
        members(gather, &subject, account.spec.agent_membership, &role, id, group);
    }
}

/// The group that a role's record names.
pub(super) fn former_groups(gather: &mut Gather<'_>) {
    for (key, recorded) in gather.input.record.of_kind(Kind::Role) {
        let id = recorded.managed.remote_id.as_deref().and_then(super::bind::object_id);
        let Some(id) = id else { continue };
        let is_bound = gather.bound.roles.values().any(|binding| binding.live() == Some(id));
        if !is_bound && gather.input.snapshot.groups.contains_key(&id) {
            let Ok(name) =
                <crate::model::name::Name as crate::model::scalar::Scalar>::parse(&key.name)
            else {
                continue;
            };
            gather.former_groups.insert(RoleKey(name), id);
        }
    }
}
