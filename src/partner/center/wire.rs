//! What Partner Center answers with, leniently, and how it becomes what was observed.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::json;
use super::super::snapshot::{
    AccountRole, AccountRoleMember, Agreement, Customer, CustomerDetails, ObjectId, Partnership,
    Qualification, Relationship, ServiceRequest, Side, Subscription, ValidationCode,
};
use crate::model::id::TenantId;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompanyProfileWire {
    #[serde(default, deserialize_with = "json::text")]
    domain: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    company_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct CustomerWire {
    pub(in crate::partner) id: Uuid,
    #[serde(default, deserialize_with = "json::or_default")]
    company_profile: CompanyProfileWire,
    #[serde(default, deserialize_with = "json::text")]
    relationship_to_partner: Option<String>,
    #[serde(default)]
    pub(in crate::partner) allow_delegated_access: Option<bool>,
    #[serde(default)]
    pub(in crate::partner) user_credentials: Option<CredentialsWire>,
}

/// The administrator that comes with a new tenant, once.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct CredentialsWire {
    #[serde(default, deserialize_with = "json::text")]
    pub(in crate::partner) user_name: Option<String>,
    #[serde(default, deserialize_with = "json::secret_if_any")]
    pub(in crate::partner) password: Option<SecretString>,
}

impl CustomerWire {
    pub(in crate::partner) fn observed(self) -> (TenantId, Customer) {
        let customer = Customer {
            company_name: self.company_profile.company_name.unwrap_or_default(),
            domain: self.company_profile.domain.unwrap_or_default().to_lowercase(),
            relationship: relationship(self.relationship_to_partner.unwrap_or_default()),
            details: CustomerDetails {
                legacy_administration: self.allow_delegated_access,
                ..CustomerDetails::default()
            },
        };
        (TenantId(self.id), customer)
    }
}

fn relationship(text: String) -> Relationship {
    match text.to_ascii_lowercase().as_str() {
        "reseller" => Relationship::Reseller,
        "advisor" => Relationship::Advisor,
        "none" => Relationship::None,
        _ => Relationship::Other(text),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct QualificationWire {
    #[serde(deserialize_with = "json::text")]
    qualification: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    vetting_status: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    vetting_reason: Option<String>,
}

impl QualificationWire {
    pub(in crate::partner) fn observed(self) -> Qualification {
        Qualification {
            name: self.qualification.unwrap_or_default(),
            vetting: self.vetting_status,
            reason: self.vetting_reason,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct SubscriptionWire {
    id: json::Text,
    #[serde(default, deserialize_with = "json::text")]
    friendly_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    offer_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    status: Option<String>,
}

impl SubscriptionWire {
    pub(in crate::partner) fn observed(self) -> Subscription {
        Subscription {
            id: self.id.0,
            name: self.friendly_name.or(self.offer_name).unwrap_or_default(),
            status: self.status.unwrap_or_default().to_lowercase(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct AgreementWire {
    #[serde(default, rename = "type", deserialize_with = "json::text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    date_agreed: Option<Timestamp>,
}

impl AgreementWire {
    pub(in crate::partner) fn observed(self) -> Agreement {
        Agreement { kind: self.kind.unwrap_or_default(), agreed_at: self.date_agreed }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct PartnershipWire {
    pub(in crate::partner) id: Uuid,
    #[serde(default, deserialize_with = "json::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    state: Option<String>,
    /// `mpnId` in samples, `partnerId` in newer pages.
    #[serde(default, deserialize_with = "json::text")]
    mpn_id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    partner_id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    location: Option<String>,
}

impl PartnershipWire {
    pub(in crate::partner) fn observed(self, side: Side) -> Partnership {
        Partnership {
            tenant: TenantId(self.id),
            name: self.name.unwrap_or_default(),
            side,
            state: self.state.unwrap_or_default().to_lowercase(),
            partner_id: self.mpn_id.or(self.partner_id),
            country: self.location,
            has_signed_agreement: None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct AgreementStatusWire {
    pub(in crate::partner) is_agreement_signed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct DirectSignWire {
    pub(in crate::partner) is_signed: bool,
}

#[derive(Debug, Deserialize)]
pub(in crate::partner) struct RelationshipRequestWire {
    pub(in crate::partner) url: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct ValidationStatusWire {
    #[serde(default, deserialize_with = "json::text")]
    pub(in crate::partner) status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct RoleWire {
    pub(in crate::partner) id: json::Text,
    #[serde(default, deserialize_with = "json::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    category: Option<String>,
}

impl RoleWire {
    pub(in crate::partner) fn observed(self) -> AccountRole {
        AccountRole {
            id: self.id.0,
            name: self.name.unwrap_or_default(),
            category: self.category,
            members: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct RoleMemberWire {
    id: Uuid,
    #[serde(default, deserialize_with = "json::text")]
    account_id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    user_principal_name: Option<String>,
}

impl RoleMemberWire {
    pub(in crate::partner) fn observed(self) -> AccountRoleMember {
        AccountRoleMember {
            user: ObjectId(self.id),
            account: self.account_id,
            display_name: self.display_name.unwrap_or_default(),
            sign_in_name: self.user_principal_name.unwrap_or_default(),
        }
    }
}

/// A profile is kept as it comes: it goes back whole.
pub(in crate::partner) type ProfileWire = Map<String, Value>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct AuditWire {
    pub(in crate::partner) id: json::Text,
    #[serde(default, deserialize_with = "json::text")]
    pub(in crate::partner) customer_id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    pub(in crate::partner) resource_type: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    pub(in crate::partner) operation_type: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    pub(in crate::partner) operation_date: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::text")]
    pub(in crate::partner) operation_status: Option<String>,
    #[serde(default, deserialize_with = "json::or_default")]
    customized_data: Vec<CustomizedWire>,
}

#[derive(Debug, Deserialize)]
struct CustomizedWire {
    #[serde(default, deserialize_with = "json::text")]
    key: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    value: Option<String>,
}

impl AuditWire {
    /// The customer it is about, wherever it says so.
    pub(in crate::partner) fn customer(&self) -> Option<TenantId> {
        let customized = || {
            self.customized_data
                .iter()
                .find(|data| {
                    data.key.as_deref().is_some_and(|key| key.eq_ignore_ascii_case("customerid"))
                })
                .and_then(|data| data.value.clone())
        };
        let id = self.customer_id.clone().or_else(customized)?;
        Uuid::try_parse(&id).ok().filter(|id| !id.is_nil()).map(TenantId)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::partner) struct ValidationCodeWire {
    #[serde(default, deserialize_with = "json::text")]
    organization_name: Option<String>,
    validation_id: json::Text,
    #[serde(default)]
    remaining_creates: u32,
}

impl ValidationCodeWire {
    pub(in crate::partner) fn observed(self) -> ValidationCode {
        ValidationCode {
            code: self.validation_id.0,
            organization: self.organization_name.unwrap_or_default(),
            remaining: self.remaining_creates,
        }
    }
}

/// Words or numbers, depending on the sample.
#[derive(Debug, Deserialize)]
pub(in crate::partner) struct ServiceRequestWire {
    id: json::Text,
    #[serde(default, deserialize_with = "json::text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    severity: Option<String>,
}

impl ServiceRequestWire {
    pub(in crate::partner) fn observed(self) -> ServiceRequest {
        let word = |text: Option<String>, words: [&str; 4]| {
            let text = text.unwrap_or_default();
            let at = text.parse::<usize>().ok();
            at.and_then(|at| words.get(at)).map_or(text, |word| (*word).to_owned())
        };
        ServiceRequest {
            id: self.id.0,
            title: self.title.unwrap_or_default(),
            status: word(self.status, ["none", "open", "closed", "attention_needed"]),
            severity: word(self.severity, ["unknown", "critical", "moderate", "minimal"]),
        }
    }
}
