//! What is sent, as data: an apply does exactly this and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::record::ObjectKey;
use crate::model::tenant::{ObjectId, ProfileKind, RelationshipId};

/// What a step sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "do")]
pub enum Change {
    CreateUser {
        sign_in_name: String,
        mail_nickname: String,
        enabled: bool,
        /// By Graph's names.
        fields: BTreeMap<String, Value>,
    },
    UpdateUser {
        user: Target,
        /// By Graph's names.
        fields: BTreeMap<String, Value>,
    },
    RestoreUser {
        user: Target,
    },
    DeleteUser {
        user: Target,
    },
    /// The password is made when it is sent, and goes to where passwords are handed over.
    ResetPassword {
        user: Target,
        sign_in_name: String,
    },
    CreateGroup {
        name: String,
        mail_nickname: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    UpdateGroup {
        group: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    DeleteGroup {
        group: Target,
    },
    AddMember {
        group: Target,
        member: Target,
    },
    RemoveMember {
        group: Target,
        member: Target,
    },
    AssignRole {
        #[schemars(with = "String")]
        role: RoleTemplateId,
        principal: Target,
    },
    RemoveRole {
        assignment: String,
        #[schemars(with = "String")]
        role: RoleTemplateId,
        principal: Target,
    },
    AddAccountRole {
        /// The id of the role.
        role: String,
        user: Target,
        /// The account or location that it holds for.
        account: String,
        sign_in_name: String,
        display_name: String,
    },
    RemoveAccountRole {
        role: String,
        user: Target,
    },
    /// Members are set in what is read right before; the others go back as they were read.
    PutProfile {
        #[schemars(with = "String")]
        profile: ProfileKind,
        /// By the service's names: `address.city`. Null empties one.
        members: BTreeMap<String, Value>,
    },
    CreateCustomer {
        /// What the service knows the request by, for every attempt.
        #[schemars(with = "String")]
        key: Uuid,
        domain: String,
        company_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        reseller: Option<TenantId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        registration_number: Option<String>,
        /// By the service's names, the address under `address.`.
        billing: BTreeMap<String, Value>,
    },
    PutCustomerBilling {
        #[schemars(with = "String")]
        customer: TenantId,
        members: BTreeMap<String, Value>,
    },
    AskQualification {
        #[schemars(with = "String")]
        customer: TenantId,
        qualification: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        details: BTreeMap<String, Value>,
    },
    EndRelationship {
        #[schemars(with = "String")]
        customer: TenantId,
    },
    /// A delegated access relationship is made, and its customer asked to approve it.
    RequestDelegation {
        /// What an unknown outcome is looked up by.
        name: String,
        #[schemars(with = "String")]
        customer: TenantId,
        days: u32,
        #[schemars(with = "BTreeSet<String>")]
        roles: BTreeSet<RoleTemplateId>,
        /// 0: it ends when it ends.
        extend_days: u32,
    },
    /// Its customer is asked to approve one that was made before.
    LockDelegation {
        #[schemars(with = "String")]
        relationship: RelationshipId,
    },
    UpdateDelegation {
        #[schemars(with = "String")]
        relationship: RelationshipId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<BTreeSet<String>>")]
        roles: Option<BTreeSet<RoleTemplateId>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extend_days: Option<u32>,
    },
    /// One that nobody was asked to approve.
    DeleteDelegation {
        #[schemars(with = "String")]
        relationship: RelationshipId,
    },
    TerminateDelegation {
        #[schemars(with = "String")]
        relationship: RelationshipId,
    },
    /// Lets a group have roles by a relationship.
    AssignDelegated {
        #[schemars(with = "String")]
        relationship: RelationshipId,
        group: Target,
        #[schemars(with = "BTreeSet<String>")]
        roles: BTreeSet<RoleTemplateId>,
        /// An assignment that failed, which is deleted before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<String>,
    },
    UpdateDelegated {
        #[schemars(with = "String")]
        relationship: RelationshipId,
        assignment: String,
        #[schemars(with = "BTreeSet<String>")]
        roles: BTreeSet<RoleTemplateId>,
    },
    UnassignDelegated {
        #[schemars(with = "String")]
        relationship: RelationshipId,
        assignment: String,
        /// Whose it is.
        #[schemars(with = "String")]
        group: ObjectId,
    },
}

/// Something in the directory: known by its id, or made by an earlier step.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    Id(#[schemars(with = "String")] ObjectId),
    /// What the step that creates this object makes.
    MadeFor(#[schemars(with = "String")] ObjectKey),
}

impl Change {
    /// What it is about in the directory.
    pub fn targets(&self) -> Vec<&Target> {
        match self {
            Self::UpdateUser { user, .. }
            | Self::RestoreUser { user }
            | Self::DeleteUser { user }
            | Self::ResetPassword { user, .. }
            | Self::AddAccountRole { user, .. }
            | Self::RemoveAccountRole { user, .. } => vec![user],
            Self::UpdateGroup { group, .. }
            | Self::DeleteGroup { group }
            | Self::AssignDelegated { group, .. } => vec![group],
            Self::AddMember { group, member } | Self::RemoveMember { group, member } => {
                vec![group, member]
            }
            Self::AssignRole { principal, .. } | Self::RemoveRole { principal, .. } => {
                vec![principal]
            }
            Self::CreateUser { .. }
            | Self::CreateGroup { .. }
            | Self::PutProfile { .. }
            | Self::CreateCustomer { .. }
            | Self::PutCustomerBilling { .. }
            | Self::AskQualification { .. }
            | Self::EndRelationship { .. }
            | Self::RequestDelegation { .. }
            | Self::LockDelegation { .. }
            | Self::UpdateDelegation { .. }
            | Self::DeleteDelegation { .. }
            | Self::TerminateDelegation { .. }
            | Self::UpdateDelegated { .. }
            | Self::UnassignDelegated { .. } => Vec::new(),
        }
    }

    /// The delegated access relationship that there is no more after it.
    pub fn ends(&self) -> Option<&RelationshipId> {
        match self {
            Self::TerminateDelegation { relationship }
            | Self::DeleteDelegation { relationship } => Some(relationship),
            _ => None,
        }
    }

    /// The delegated access relationship that it is about, if it is about one that is there.
    pub fn relationship(&self) -> Option<&RelationshipId> {
        match self {
            Self::LockDelegation { relationship }
            | Self::UpdateDelegation { relationship, .. }
            | Self::DeleteDelegation { relationship }
            | Self::TerminateDelegation { relationship }
            | Self::AssignDelegated { relationship, .. }
            | Self::UpdateDelegated { relationship, .. }
            | Self::UnassignDelegated { relationship, .. } => Some(relationship),
            _ => None,
        }
    }
}
