//! What a run gave or took, told from its steps, and how that stands by now.

use serde_json::Value;

use super::{
    ADMIN, AGENT, Held, How, ROLES, admin_role, agent_role, give, is_ours_to_set, organization,
};
use crate::model::tenant::{self, ObjectId};
use crate::model::user::{AdminLevel, AgentLevel};
use crate::plan::change::{Change, Target};
use crate::plan::draft::Subject;
use crate::plan::gather::Gather;
use crate::plan::roles::MEMBERS;
use crate::plan::step::{Cause, FieldChange, Step};

/// Gives something again that a run took.
pub(in crate::plan) fn give_back(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    id: ObjectId,
    held: &Held,
    needs: Option<String>,
) {
    let snapshot = gather.input.snapshot;
    let names = match (snapshot.users.get(&id), snapshot.deleted_users.get(&id)) {
        (Some(user), _) => (user.sign_in_name.to_lowercase(), user.display_name.clone()),
        (None, Some(user)) => (user.sign_in_name.to_lowercase(), user.display_name.clone()),
        (None, None) => return,
    };
    let change = FieldChange {
        path: held.path.to_owned(),
        before: Value::Null,
        after: held.value.clone(),
        cause: Cause::Undo,
        applied: None,
    };
    give(gather, subject, &Target::Id(id), held, change, names);
    if let (Some(step), Some(needs)) = (gather.drafts.steps.last_mut(), needs) {
        step.depends_on.push(needs);
    }
}

/// What a step of an earlier run gave or took, and whose it is. `find` knows what that run made.
pub(in crate::plan) fn of_step(
    gather: &Gather<'_>,
    step: &Step,
    find: &dyn Fn(&Target) -> Option<ObjectId>,
) -> Option<(ObjectId, Held)> {
    let field = step.fields.first()?;
    let value = if field.after.is_null() { &field.before } else { &field.after };
    let (word, place) = match value {
        Value::String(word) => (word.as_str(), None),
        other => (
            other.get("role")?.as_str()?,
            Some(other.get("locations")?.get(0)?.as_str()?.to_owned()),
        ),
    };
    let (whom, how) = match &step.change {
        Change::AddMember { group, member } | Change::RemoveMember { group, member } => {
            (member, How::Member(Target::Id(find(group)?)))
        }
        Change::AssignRole { role, principal } | Change::RemoveRole { role, principal, .. } => {
            (principal, How::Assigned(*role, None))
        }
        Change::AddAccountRole { role, user, account, .. } => {
            (user, How::Account(role.clone(), account.clone()))
        }
        Change::RemoveAccountRole { role, user } => {
            let account = place.clone().unwrap_or_else(|| organization(gather));
            (user, How::Account(role.clone(), account))
        }
        _ => return None,
    };
    let (path, role) = match field.path.as_str() {
        AGENT => {
            let level = AgentLevel::ALL.iter().find(|level| level.word() == word)?;
            (AGENT, agent_role(*level))
        }
        ADMIN => {
            let level = AdminLevel::ALL.iter().find(|level| level.word() == word)?;
            (ADMIN, admin_role(*level))
        }
        ROLES => (ROLES, word),
        // Of an exclusive group: `role/tier2/revoke/tier2/{id}`.
        MEMBERS => (MEMBERS, step.id.rsplit('/').nth(1)?),
        _ => return None,
    };
    let held = Held {
        path,
        value: value.clone(),
        word: place.map_or_else(|| word.to_owned(), |place| format!("{word}@{place}")),
        role: role.into(),
        how,
    };
    Some((find(whom)?, held))
}

/// How something stands that an earlier run gave or took.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) enum Standing {
    /// It is held, and taken by this.
    Held(Box<Held>),
    NotHeld,
    /// It can be activated, which is for people to settle.
    Eligible,
    /// There is no such group any more.
    NoGroup,
    /// The group is not one whose members are ours to set.
    NotOurs,
    CannotBeSeen,
}

pub(in crate::plan) fn standing(gather: &Gather<'_>, id: ObjectId, held: &Held) -> Standing {
    let is = |is_held: bool| {
        if is_held { Standing::Held(Box::new(held.clone())) } else { Standing::NotHeld }
    };
    match &held.how {
        How::Member(Target::MadeFor(_)) => Standing::NoGroup,
        How::Member(Target::Id(group)) => match gather.input.snapshot.groups.get(group) {
            None => Standing::NoGroup,
            Some(group) if !is_ours_to_set(group) => Standing::NotOurs,
            Some(group) => match &group.members {
                None => Standing::CannotBeSeen,
                Some(members) => is(members.contains_key(&id)),
            },
        },
        How::Assigned(role, _) if gather.index.holds(id, *role, tenant::Holding::Eligible) => {
            Standing::Eligible
        }
        How::Assigned(role, _) => {
            let found = gather.index.roles_of(id).iter().find(|one| {
                one.role == *role && one.holding == tenant::Holding::Active && one.scope == "/"
            });
            found.map_or(Standing::NotHeld, |found| {
                let how = How::Assigned(*role, Some(found.id.clone()));
                Standing::Held(Box::new(Held { how, ..held.clone() }))
            })
        }
        How::Account(_, _) if gather.input.snapshot.account_roles.is_empty() => {
            Standing::CannotBeSeen
        }
        How::Account(role, account) => {
            let organization = organization(gather);
            is(gather.index.account_roles_of(id).iter().any(|(held, member)| {
                held.id == *role
                    && member.account.as_deref().unwrap_or(&organization) == account.as_str()
            }))
        }
    }
}
