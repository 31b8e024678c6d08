//! A customer and our relationship with it.

use super::choice::choices;
use super::contact::{Address, Domain, Email, Phone};
use super::country::Language;
use super::id::TenantId;
use super::name::PartnershipKey;
use super::text::Title;

choices! {
    /// The tie that should exist.
    "a relationship"
    pub enum Relationship {
        /// We resell to it.
        Reseller = "reseller",
        /// None: an existing one is ended, which cannot be undone from our side.
        None = "none",
    }
}

choices! {
    /// How a customer comes to us.
    "an origin"
    pub enum Origin {
        /// It has a tenant: its global admin accepts our invitation.
        Existing = "existing",
        /// We create its tenant (direct-bill partners and indirect providers).
        New = "new",
    }
}

choices! {
    /// Who brought the customer.
    "a channel"
    pub enum Channel {
        /// Our own marketing.
        OwnMarketing = "own-marketing",
        /// A referral from Microsoft.
        MicrosoftReferral = "microsoft-referral",
        /// A provider of ours.
        Provider = "provider",
    }
}

choices! {
    /// A customer's standing that offers depend on.
    "a qualification"
    pub enum Qualification {
        /// None.
        None = "none",
        /// A school or university.
        Education = "education",
        /// Eligible for the Government Community Cloud.
        GovernmentCommunityCloud = "government-community-cloud",
        /// Owned by a state.
        StateOwnedEntity = "state-owned-entity",
    }
}

choices! {
    /// What sort of school.
    "an education segment"
    pub enum EducationSegment {
        /// Primary and secondary schools.
        K12 = "k12",
        /// Universities and colleges.
        HigherEducation = "higher-education",
    }
}

/// The `spec` of a Customer, or a row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    pub company_name: Title,
    pub domain: Domain,
    /// Unknown until it accepts, for some.
    pub tenant_id: Option<TenantId>,
    pub relationship: Relationship,
    pub origin: Origin,
    /// A reseller's providers that also need a relationship, to order.
    pub partnerships: Option<Vec<PartnershipKey>>,
    /// On a provider's side: the partner this customer belongs to.
    pub reseller: Option<PartnershipKey>,
    pub channel: Option<Channel>,
    pub contact: Option<Contact>,
    pub billing: Option<CustomerBilling>,
    pub qualification: Option<Qualification>,
    pub qualification_details: Option<QualificationDetails>,
    /// Wanted in some countries when a tenant is created.
    pub organization_registration_number: Option<Title>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub name: Option<Title>,
    pub email: Email,
    pub phone: Option<Phone>,
    pub language: Option<Language>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CustomerBilling {
    pub address: Option<Address>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct QualificationDetails {
    pub education_segment: Option<EducationSegment>,
    pub website: Option<Title>,
    pub validation_code: Option<Title>,
}
