//! Groups: which ones are roles, who is in what, and what comes to whom through groups.
//!
//! A role is a group whose members are ours to set: static, of our own directory, a security group,
//! its members read, and none of the agent groups.

use std::collections::{BTreeMap, BTreeSet};

use super::naming::{Namer, Names, folded, groups_by_title};
use super::said::Saying;
use super::{Declared, Held, Outsider, Through, document};
use crate::model::directory_role::{DirectoryRole, GLOBAL_ADMINISTRATOR};
use crate::model::id::{GroupId, RoleTemplateId};
use crate::model::name::RoleKey;
use crate::model::role::{self, Membership, Role, is_built_in};
use crate::model::tenant::{
    self, GroupKind, MemberKind, ObjectId, RoleAssignment, Snapshot, agent_level,
};
use crate::model::user::{AdminLevel, AgentLevel, Holding};

/// The scope of what holds in the whole tenant.
const WHOLE_TENANT: &str = "/";

/// What somebody holds directly.
#[derive(Debug, Clone, Default)]
pub(super) struct Direct {
    pub(super) agent: BTreeSet<AgentLevel>,
    pub(super) admin: BTreeMap<AdminLevel, Holding>,
    pub(super) roles: BTreeSet<RoleKey>,
}

/// Groups, turned into roles and holdings.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) roles: BTreeMap<RoleKey, Declared<Role>>,
    pub(super) of_role: BTreeMap<RoleKey, ObjectId>,
    pub(super) direct: BTreeMap<ObjectId, Direct>,
    pub(super) through: BTreeMap<ObjectId, Through>,
    pub(super) outsiders: Vec<Outsider>,
}

pub(super) fn of(snapshot: &Snapshot, names: &Names, saying: &mut Saying) -> Groups {
    let mut found = Groups::default();
    roles(snapshot, names, &mut found, saying);
    memberships(snapshot, &mut found);
    directory_roles(snapshot, &mut found, saying);
    found.outsiders.sort();
    found.outsiders.dedup();
    found
}

/// Whether a group's members are ours to set.
fn is_role(group: &tenant::Group) -> bool {
    group.kind == GroupKind::Security
        && !group.is_synced
        && group.members.is_some()
        && agent_level(&group.name).is_none()
}

fn roles(snapshot: &Snapshot, names: &Names, found: &mut Groups, saying: &mut Saying) {
    let titles = groups_by_title(snapshot);
    let known = names.roles.values().chain(&names.absent.roles).map(RoleKey::as_str);
    let mut namer = Namer::new(known, is_built_in);
    let mut nicknames = BTreeSet::new();
    for (id, group) in snapshot.groups.iter().filter(|(_, group)| is_role(group)) {
        let nickname = group.mail_nickname.as_deref();
        let key = names.roles.get(id).cloned().or_else(|| {
            let texts = [group.name.as_str()].into_iter().chain(nickname);
            namer.name(texts, "group", id.0).map(RoleKey)
        });
        let Some(key) = key else { continue };
        let object = format!("role/{key}");
        let is_only = titles.get(&folded(&group.name)).is_some_and(Option::is_some);
        let title =
            if is_only { saying.say(&object, "spec.group.name", Some(&group.name)) } else { None };
        let carrier = match title {
            Some(name) => role::Group::Named {
                name,
                // Nothing looks for a group by an alias that two have.
                mail_nickname: saying.say(&object, "spec.group.mailNickname", nickname).filter(
                    |alias: &role::MailNickname| {
                        nicknames.insert(alias.as_str().to_ascii_lowercase())
                    },
                ),
            },
            None => role::Group::Existing(GroupId(id.0)),
        };
        let role = Role {
            description: saying.say(&object, "spec.description", group.description.as_deref()),
            group: Some(carrier),
            membership: Membership::Additive,
            includes: Vec::new(),
            permissions: Vec::new(),
        };
        found.roles.insert(key.clone(), document(key.0.clone(), role));
        found.of_role.insert(key, *id);
    }
}

/// What membership gives: to those who are in a group, and to those who are in a group within it.
fn memberships(snapshot: &Snapshot, found: &mut Groups) {
    let roles: Vec<(RoleKey, ObjectId)> =
        found.of_role.iter().map(|(key, id)| (key.clone(), *id)).collect();
    let agents = snapshot
        .groups
        .iter()
        .filter_map(|(id, group)| Some((Held::Agent(agent_level(&group.name)?), *id)));
    let carried = roles.into_iter().map(|(key, id)| (Held::Role(key), id));
    for (held, id) in agents.chain(carried) {
        let within = Within::of(snapshot, id);
        for user in &within.direct {
            let direct = found.direct.entry(*user).or_default();
            match &held {
                Held::Agent(level) => drop(direct.agent.insert(*level)),
                Held::Role(key) => drop(direct.roles.insert(key.clone())),
                Held::Admin(..) => {}
            }
        }
        for user in within.nested.difference(&within.direct) {
            pass_on(found.through.entry(*user).or_default(), &held);
        }
        found.outsiders.extend(within.others.into_iter().map(|(id, kind)| Outsider {
            holds: held.clone(),
            name: snapshot.groups.get(&id).map(|group| group.name.clone()),
            kind,
            id,
        }));
    }
}

fn pass_on(through: &mut Through, held: &Held) {
    match held {
        Held::Agent(level) => drop(through.agent.insert(*level)),
        Held::Admin(level, holding) => drop(through.admin.insert((*level, *holding))),
        Held::Role(key) => drop(through.roles.insert(key.clone())),
    }
}

/// Everybody in a group.
#[derive(Default)]
struct Within {
    direct: BTreeSet<ObjectId>,
    nested: BTreeSet<ObjectId>,
    /// Direct members that are no users.
    others: Vec<(ObjectId, MemberKind)>,
}

impl Within {
    /// Groups within groups, each once, however they are nested.
    fn of(snapshot: &Snapshot, group: ObjectId) -> Self {
        let mut within = Self::default();
        let mut seen = BTreeSet::from([group]);
        let mut due = vec![group];
        while let Some(at) = due.pop() {
            let members = snapshot.groups.get(&at).and_then(|group| group.members.as_ref());
            for (id, kind) in members.into_iter().flatten() {
                match kind {
                    MemberKind::User if at == group => drop(within.direct.insert(*id)),
                    MemberKind::User => drop(within.nested.insert(*id)),
                    MemberKind::Group if seen.insert(*id) => due.push(*id),
                    _ => {}
                }
                if at == group && *kind != MemberKind::User {
                    within.others.push((*id, kind.clone()));
                }
            }
        }
        within
    }
}

/// The level that a directory role is.
fn level(role: RoleTemplateId) -> Option<AdminLevel> {
    let named = |name| DirectoryRole::named(name).is_some_and(|known| known.0 == role);
    if role == GLOBAL_ADMINISTRATOR.0 {
        Some(AdminLevel::Global)
    } else if named("User Administrator") {
        Some(AdminLevel::UserManagement)
    } else if named("Billing Administrator") {
        Some(AdminLevel::Billing)
    } else {
        None
    }
}

/// Admin levels. Whoever is eligible and active at once has activated what they are eligible for.
fn directory_roles(snapshot: &Snapshot, found: &mut Groups, saying: &mut Saying) {
    let levels = || snapshot.assignments.iter().filter_map(|held| Some((level(held.role)?, held)));
    let eligible: BTreeSet<(ObjectId, AdminLevel)> = levels()
        .filter(|(_, held)| held.holding == tenant::Holding::Eligible && held.scope == WHOLE_TENANT)
        .map(|(level, held)| (held.principal, level))
        .collect();
    for (level, assignment) in levels() {
        let RoleAssignment { principal, scope, holding, .. } = assignment;
        if scope != WHOLE_TENANT {
            let object = snapshot
                .users
                .get(principal)
                .map_or_else(|| principal.to_string(), |user| user.sign_in_name.clone());
            let value = format!("{level} at {scope}");
            let why = "it holds in a part of the tenant, and levels hold in all of it";
            saying.cannot(&object, "spec.admin", &value, why);
            continue;
        }
        let is_activation =
            *holding == tenant::Holding::Active && eligible.contains(&(*principal, level));
        let holding = match holding {
            tenant::Holding::Active if !is_activation => Holding::Active,
            tenant::Holding::Active | tenant::Holding::Eligible => Holding::Eligible,
        };
        if snapshot.users.contains_key(principal) {
            found.direct.entry(*principal).or_default().admin.insert(level, holding);
            if is_activation {
                found.through.entry(*principal).or_default().activated.insert(level);
            }
            continue;
        }
        let group = snapshot.groups.get(principal);
        let held = Held::Admin(level, holding);
        // Groups within such a group hold nothing by it.
        for (id, kind) in group.and_then(|group| group.members.as_ref()).into_iter().flatten() {
            if *kind == MemberKind::User {
                let through = found.through.entry(*id).or_default();
                pass_on(through, &held);
                if is_activation {
                    through.activated.insert(level);
                }
            }
        }
        let kind = if group.is_some() { MemberKind::Group } else { MemberKind::ServicePrincipal };
        let name = group.map(|group| group.name.clone());
        found.outsiders.push(Outsider { holds: held, kind, id: *principal, name });
    }
}
