//! What is sent to Graph: exactly what its documents show, and nothing that is not meant.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::super::snapshot::ObjectId;
use crate::model::id::{RoleTemplateId, TenantId};

/// A password that its owner must change.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordProfile {
    pub force_change_password_next_sign_in: bool,
    #[serde(serialize_with = "exposed")]
    pub password: SecretString,
}

impl PasswordProfile {
    pub fn temporary(password: SecretString) -> Self {
        Self { force_change_password_next_sign_in: true, password }
    }
}

/// The one place where a password goes onto the wire.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// A user to be made.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewUser {
    pub account_enabled: bool,
    pub mail_nickname: String,
    pub user_principal_name: String,
    #[serde(flatten)]
    pub fields: UserFields,
    pub password_profile: PasswordProfile,
}

/// A text that is set, or taken away: the directory refuses an empty one, and takes null for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrNothing(pub Option<String>);

impl<T: Into<String>> From<T> for OrNothing {
    fn from(text: T) -> Self {
        Self(Some(text.into()).filter(|text| !text.is_empty()))
    }
}

/// A null that stands there is one that is meant.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<OrNothing>, D::Error> {
    OrNothing::deserialize(value).map(Some)
}

/// What can be set of a user; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_enabled: Option<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub given_name: Option<OrNothing>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub surname: Option<OrNothing>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub job_title: Option<OrNothing>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub department: Option<OrNothing>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<OrNothing>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<OrNothing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_location: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct SetPassword<'a> {
    pub(in crate::partner) password_profile: &'a PasswordProfile,
}

/// A security group to be made, with members of its own choosing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewGroup {
    pub display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    mail_enabled: bool,
    /// The marker by which a group of unknown fate is found again.
    pub mail_nickname: String,
    security_enabled: bool,
    group_types: [&'static str; 0],
    is_assignable_to_role: bool,
}

impl NewGroup {
    pub fn security(
        display_name: impl Into<String>,
        mail_nickname: impl Into<String>,
        description: Option<String>,
    ) -> Self {
        Self {
            display_name: display_name.into(),
            description,
            mail_enabled: false,
            mail_nickname: mail_nickname.into(),
            security_enabled: true,
            group_types: [],
            is_assignable_to_role: false,
        }
    }
}

/// What can be set of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<OrNothing>,
}

/// Points at an object of the directory.
#[derive(Debug, Serialize)]
pub(in crate::partner) struct Pointer {
    #[serde(rename = "@odata.id")]
    id: String,
}

impl Pointer {
    pub(in crate::partner) fn to(graph: &str, object: ObjectId) -> Self {
        Self { id: address(graph, object) }
    }
}

/// Points at several.
#[derive(Debug, Serialize)]
pub(in crate::partner) struct Members {
    #[serde(rename = "members@odata.bind")]
    members: Vec<String>,
}

impl Members {
    pub(in crate::partner) fn of(graph: &str, objects: &[ObjectId]) -> Self {
        Self { members: objects.iter().map(|object| address(graph, *object)).collect() }
    }
}

fn address(graph: &str, object: ObjectId) -> String {
    format!("{graph}/v1.0/directoryObjects/{object}")
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct NewAssignment<'a> {
    #[serde(rename = "@odata.type")]
    kind: &'static str,
    role_definition_id: RoleTemplateId,
    principal_id: ObjectId,
    directory_scope_id: &'a str,
}

impl<'a> NewAssignment<'a> {
    pub(in crate::partner) fn new(
        role: RoleTemplateId,
        principal: ObjectId,
        scope: &'a str,
    ) -> Self {
        Self {
            kind: "#microsoft.graph.unifiedRoleAssignment",
            role_definition_id: role,
            principal_id: principal,
            directory_scope_id: scope,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct ActivateRole {
    pub(in crate::partner) role_template_id: RoleTemplateId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnifiedRole {
    role_definition_id: RoleTemplateId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessDetails {
    unified_roles: Vec<UnifiedRole>,
}

impl AccessDetails {
    fn of(roles: &BTreeSet<RoleTemplateId>) -> Self {
        let unified = |role: &RoleTemplateId| UnifiedRole { role_definition_id: *role };
        Self { unified_roles: roles.iter().map(unified).collect() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerRef {
    tenant_id: TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
}

/// A delegated access relationship to be made.
///
/// The customer is always named: a relationship without one could be accepted by anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewDelegation {
    display_name: String,
    duration: String,
    customer: CustomerRef,
    access_details: AccessDetails,
    auto_extend_duration: String,
}

impl NewDelegation {
    pub fn new(
        name: impl Into<String>,
        customer: (TenantId, Option<String>),
        duration_days: u32,
        auto_extend_days: u32,
        roles: &BTreeSet<RoleTemplateId>,
    ) -> Self {
        let (tenant_id, display_name) = customer;
        Self {
            display_name: name.into(),
            duration: days(duration_days),
            customer: CustomerRef { tenant_id, display_name },
            access_details: AccessDetails::of(roles),
            auto_extend_duration: extension(auto_extend_days),
        }
    }
}

/// What can be changed of a relationship: everything before it is locked, little afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DelegationFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_details: Option<AccessDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_extend_duration: Option<String>,
}

impl DelegationFields {
    pub fn auto_extend(days: u32) -> Self {
        Self { auto_extend_duration: Some(extension(days)), ..Self::default() }
    }

    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { display_name: Some(name.into()), ..self }
    }

    #[must_use]
    pub fn with_duration(self, duration_days: u32) -> Self {
        Self { duration: Some(days(duration_days)), ..self }
    }

    #[must_use]
    pub fn with_customer(self, tenant_id: TenantId) -> Self {
        Self { customer: Some(CustomerRef { tenant_id, display_name: None }), ..self }
    }

    #[must_use]
    pub fn with_roles(self, roles: &BTreeSet<RoleTemplateId>) -> Self {
        Self { access_details: Some(AccessDetails::of(roles)), ..self }
    }
}

/// Clients of the service write days, never years.
fn days(days: u32) -> String {
    format!("P{days}D")
}

fn extension(days: u32) -> String {
    if days == 0 { "PT0S".to_owned() } else { self::days(days) }
}

/// What is asked of a relationship's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    LockForApproval,
    Terminate,
    /// A reseller's answer to what a provider made for it.
    Approve,
    Reject,
}

#[derive(Debug, Serialize)]
pub(in crate::partner) struct DelegationRequest {
    pub(in crate::partner) action: Action,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    access_container_id: ObjectId,
    access_container_type: &'static str,
}

/// What a group is to be allowed by a relationship.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct NewDelegatedAssignment {
    access_container: Container,
    access_details: AccessDetails,
}

impl NewDelegatedAssignment {
    pub(in crate::partner) fn new(group: ObjectId, roles: &BTreeSet<RoleTemplateId>) -> Self {
        Self {
            access_container: Container {
                access_container_id: group,
                access_container_type: "securityGroup",
            },
            access_details: AccessDetails::of(roles),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct DelegatedAssignmentFields {
    access_details: AccessDetails,
}

impl DelegatedAssignmentFields {
    pub(in crate::partner) fn roles(roles: &BTreeSet<RoleTemplateId>) -> Self {
        Self { access_details: AccessDetails::of(roles) }
    }
}
