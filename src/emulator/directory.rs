//! The directory as every family sees it: who exists, who belongs to what, who holds which role.
//!
//! `graph` serves and changes it, `identity` signs its users in, `center` asks what the caller is.
//! Bodies are as Graph writes them, so that a projection is a choice of members.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::store::{Document, Found, Read, StoreError};

pub(crate) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
pub(crate) const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
pub(crate) const BILLING_ADMINISTRATOR: &str = "b0f54661-2d74-4c50-afa3-1ec803f12efe";

pub(crate) const ADMIN_AGENTS: &str = "AdminAgents";
pub(crate) const HELPDESK_AGENTS: &str = "HelpdeskAgents";
pub(crate) const SALES_AGENTS: &str = "SalesAgents";

/// A user of the partner's tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(crate) struct User {
    pub id: String,
    pub user_principal_name: String,
    pub display_name: String,
    pub account_enabled: bool,
    /// `Member` or `Guest`.
    pub user_type: String,
    /// All other properties that Graph knows, by their names there. A password is never among them.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Document for User {
    const KIND: &'static str = "user";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.clone()),
            ("sign-in-name", self.user_principal_name.to_lowercase()),
            ("display-name", self.display_name.to_lowercase()),
        ]
    }
}

/// A group of the partner's tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(crate) struct Group {
    pub id: String,
    pub display_name: String,
    pub mail_nickname: String,
    pub mail_enabled: bool,
    pub security_enabled: bool,
    /// `Unified` makes it a Microsoft 365 group, `DynamicMembership` one whose members follow a rule.
    #[serde(default)]
    pub group_types: Vec<String>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Document for Group {
    const KIND: &'static str = "group";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.clone()),
            ("display-name", self.display_name.to_lowercase()),
            ("mail-nickname", self.mail_nickname.to_lowercase()),
        ]
    }
}

/// What can be a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Sort {
    User,
    Group,
    ServicePrincipal,
}

/// That something is a member of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "a member's member is who belongs")]
pub(crate) struct Member {
    pub id: String,
    pub group: String,
    pub member: String,
    pub sort: Sort,
}

impl Member {
    pub(crate) fn new(group: &str, member: &str, sort: Sort) -> Self {
        Self {
            id: Self::id_of(group, member),
            group: group.to_owned(),
            member: member.to_owned(),
            sort,
        }
    }

    pub(crate) fn id_of(group: &str, member: &str) -> String {
        format!("{group}/{member}")
    }
}

impl Document for Member {
    const KIND: &'static str = "member";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("group", self.group.clone()), ("member", self.member.clone())]
    }
}

/// That a principal holds a directory role, for good or until it is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleAssignment {
    pub id: String,
    pub role_definition_id: String,
    pub principal_id: String,
    pub directory_scope_id: String,
}

impl Document for RoleAssignment {
    const KIND: &'static str = "role-assignment";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.clone()),
            ("principal", self.principal_id.clone()),
            ("role", self.role_definition_id.clone()),
        ]
    }
}

/// That a principal may activate a directory role: privileged identity management.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleEligibility {
    pub id: String,
    pub role_definition_id: String,
    pub principal_id: String,
    pub directory_scope_id: String,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Document for RoleEligibility {
    const KIND: &'static str = "role-eligibility";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.clone()),
            ("principal", self.principal_id.clone()),
            ("role", self.role_definition_id.clone()),
        ]
    }
}

/// An application's identity in the tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePrincipal {
    pub id: String,
    pub app_id: String,
    pub display_name: String,
    /// Permissions of Graph that it holds as itself; in the `roles` claim of its tokens.
    #[serde(default)]
    pub permissions: Vec<String>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Document for ServicePrincipal {
    const KIND: &'static str = "service-principal";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.clone()),
            ("app-id", self.app_id.to_lowercase()),
            ("display-name", self.display_name.to_lowercase()),
        ]
    }
}

/// What a principal is in the tenant right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Names of the groups it belongs to, through others too.
    pub groups: BTreeSet<String>,
    /// Definitions of the directory roles it holds, directly or through groups.
    pub directory_roles: BTreeSet<String>,
}

impl Standing {
    /// Looks a principal's standing up.
    pub(crate) fn of(tx: &Read<'_>, principal: &str) -> Result<Self, StoreError> {
        let mut standing = Self::default();
        let mut seen = BTreeSet::new();
        let mut ahead = vec![principal.to_owned()];
        while let Some(id) = ahead.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            for assignment in tx.with::<RoleAssignment>("principal", &id)? {
                // A role over one administrative unit is no role over the tenant.
                if assignment.directory_scope_id == "/" {
                    standing.directory_roles.insert(assignment.document.role_definition_id);
                }
            }
            for member in tx.with::<Member>("member", &id)? {
                if let Some(group) = tx.get::<Group>(&member.group)? {
                    standing.groups.insert(group.document.display_name);
                    ahead.push(group.document.id);
                }
            }
        }
        Ok(standing)
    }

    pub(crate) fn is_global_admin(&self) -> bool {
        self.directory_roles.contains(GLOBAL_ADMINISTRATOR)
    }

    pub(crate) fn is_agent(&self, group: &str) -> bool {
        self.groups.contains(group)
    }

    /// Whether any of the agent levels is held.
    pub(crate) fn is_any_agent(&self) -> bool {
        [ADMIN_AGENTS, HELPDESK_AGENTS, SALES_AGENTS].iter().any(|group| self.is_agent(group))
    }
}

/// The user with a sign-in name, whatever its case.
pub(crate) fn user_by_sign_in_name(
    tx: &Read<'_>,
    name: &str,
) -> Result<Option<Found<User>>, StoreError> {
    tx.find("sign-in-name", &name.to_lowercase())
}

/// The first group with a name.
pub(crate) fn group_by_name(tx: &Read<'_>, name: &str) -> Result<Option<Found<Group>>, StoreError> {
    tx.find("display-name", &name.to_lowercase())
}
