//! The partner account itself.

use super::choice::choices;
use super::cloud::Cloud;
use super::contact::{Address, Domain, Email, Person, Phone, Url};
use super::country::{CountryCode, CurrencyCode, Language};
use super::id::PartnerId;
use super::role::Membership;
use super::text::{Remark, Title};

choices! {
    /// How the account takes part in the Cloud Solution Provider program.
    "a program"
    pub enum Program {
        /// Buys from Microsoft and sells to customers.
        DirectBill = "direct-bill",
        /// Buys from Microsoft and sells through resellers.
        IndirectProvider = "indirect-provider",
        /// Sells to customers what a provider buys.
        IndirectReseller = "indirect-reseller",
    }
}

/// The `spec` of an Account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub program: Program,
    pub cloud: Cloud,
    pub country: CountryCode,
    /// Verified domains of our tenant.
    pub domains: Vec<Domain>,
    pub partner_id: PartnerId,
    pub legal: Legal,
    pub support: Option<Support>,
    pub billing: Option<Billing>,
    /// Kept in the portal alone.
    pub tax_exemptions: Option<Vec<Title>>,
    /// Kept in the portal alone.
    pub business_profile: Option<BusinessProfile>,
    /// Kept in the portal alone.
    pub catalog: Option<Catalog>,
    /// Whether undeclared members of the agent groups are left alone.
    pub agent_membership: Membership,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Legal {
    pub company_name: Title,
    pub address: Address,
    pub primary_contact: Person,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub website: Option<Url>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Billing {
    pub currency: Option<CurrencyCode>,
    pub tax_id: Option<Title>,
    pub purchase_order_number: Option<Title>,
    pub company_name: Option<Title>,
    pub address: Option<Address>,
    pub primary_contact: Option<Person>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BusinessProfile {
    pub summary: Option<Remark>,
    pub industries: Option<Vec<Title>>,
    pub languages: Option<Vec<Language>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    pub featured: Vec<Title>,
}
