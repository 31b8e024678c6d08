//! What Partner Center keeps: customers, partners, roles, profiles.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::emulator::store::Document;

/// A customer, related to us or not any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    /// The id of its tenant.
    pub id: String,
    pub commerce_id: String,
    pub company_name: String,
    pub domain: String,
    pub custom_domains: Vec<String>,
    pub relationship: Relationship,
    /// Legacy delegated administration.
    pub has_dap: bool,
    /// The indirect reseller whose customer it is, on a provider's side.
    #[serde(default)]
    pub reseller: Option<String>,
    /// Providers that accepted it together with us, on a reseller's side.
    #[serde(default)]
    pub providers: Vec<String>,
    #[serde(default)]
    pub email: Option<String>,
    pub address: Map<String, Value>,
    /// Without links and attributes.
    pub billing: Map<String, Value>,
    #[serde(default)]
    pub qualifications: Vec<Qualification>,
    #[serde(default)]
    pub agreements: Vec<Value>,
    #[serde(default)]
    pub signed_directly: bool,
    /// The status of its account, where there is one.
    #[serde(default)]
    pub validation: Option<Value>,
    #[serde(default)]
    pub organization_registration_number: Option<String>,
}

/// The tie between a customer and us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Relationship {
    None,
    Reseller,
    Advisor,
}

impl Relationship {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reseller => "reseller",
            Self::Advisor => "advisor",
        }
    }
}

/// What a customer qualified for, or wants to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Qualification {
    pub qualification: String,
    /// When it was asked for, by the tenant's time.
    pub asked_at: jiff::Timestamp,
    pub details: Map<String, Value>,
}

impl Customer {
    /// One that has nothing but a name.
    pub(crate) fn new(id: &str, commerce_id: &str, company_name: &str, domain: &str) -> Self {
        Self {
            id: id.to_owned(),
            commerce_id: commerce_id.to_owned(),
            company_name: company_name.to_owned(),
            domain: domain.to_owned(),
            custom_domains: vec![domain.to_owned()],
            relationship: Relationship::Reseller,
            has_dap: false,
            reseller: None,
            providers: Vec::new(),
            email: None,
            address: Map::new(),
            billing: Map::new(),
            qualifications: Vec::new(),
            agreements: Vec::new(),
            signed_directly: false,
            validation: None,
            organization_registration_number: None,
        }
    }
}

impl Document for Customer {
    const KIND: &'static str = "customer";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys: Vec<_> =
            self.custom_domains.iter().map(|domain| ("domain", domain.to_lowercase())).collect();
        keys.push(("domain", self.domain.to_lowercase()));
        if self.relationship == Relationship::None {
            return keys;
        }
        let name = self.company_name.to_lowercase();
        keys.push(("listed-by-domain", self.domain.to_lowercase()));
        // Whoever seeks a partner's customers gets them by name too.
        let partners = self.reseller.iter().map(|id| ("listed-by-reseller", id));
        let partners = partners.chain(self.providers.iter().map(|id| ("listed-by-provider", id)));
        keys.extend(partners.map(|(key, id)| (key, format!("{} {name}", id.to_lowercase()))));
        keys.push(("listed", name));
        keys
    }
}

/// Another partner: one of our providers or resellers, or one who could be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Partner {
    /// The id of its tenant.
    pub id: String,
    pub name: String,
    pub mpn_id: Option<String>,
    pub location: String,
    pub side: Side,
    /// Whether a partnership holds.
    pub is_active: bool,
    pub has_signed: bool,
    /// The link that a partnership is offered by, as the provider made it.
    #[serde(default)]
    pub invitation: Option<String>,
}

/// What another partner is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Provider,
    Reseller,
}

impl Document for Partner {
    const KIND: &'static str = "partner";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![("id", self.id.clone())];
        keys.extend(self.mpn_id.clone().map(|id| ("mpn-id", id)));
        if self.is_active {
            let key = match self.side {
                Side::Provider => "active-provider",
                Side::Reseller => "active-reseller",
            };
            keys.push((key, self.name.to_lowercase()));
        } else {
            keys.push(("inactive", self.name.to_lowercase()));
        }
        keys
    }
}

/// Something that a customer has and that is only read here: subscriptions, orders, service
/// requests, managed services, users of its tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Belonging {
    pub id: String,
    pub customer: String,
    pub sort: Sort,
    pub body: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sort {
    Subscription,
    Order,
    ServiceRequest,
    ManagedService,
    User,
    DeletedUser,
}

impl Sort {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Order => "order",
            Self::ServiceRequest => "service-request",
            Self::ManagedService => "managed-service",
            Self::User => "user",
            Self::DeletedUser => "deleted-user",
        }
    }
}

impl Belonging {
    /// What is asked for when all of a sort are.
    pub(crate) fn key(customer: &str, sort: Sort) -> String {
        format!("{customer} {}", sort.word())
    }
}

impl Document for Belonging {
    const KIND: &'static str = "belonging";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("of", Self::key(&self.customer, self.sort)), ("sort", self.sort.word().to_owned())]
    }
}

/// A role that Partner Center keeps itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Role {
    pub id: String,
    pub name: String,
    pub category: String,
}

impl Document for Role {
    const KIND: &'static str = "role";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.to_lowercase())]
    }
}

/// That a user holds such a role, for the organization or a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleMember {
    pub id: String,
    pub role: String,
    pub user: String,
    pub account: String,
    pub display_name: String,
    pub user_principal_name: String,
}

impl RoleMember {
    pub(crate) fn id_of(role: &str, user: &str, account: &str) -> String {
        format!("{role}/{user}/{account}")
    }
}

impl Document for RoleMember {
    const KIND: &'static str = "role-member";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "by-sign-in-name",
                format!("{} {}", self.role, self.user_principal_name.to_lowercase()),
            ),
            ("by-name", format!("{} {}", self.role, self.display_name.to_lowercase())),
            ("holder", format!("{} {}", self.role, self.user)),
            ("user", self.user.clone()),
        ]
    }
}

/// One of our own profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    /// `organization`, `legalbusiness`, `billing`, `support`.
    pub id: String,
    /// Without links and attributes.
    pub body: Map<String, Value>,
    /// What was last vetted, while something newer waits to be.
    pub finalized: Option<Map<String, Value>>,
    pub changed_at: jiff::Timestamp,
}

impl Document for Profile {
    const KIND: &'static str = "profile";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("id", self.id.clone())]
    }
}

/// A code by which a customer is let into the government's cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValidationCode {
    pub validation_id: String,
    pub organization_name: String,
    pub max_creates: u32,
    pub remaining_creates: u32,
}

impl Document for ValidationCode {
    const KIND: &'static str = "validation-code";

    fn id(&self) -> &str {
        &self.validation_id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("id", self.validation_id.clone())]
    }
}
