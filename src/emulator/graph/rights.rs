//! Who may do what: permissions of the token, and what the caller is in the directory.
//!
//! A user needs both; an application that calls for itself needs the permission alone, but for
//! what touches administrators.

use super::call::Call;
use crate::emulator::caller::Who;
use crate::emulator::directory::{
    ADMIN_AGENTS, GLOBAL_ADMINISTRATOR, Group, ServicePrincipal, Standing, USER_ADMINISTRATOR, User,
};
use crate::emulator::error::GraphError;
use crate::emulator::store::Read;
use crate::emulator::tenant::DELEGATED_ADMINISTRATION;

pub(super) const PRIVILEGED_ROLE_ADMINISTRATOR: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";
pub(super) const PRIVILEGED_AUTHENTICATION_ADMINISTRATOR: &str =
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13";
const DIRECTORY_WRITERS: &str = "9360feb5-f418-4baa-8175-e2a00bac4301";
const GROUPS_ADMINISTRATOR: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";
const HELPDESK_ADMINISTRATOR: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const PASSWORD_ADMINISTRATOR: &str = "966707d0-3269-4727-9be2-8c3a10f19b9d";
const DIRECTORY_READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
const GUEST_INVITER: &str = "95e79109-95c0-4d8e-aee3-d01accf2d47b";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";

/// Permissions of which one is enough.
pub(super) const READ_USERS: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub(super) const WRITE_USERS: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];
pub(super) const DELETE_USERS: &[&str] = &["User.ReadWrite.All", "User.DeleteRestore.All"];
pub(super) const READ_GROUPS: &[&str] = &[
    "GroupMember.Read.All",
    "Group.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
pub(super) const WRITE_GROUPS: &[&str] = &["Group.ReadWrite.All", "Directory.ReadWrite.All"];
pub(super) const WRITE_MEMBERS: &[&str] =
    &["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
pub(super) const READ_ROLES: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
pub(super) const WRITE_ROLES: &[&str] = &["RoleManagement.ReadWrite.Directory"];
pub(super) const READ_DIRECTORY: &[&str] = &["Directory.Read.All", "Directory.ReadWrite.All"];
pub(super) const READ_APPLICATIONS: &[&str] =
    &["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"];
pub(super) const READ_ORGANIZATION: &[&str] =
    &["Organization.Read.All", "Directory.Read.All", "User.Read"];
pub(super) const READ_DELEGATED: &[&str] =
    &["DelegatedAdminRelationship.Read.All", "DelegatedAdminRelationship.ReadWrite.All"];
pub(super) const WRITE_DELEGATED: &[&str] = &["DelegatedAdminRelationship.ReadWrite.All"];

/// Whoever calls, as the directory knows them.
pub(super) struct Actor {
    pub is_app: bool,
    standing: Standing,
}

impl Call {
    /// Lets a caller through whose token carries one of some permissions.
    pub(super) fn must_have(&self, permissions: &[&str]) -> Result<(), GraphError> {
        let held = self.caller.permissions();
        let has = |name: &&str| held.iter().any(|held| held.eq_ignore_ascii_case(name));
        if permissions.iter().any(has) { Ok(()) } else { Err(GraphError::denied()) }
    }

    /// The caller, who must still be there and, but for looking at itself, no guest.
    pub(super) fn actor(&self, tx: &Read<'_>) -> Result<Actor, GraphError> {
        let gone = || {
            GraphError::unauthorized(
                "The identity of the calling application could not be established.",
            )
        };
        let id = self.caller.principal();
        let is_app = match &self.caller.who {
            Who::App { .. } => {
                tx.get::<ServicePrincipal>(id)?.ok_or_else(gone)?;
                true
            }
            Who::User { .. } => {
                let user = tx.get::<User>(id)?.ok_or_else(gone)?;
                if !user.account_enabled {
                    return Err(GraphError::unauthorized("The user account is disabled."));
                }
                if user.user_type == "Guest" {
                    return Err(GraphError::denied());
                }
                false
            }
        };
        Ok(Actor { is_app, standing: Standing::of(tx, id)? })
    }

    /// Lets a caller through who may read a part of the directory.
    pub(super) fn may_read(&self, tx: &Read<'_>, permissions: &[&str]) -> Result<(), GraphError> {
        self.must_have(permissions)?;
        self.actor(tx).map(|_| ())
    }

    /// Lets a caller through who may look at delegated access.
    pub(super) fn may_read_delegated(&self, tx: &Read<'_>) -> Result<(), GraphError> {
        self.must_have(READ_DELEGATED)?;
        self.delegated_actor(tx).map(|_| ())
    }

    /// Lets a caller through who may make and end relationships.
    pub(super) fn may_write_delegated(&self, tx: &Read<'_>) -> Result<(), GraphError> {
        self.must_have(WRITE_DELEGATED)?;
        let actor = self.delegated_actor(tx)?;
        must(actor.is_app || actor.standing.is_agent(ADMIN_AGENTS))
    }

    /// Lets a caller through who may give groups roles within a relationship.
    pub(super) fn may_assign_delegated(&self, tx: &Read<'_>) -> Result<(), GraphError> {
        self.must_have(WRITE_DELEGATED)?;
        let actor = self.delegated_actor(tx)?;
        let holds = actor.holds(&[GLOBAL_ADMINISTRATOR, USER_ADMINISTRATOR]);
        must(actor.is_app || holds || actor.standing.is_agent(ADMIN_AGENTS))
    }

    /// Delegated access wants a second factor of users, and a certain service principal for
    /// applications.
    fn delegated_actor(&self, tx: &Read<'_>) -> Result<Actor, GraphError> {
        let actor = self.actor(tx)?;
        match self.caller.who {
            Who::User { mfa: false, .. } => Err(GraphError::denied()),
            Who::App { .. }
                if tx.find::<ServicePrincipal>("app-id", DELEGATED_ADMINISTRATION)?.is_none() =>
            {
                Err(GraphError::denied())
            }
            _ => Ok(actor),
        }
    }
}

impl Actor {
    fn holds(&self, roles: &[&str]) -> bool {
        roles.iter().any(|role| self.standing.directory_roles.contains(*role))
    }

    pub(super) fn may_write_users(&self) -> Result<(), GraphError> {
        let roles = [GLOBAL_ADMINISTRATOR, USER_ADMINISTRATOR, DIRECTORY_WRITERS];
        must(self.is_app || self.holds(&roles))
    }

    /// What can take an account over, or end it: of administrators, only for some.
    pub(super) fn may_take_over(&self, tx: &Read<'_>, target: &str) -> Result<(), GraphError> {
        let held = roles_of(tx, target)?;
        let allowed = self.holds(&[GLOBAL_ADMINISTRATOR])
            || (held.is_empty() && self.is_app)
            || (self.holds(&[USER_ADMINISTRATOR])
                && held.iter().all(|role| LIMITED.contains(&role.as_str())));
        must(allowed)
    }

    pub(super) fn may_reset_password(&self, tx: &Read<'_>, target: &str) -> Result<(), GraphError> {
        let held = roles_of(tx, target)?;
        let within = |some: &[&str]| held.iter().all(|role| some.contains(&role.as_str()));
        let allowed = self.holds(&[GLOBAL_ADMINISTRATOR, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR])
            || (held.is_empty() && self.is_app)
            || (self.holds(&[USER_ADMINISTRATOR]) && within(LIMITED))
            || (self.holds(&[HELPDESK_ADMINISTRATOR])
                && within(&[
                    DIRECTORY_READERS,
                    GUEST_INVITER,
                    HELPDESK_ADMINISTRATOR,
                    REPORTS_READER,
                ]))
            || (self.holds(&[PASSWORD_ADMINISTRATOR])
                && within(&[DIRECTORY_READERS, GUEST_INVITER, PASSWORD_ADMINISTRATOR]));
        must(allowed)
    }

    /// Groups, and who belongs to them. Those that can hold roles are for who gives roles.
    pub(super) fn may_write_group(&self, call: &Call, group: &Group) -> Result<(), GraphError> {
        if is_role_assignable(group) {
            call.must_have(WRITE_ROLES)?;
            return self.may_write_roles();
        }
        let roles =
            [GLOBAL_ADMINISTRATOR, USER_ADMINISTRATOR, GROUPS_ADMINISTRATOR, DIRECTORY_WRITERS];
        must(self.is_app || self.holds(&roles))
    }

    pub(super) fn may_write_roles(&self) -> Result<(), GraphError> {
        let roles = [GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR];
        must(self.is_app || self.holds(&roles))
    }
}

fn must(allowed: bool) -> Result<(), GraphError> {
    if allowed { Ok(()) } else { Err(GraphError::denied()) }
}

/// Administrators whom a user administrator may handle.
const LIMITED: &[&str] = &[
    DIRECTORY_READERS,
    GUEST_INVITER,
    HELPDESK_ADMINISTRATOR,
    REPORTS_READER,
    USER_ADMINISTRATOR,
    GROUPS_ADMINISTRATOR,
];

fn roles_of(tx: &Read<'_>, target: &str) -> Result<Vec<String>, GraphError> {
    Ok(Standing::of(tx, target)?.directory_roles.into_iter().collect())
}

pub(super) fn is_role_assignable(group: &Group) -> bool {
    group.other.get("isAssignableToRole") == Some(&serde_json::Value::Bool(true))
}
