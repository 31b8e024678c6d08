//! What a template asks for, whoever the customer is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::delegated_access::{AutoExtend, DelegatedAccess, Replace};
use crate::model::directory_role::{DirectoryRole, GLOBAL_ADMINISTRATOR};
use crate::model::estate::Declared;
use crate::model::id::RoleTemplateId;
use crate::model::name::{Kind, RoleKey};
use crate::model::record::ObjectKey;
use crate::model::scalar::Scalar;
use crate::model::time::Days;
use crate::model::user::AgentLevel;
use crate::plan::bind::Binding;
use crate::plan::change::Target;
use crate::plan::gather::Gather;
use crate::policy::world::declared::agent_role;

/// How long the service extends by.
pub(super) const EXTENSION_DAYS: u32 = 180;

pub(super) struct Wanted<'a> {
    pub(super) template: &'a Declared<DelegatedAccess>,
    /// What all groups together are to have: what the customer is asked for.
    pub(super) roles: BTreeSet<RoleTemplateId>,
    pub(super) grants: Vec<Grant<'a>>,
    /// Roles that grants name and whose last day has passed.
    expired: Vec<&'a RoleKey>,
}

pub(super) struct Grant<'a> {
    pub(super) to: &'a RoleKey,
    /// The group that is to have the roles, or why there is none.
    pub(super) group: Result<Target, String>,
    pub(super) roles: BTreeSet<RoleTemplateId>,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(gather: &Gather<'a>, template: &'a Declared<DelegatedAccess>) -> Self {
        let today = gather.input.today;
        let (mut grants, mut expired) = (Vec::new(), Vec::new());
        for grant in &template.spec.grants {
            let role = gather.input.estate.roles.get(&grant.to);
            if role.is_some_and(|role| role.metadata.has_expired(today)) {
                expired.push(&grant.to);
                continue;
            }
            grants.push(Grant {
                to: &grant.to,
                group: group_of(gather, &grant.to),
                roles: grant.directory_roles.iter().map(|role| role.0).collect(),
            });
        }
        let roles = grants.iter().flat_map(|grant| grant.roles.iter().copied()).collect();
        Self { template, roles, grants, expired }
    }

    /// Whether its last day has not passed. Where all roles that it grants something to have expired, its
    /// seats stay: only what groups have goes.
    pub(super) fn is_wanted(&self, gather: &Gather<'_>) -> bool {
        !self.template.metadata.has_expired(gather.input.today)
    }

    /// Whether a grant names a role at the customer, be its own role expired or not.
    pub(super) fn declares(&self, role: RoleTemplateId) -> bool {
        let mut all = self.template.spec.grants.iter().flat_map(|grant| &grant.directory_roles);
        all.any(|declared| declared.0 == role)
    }

    /// Whether a grant names a role whose last day has passed.
    pub(super) fn has_expired(&self, to: &str) -> bool {
        self.expired.iter().any(|role| role.as_str() == to)
    }

    pub(super) fn days(&self) -> u32 {
        self.template.spec.duration.0
    }

    pub(super) fn extend_days(&self) -> u32 {
        match self.template.spec.auto_extend {
            AutoExtend::None => 0,
            AutoExtend::HalfYear => EXTENSION_DAYS,
        }
    }

    pub(super) fn replaces_now(&self) -> bool {
        self.template.spec.replace == Replace::Now
    }
}

/// Where the roles of a grant stand.
pub(super) fn path_of(to: &str) -> String {
    format!("spec.grants.{to}")
}

/// Whether a path is that of a grant.
pub(crate) fn is_grant(path: &str) -> bool {
    path.starts_with("spec.grants.")
}

/// Roles as a manifest has them.
pub(crate) fn words(roles: &BTreeSet<RoleTemplateId>) -> Value {
    let mut names: Vec<String> =
        roles.iter().map(|role| DirectoryRole(*role).to_string()).collect();
    names.sort();
    names.into()
}

/// The same in a sentence.
pub(super) fn listed<'r>(roles: impl IntoIterator<Item = &'r RoleTemplateId>) -> String {
    let mut names: Vec<String> =
        roles.into_iter().map(|role| DirectoryRole(*role).to_string()).collect();
    names.sort();
    names.join(", ")
}

pub(crate) fn extension_word(days: u32) -> Value {
    if days == 0 { AutoExtend::None.word().into() } else { format!("P{days}D").into() }
}

/// The same the other way round.
pub(crate) fn extension_days(word: &Value) -> Option<u32> {
    match word.as_str()? {
        word if word == AutoExtend::None.word() => Some(0),
        word => Days::parse(word).ok().map(|days| days.0),
    }
}

pub(super) fn without_global(roles: &BTreeSet<RoleTemplateId>) -> BTreeSet<RoleTemplateId> {
    roles.iter().copied().filter(|role| *role != GLOBAL_ADMINISTRATOR.0).collect()
}

/// The group behind a role, once everything before it is done.
fn group_of(gather: &Gather<'_>, to: &RoleKey) -> Result<Target, String> {
    let level = AgentLevel::ALL.iter().find(|level| agent_role(**level) == to.as_str());
    if let Some(level) = level {
        let group = gather.agent_groups.get(level).map(|(id, _)| Target::Id(*id));
        return group.ok_or_else(|| {
            format!("the tenant has no group for the agent level {level}, or several of its name")
        });
    }
    let object = ObjectKey::new(Kind::Role, to.as_str());
    match gather.bound.roles.get(to) {
        Some(Binding::Live(id)) => Ok(Target::Id(*id)),
        Some(Binding::Absent(_) | Binding::Gone(_)) if gather.made.contains(&object) => {
            Ok(Target::MadeFor(object))
        }
        Some(Binding::Gone(_)) => Err(format!("the group of {object} is gone")),
        Some(Binding::Absent(_) | Binding::Held) | None => {
            Err(format!("the group of {object} is not there yet"))
        }
    }
}
