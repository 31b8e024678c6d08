//! What is sent to Partner Center: exactly what its documents show, and nothing that is not meant.

use serde::Serialize;

use super::super::snapshot::ObjectId;
use crate::model::id::TenantId;

/// A customer whose tenant is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewCustomer {
    /// A default relationship of delegated access; one of our own making is reviewed, this one is not.
    #[serde(rename = "enableGDAPByDefault", skip_serializing_if = "Option::is_none")]
    pub enable_gdap_by_default: Option<bool>,
    /// The reseller that the customer belongs to, on a provider's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associated_partner_id: Option<TenantId>,
    pub company_profile: NewCompanyProfile,
    pub billing_profile: NewBillingProfile,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewCompanyProfile {
    pub domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_registration_number: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewBillingProfile {
    pub culture: String,
    pub email: String,
    pub language: String,
    pub company_name: String,
    pub default_address: AddressBody,
}

/// An address; what is absent is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    pub address_line1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_line2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_line3: Option<String>,
    pub city: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    pub country: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    object_type: &'static str,
}

/// Ends what there is with a customer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct CustomerFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    relationship_to_partner: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_delegated_access: Option<bool>,
    attributes: Attributes,
}

impl CustomerFields {
    /// The relationship, for good.
    pub(in crate::partner) const fn without_relationship() -> Self {
        Self {
            relationship_to_partner: Some("none"),
            allow_delegated_access: None,
            attributes: Attributes { object_type: "Customer" },
        }
    }

    /// Legacy delegated administration, for good.
    pub(in crate::partner) const fn without_legacy_administration() -> Self {
        Self {
            relationship_to_partner: None,
            allow_delegated_access: Some(false),
            attributes: Attributes { object_type: "Customer" },
        }
    }
}

/// A standing to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "qualification")]
pub enum NewQualification {
    #[serde(rename_all = "camelCase")]
    Education {
        education_segment: EducationSegmentBody,
        website: String,
    },
    #[serde(rename_all = "camelCase")]
    GovernmentCommunityCloud {
        validation_code: String,
    },
    StateOwnedEntity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EducationSegmentBody {
    K12,
    HigherEducation,
}

/// Somebody who is to hold an account role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewRoleMember {
    pub id: ObjectId,
    /// Our tenant's id for the whole organization.
    pub account_id: String,
    pub display_name: String,
    pub role_id: String,
    pub user_principal_name: String,
}
