//! What is sent, as data: an apply does exactly this and nothing else.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::record::ObjectKey;
use crate::model::tenant::{ObjectId, ProfileKind};

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
            Self::UpdateGroup { group, .. } | Self::DeleteGroup { group } => vec![group],
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
            | Self::EndRelationship { .. } => Vec::new(),
        }
    }
}
