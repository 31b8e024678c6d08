//! The directory: users, groups, who is in them, who holds which role.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::error::{Error, Reason};
use super::super::graph::delta::{self, Watched};
use super::super::graph::directory::{self, List};
use super::super::graph::roles;
use super::super::graph::wire::{GroupWire, OrganizationWire, UserWire};
use super::super::line::ReadingLine;
use super::super::snapshot::{
    Aspect, Blind, DeletedUser, Group, GroupRef, ObjectId, RoleAssignment, Scope, User,
};
use crate::model::id::TenantId;
use crate::model::role::AGENT_GROUPS;
use crate::model::text::nfc;

/// What was read of the directory, groups still without their members.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) date: Option<Timestamp>,
    pub(super) tenant: Option<TenantId>,
    pub(super) domains: BTreeSet<String>,
    pub(super) users: BTreeMap<ObjectId, User>,
    pub(super) groups: BTreeMap<ObjectId, Group>,
    pub(super) assignments: Vec<RoleAssignment>,
    pub(super) deleted_users: BTreeMap<ObjectId, DeletedUser>,
    pub(super) blind: Vec<Blind>,
}

pub(super) async fn read(line: &ReadingLine, scope: &Scope) -> Result<Directory, Error> {
    if !scope.users {
        return Ok(Directory::default());
    }
    let (users, groups, active, eligible, deleted, organization) = tokio::try_join!(
        directory::users(line),
        directory::groups(line),
        roles::active(line),
        roles::eligible(line),
        deleted(line),
        directory::organization(line),
    )?;
    let mut found = Directory {
        date: users.date,
        users: users.items.into_iter().map(UserWire::observed).collect(),
        groups: groups.items.into_iter().map(GroupWire::observed).collect(),
        ..Directory::default()
    };
    found.belongs_to(organization);
    found.hold(active, eligible);
    found.bin(deleted);
    Ok(found)
}

impl Directory {
    pub(super) fn belongs_to(&mut self, organization: Option<OrganizationWire>) {
        let Some(organization) = organization else { return };
        self.tenant = Some(TenantId(organization.id));
        self.domains = organization
            .verified_domains
            .into_iter()
            .map(|domain| domain.name.0.to_lowercase())
            .collect();
    }

    pub(super) fn hold(
        &mut self,
        active: roles::Active,
        eligible: Result<Vec<RoleAssignment>, Error>,
    ) {
        self.assignments = active.assignments;
        if !active.is_whole {
            self.blind.push(Blind {
                aspect: Aspect::RolesOutsideTheList,
                why: "the directory lists holders by role only: of roles that are new to us, none is seen"
                    .to_owned(),
                seen_at: None,
            });
        }
        match eligible {
            Ok(eligible) => self.assignments.extend(eligible),
            Err(error) => self.blind.push(Blind {
                aspect: Aspect::EligibleRoles,
                why: error.to_string(),
                seen_at: None,
            }),
        }
        self.assignments.sort();
        self.assignments.dedup();
    }

    pub(super) fn bin(&mut self, deleted: Result<BTreeMap<ObjectId, DeletedUser>, Error>) {
        match deleted {
            Ok(deleted) => self.deleted_users = deleted,
            Err(error) => self.blind.push(Blind {
                aspect: Aspect::DeletedUsers,
                why: error.to_string(),
                seen_at: None,
            }),
        }
    }
}

type Bin = BTreeMap<ObjectId, DeletedUser>;

/// Deleted users; that they may not be seen is no reason to see nothing.
async fn deleted(line: &ReadingLine) -> Result<Result<Bin, Error>, Error> {
    match directory::deleted_users(line).await {
        Err(error) if matches!(error.reason(), Some(Reason::Denied | Reason::Invalid)) => {
            Ok(Err(error))
        }
        answer => answer.map(Ok),
    }
}

/// Marks of both collections, and the service's time.
#[derive(Debug, Default)]
pub(super) struct DirectoryMarks {
    pub(super) users: Option<String>,
    pub(super) groups: Option<String>,
    pub(super) date: Option<Timestamp>,
}

pub(super) async fn marks(line: &ReadingLine, wanted: bool) -> Result<DirectoryMarks, Error> {
    if !wanted {
        return Ok(DirectoryMarks::default());
    }
    let ((users, date), (groups, _)) =
        tokio::try_join!(mark(line, Watched::Users), mark(line, Watched::Groups))?;
    Ok(DirectoryMarks { users, groups, date })
}

/// A mark, or none where deltas cannot be had: then the next observation is a whole one.
pub(super) async fn mark(
    line: &ReadingLine,
    watched: Watched,
) -> Result<(Option<String>, Option<Timestamp>), Error> {
    match delta::mark(line, watched).await {
        Err(error) if error.is(Reason::Invalid) || error.is(Reason::Missing) => Ok((None, None)),
        answer => answer,
    }
}

/// Reads members (and owners) of the groups that matter: all of them, or those in `among`.
pub(super) async fn read_lists(
    line: &ReadingLine,
    scope: &Scope,
    groups: &mut BTreeMap<ObjectId, Group>,
    delegated: BTreeSet<ObjectId>,
    among: Option<&BTreeSet<ObjectId>>,
) -> Result<(), Error> {
    let ids: Vec<ObjectId> = groups
        .iter()
        .filter(|(id, group)| {
            among.is_none_or(|among| among.contains(id) || group.members.is_none())
                && (delegated.contains(id) || matters(scope, **id, group))
        })
        .map(|(id, _)| *id)
        .collect();
    let members = directory::listed(line, List::Members, &ids).await?;
    let mut owners = if scope.owners {
        directory::listed(line, List::Owners, &ids).await?
    } else {
        BTreeMap::new()
    };
    for (id, members) in members {
        if let Some(group) = groups.get_mut(&id) {
            group.members = Some(members);
            group.owners = owners.remove(&id);
        }
    }
    Ok(())
}

/// Agent groups, groups that can hold roles, and those that the estate names.
fn matters(scope: &Scope, id: ObjectId, group: &Group) -> bool {
    group.is_role_assignable
        || AGENT_GROUPS.iter().any(|name| name.eq_ignore_ascii_case(&group.name))
        || scope.groups.contains(&GroupRef::Id(id))
        || scope.groups.iter().any(|wanted| {
            matches!(wanted, GroupRef::Name(name)
                if nfc(name).to_lowercase() == nfc(&group.name).to_lowercase())
        })
}
