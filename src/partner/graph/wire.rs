//! What Graph answers with, leniently, and how it becomes what was observed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::super::json;
use super::super::snapshot::{
    DelegatedAssignment, Delegation, DelegationStatus, DeletedUser, Group, GroupKind, Holding,
    MemberKind, ObjectId, RelationshipId, RoleAssignment, ServicePrincipal, User,
};
use crate::model::id::{ApplicationId, RoleTemplateId, TenantId};
use crate::model::scalar::Scalar;
use crate::model::time::Days;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct UserWire {
    pub(in crate::partner) id: Uuid,
    #[serde(default, deserialize_with = "json::text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    user_principal_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    mail: Option<String>,
    #[serde(default)]
    account_enabled: Option<bool>,
    #[serde(default, deserialize_with = "json::text")]
    user_type: Option<String>,
    #[serde(default)]
    on_premises_sync_enabled: Option<bool>,
    #[serde(default, deserialize_with = "json::text")]
    mail_nickname: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    given_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    surname: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    job_title: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    department: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    mobile_phone: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    preferred_language: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    usage_location: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    created_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::time")]
    deleted_date_time: Option<Timestamp>,
}

impl UserWire {
    pub(in crate::partner) fn observed(self) -> (ObjectId, User) {
        let sign_in_name = self.user_principal_name.unwrap_or_default();
        let is_guest = self.user_type.is_some_and(|kind| kind.eq_ignore_ascii_case("guest"))
            || sign_in_name.to_ascii_uppercase().contains("#EXT#@");
        let user = User {
            display_name: self.display_name.unwrap_or_default(),
            sign_in_name,
            email: self.mail,
            enabled: self.account_enabled,
            is_guest,
            is_synced: self.on_premises_sync_enabled == Some(true),
            mail_nickname: self.mail_nickname,
            given_name: self.given_name,
            surname: self.surname,
            job_title: self.job_title,
            department: self.department,
            mobile_phone: self.mobile_phone,
            preferred_language: self.preferred_language,
            usage_location: self.usage_location,
            created_at: self.created_date_time,
        };
        (ObjectId(self.id), user)
    }

    /// As one in the bin: the directory puts the id, without hyphens, before the sign-in name.
    pub(in crate::partner) fn deleted(self) -> (ObjectId, DeletedUser) {
        let name = self.user_principal_name.unwrap_or_default();
        let prefix = self.id.simple().to_string();
        let is_prefixed =
            name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(&prefix));
        let sign_in_name = if is_prefixed {
            name.get(prefix.len()..).unwrap_or_default().to_owned()
        } else {
            name
        };
        let user = DeletedUser {
            display_name: self.display_name.unwrap_or_default(),
            sign_in_name,
            deleted_at: self.deleted_date_time,
        };
        (ObjectId(self.id), user)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct GroupWire {
    id: Uuid,
    #[serde(default, deserialize_with = "json::text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    mail_nickname: Option<String>,
    #[serde(default)]
    mail_enabled: Option<bool>,
    #[serde(default)]
    security_enabled: Option<bool>,
    #[serde(default, deserialize_with = "json::or_default")]
    group_types: Vec<String>,
    #[serde(default)]
    on_premises_sync_enabled: Option<bool>,
    #[serde(default)]
    is_assignable_to_role: Option<bool>,
}

impl GroupWire {
    pub(in crate::partner) fn observed(self) -> (ObjectId, Group) {
        let is = |kind: &str| self.group_types.iter().any(|known| known.eq_ignore_ascii_case(kind));
        let kind = if is("DynamicMembership") {
            GroupKind::Dynamic
        } else if is("Unified") {
            GroupKind::Microsoft365
        } else {
            // A group that does not say is taken for what our questions ask for: a security group.
            match (self.security_enabled.unwrap_or(true), self.mail_enabled.unwrap_or(false)) {
                (true, false) => GroupKind::Security,
                (true, true) => GroupKind::MailEnabledSecurity,
                (false, _) => GroupKind::Distribution,
            }
        };
        let group = Group {
            name: self.display_name.unwrap_or_default(),
            description: self.description,
            mail_nickname: self.mail_nickname,
            kind,
            is_synced: self.on_premises_sync_enabled == Some(true),
            is_role_assignable: self.is_assignable_to_role == Some(true),
            members: None,
            owners: None,
        };
        (ObjectId(self.id), group)
    }
}

/// Whatever can be a member or an owner.
#[derive(Debug, Deserialize)]
pub(in crate::partner) struct MemberWire {
    id: Uuid,
    #[serde(default, rename = "@odata.type", deserialize_with = "json::text")]
    kind: Option<String>,
}

impl MemberWire {
    pub(in crate::partner) fn observed(self) -> (ObjectId, MemberKind) {
        let kind = self.kind.unwrap_or_default();
        let kind = match kind.rsplit('.').next().unwrap_or_default() {
            "user" => MemberKind::User,
            "group" => MemberKind::Group,
            "servicePrincipal" => MemberKind::ServicePrincipal,
            other => MemberKind::Other(other.to_owned()),
        };
        (ObjectId(self.id), kind)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct AssignmentWire {
    id: json::Text,
    role_definition_id: Uuid,
    principal_id: Uuid,
    #[serde(default, deserialize_with = "json::text")]
    directory_scope_id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    app_scope_id: Option<String>,
}

impl AssignmentWire {
    pub(in crate::partner) fn observed(self, holding: Holding) -> RoleAssignment {
        RoleAssignment {
            id: self.id.0,
            role: RoleTemplateId(self.role_definition_id),
            principal: ObjectId(self.principal_id),
            scope: self.directory_scope_id.or(self.app_scope_id).unwrap_or_else(|| "/".to_owned()),
            holding,
        }
    }
}

/// A role, as the older interface lists those that were activated.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct RoleWire {
    pub(in crate::partner) role_template_id: Uuid,
}

/// What is answered when something was made, as far as anybody needs it.
#[derive(Debug, Deserialize)]
pub(in crate::partner) struct Made {
    pub(in crate::partner) id: json::Text,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct ServicePrincipalWire {
    id: Uuid,
    #[serde(default)]
    app_id: Option<Uuid>,
    #[serde(default, deserialize_with = "json::text")]
    display_name: Option<String>,
}

impl ServicePrincipalWire {
    pub(in crate::partner) fn observed(self) -> ServicePrincipal {
        ServicePrincipal {
            id: ObjectId(self.id),
            application: self.app_id.map(ApplicationId),
            display_name: self.display_name.unwrap_or_default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct OrganizationWire {
    pub(in crate::partner) id: Uuid,
    #[serde(default, deserialize_with = "json::or_default")]
    pub(in crate::partner) verified_domains: Vec<DomainWire>,
}

#[derive(Debug, Deserialize)]
pub(in crate::partner) struct DomainWire {
    pub(in crate::partner) name: json::Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessDetailsWire {
    #[serde(default, deserialize_with = "json::or_default")]
    unified_roles: Vec<UnifiedRoleWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnifiedRoleWire {
    role_definition_id: Uuid,
}

impl AccessDetailsWire {
    fn roles(self) -> BTreeSet<RoleTemplateId> {
        self.unified_roles.into_iter().map(|role| RoleTemplateId(role.role_definition_id)).collect()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomerWire {
    #[serde(default, deserialize_with = "json::text")]
    tenant_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct DelegationWire {
    id: json::Text,
    #[serde(default, rename = "@odata.etag", deserialize_with = "json::text")]
    etag: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    duration: Option<String>,
    #[serde(default, deserialize_with = "json::or_default")]
    customer: CustomerWire,
    #[serde(default, deserialize_with = "json::or_default")]
    access_details: AccessDetailsWire,
    #[serde(default, deserialize_with = "json::text")]
    auto_extend_duration: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    created_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::time")]
    last_modified_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::time")]
    activated_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::time")]
    end_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::text")]
    indirect_provider_tenant_id: Option<String>,
    #[serde(default)]
    is_partner_consent_pending: Option<bool>,
}

impl DelegationWire {
    pub(in crate::partner) fn observed(self) -> (RelationshipId, Delegation) {
        let days = |text: &str| duration_days(text);
        let delegation = Delegation {
            name: self.display_name.unwrap_or_default(),
            customer: self.customer.tenant_id.as_deref().and_then(tenant),
            duration_days: self.duration.as_deref().and_then(days),
            roles: self.access_details.roles(),
            auto_extend_days: self.auto_extend_duration.as_deref().and_then(days).unwrap_or(0),
            status: status(self.status.unwrap_or_default()),
            created_at: self.created_date_time,
            modified_at: self.last_modified_date_time,
            activated_at: self.activated_date_time,
            ends_at: self.end_date_time,
            etag: self.etag,
            provider: self.indirect_provider_tenant_id.as_deref().and_then(tenant),
            awaits_our_consent: self.is_partner_consent_pending == Some(true),
            assignments: None,
        };
        (RelationshipId(self.id.0), delegation)
    }
}

fn tenant(text: &str) -> Option<TenantId> {
    Uuid::try_parse(text).ok().map(TenantId)
}

/// `P730D`, `P2Y`, and `PT0S` for none.
fn duration_days(text: &str) -> Option<u32> {
    if text.eq_ignore_ascii_case("PT0S") {
        return Some(0);
    }
    Days::parse(text).ok().map(|days| days.0)
}

fn status(text: String) -> DelegationStatus {
    use DelegationStatus as S;
    let known = [
        ("created", S::Created),
        ("approvalPending", S::ApprovalPending),
        ("approved", S::Approved),
        ("activating", S::Activating),
        ("active", S::Active),
        ("expiring", S::Expiring),
        ("expired", S::Expired),
        ("terminationRequested", S::TerminationRequested),
        ("terminating", S::Terminating),
        ("terminated", S::Terminated),
    ];
    known
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&text))
        .map_or(S::Other(text), |(_, status)| status)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerWire {
    access_container_id: Uuid,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct DelegatedAssignmentWire {
    id: json::Text,
    #[serde(default, rename = "@odata.etag", deserialize_with = "json::text")]
    etag: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    status: Option<String>,
    access_container: ContainerWire,
    #[serde(default, deserialize_with = "json::or_default")]
    access_details: AccessDetailsWire,
}

impl DelegatedAssignmentWire {
    pub(in crate::partner) fn observed(self) -> DelegatedAssignment {
        DelegatedAssignment {
            id: self.id.0,
            group: ObjectId(self.access_container.access_container_id),
            roles: self.access_details.roles(),
            status: self.status.unwrap_or_default(),
            etag: self.etag,
        }
    }
}

/// A change that goes on behind an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct OperationWire {
    #[serde(default, deserialize_with = "json::text")]
    pub(in crate::partner) status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct DelegatedCustomerWire {
    pub(in crate::partner) tenant_id: Uuid,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct ServiceWire {
    #[serde(default)]
    pub(in crate::partner) service_name: json::Text,
    #[serde(default)]
    pub(in crate::partner) service_management_url: json::Text,
}
