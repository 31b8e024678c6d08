//! What somebody holds, found by who they are rather than by what is held.

use std::collections::BTreeMap;

use super::types::{AccountRole, AccountRoleMember, Holding, ObjectId, RoleAssignment, Snapshot};
use crate::model::id::RoleTemplateId;
use crate::model::user::AgentLevel;

/// A snapshot, turned around.
#[derive(Debug)]
pub struct Index<'a> {
    snapshot: &'a Snapshot,
    groups: BTreeMap<ObjectId, Vec<ObjectId>>,
    roles: BTreeMap<ObjectId, Vec<&'a RoleAssignment>>,
    account_roles: BTreeMap<ObjectId, Vec<(&'a AccountRole, &'a AccountRoleMember)>>,
    names: BTreeMap<String, ObjectId>,
}

impl<'a> Index<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let mut index = Self {
            snapshot,
            groups: BTreeMap::new(),
            roles: BTreeMap::new(),
            account_roles: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for (id, group) in &snapshot.groups {
            for member in group.members.iter().flatten().map(|(member, _)| member) {
                index.groups.entry(*member).or_default().push(*id);
            }
        }
        for assignment in &snapshot.assignments {
            index.roles.entry(assignment.principal).or_default().push(assignment);
        }
        for role in &snapshot.account_roles {
            for member in &role.members {
                index.account_roles.entry(member.user).or_default().push((role, member));
            }
        }
        for (id, user) in &snapshot.users {
            index.names.insert(user.sign_in_name.to_lowercase(), *id);
        }
        index
    }

    /// Who signs in with that name.
    pub fn user(&self, sign_in_name: &str) -> Option<ObjectId> {
        self.names.get(&sign_in_name.to_lowercase()).copied()
    }

    /// The groups that somebody is a direct member of, among those whose members were read.
    pub fn groups_of(&self, principal: ObjectId) -> &[ObjectId] {
        self.groups.get(&principal).map_or(&[], Vec::as_slice)
    }

    /// The agent levels that somebody has as a direct member.
    pub fn agent_levels(&self, principal: ObjectId) -> Vec<AgentLevel> {
        let mut levels: Vec<AgentLevel> = self
            .groups_of(principal)
            .iter()
            .filter_map(|group| {
                self.snapshot.groups.get(group).and_then(|group| agent_level(&group.name))
            })
            .collect();
        levels.sort_unstable();
        levels
    }

    /// The directory roles that somebody holds directly.
    pub fn roles_of(&self, principal: ObjectId) -> &[&'a RoleAssignment] {
        self.roles.get(&principal).map_or(&[], Vec::as_slice)
    }

    /// Whether somebody holds a directory role for the whole tenant.
    pub fn holds(&self, principal: ObjectId, role: RoleTemplateId, holding: Holding) -> bool {
        self.roles_of(principal)
            .iter()
            .any(|held| held.role == role && held.holding == holding && held.scope == "/")
    }

    pub fn account_roles_of(&self, user: ObjectId) -> &[(&'a AccountRole, &'a AccountRoleMember)] {
        self.account_roles.get(&user).map_or(&[], Vec::as_slice)
    }
}

/// The level that a group stands for.
pub fn agent_level(group: &str) -> Option<AgentLevel> {
    [
        ("AdminAgents", AgentLevel::Admin),
        ("HelpdeskAgents", AgentLevel::Helpdesk),
        ("SalesAgents", AgentLevel::Sales),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(group))
    .map(|(_, level)| level)
}
