//! `Customer`: a customer and our relationship with it.

use crate::manifest::read::collections::Set;
use crate::manifest::read::shape;
use crate::model::contact::{Address, Domain, Email, Phone};
use crate::model::country::Language;
use crate::model::customer::{
    Channel, Contact, Customer, CustomerBilling, EducationSegment, Origin, Qualification,
    QualificationDetails, Relationship,
};
use crate::model::id::TenantId;
use crate::model::name::PartnershipKey;
use crate::model::text::Title;

shape!(Customer, "Customer", {
    /// The name of the company.
    "companyName" => company_name: required Title, Live;
    /// A domain of its tenant; for a new one, the `onmicrosoft.com` domain to create.
    "domain" => domain: required Domain, CreateOnly;
    /// Its tenant, unknown until it accepts.
    "tenantId" => tenant_id: optional TenantId, CreateOnly;
    /// The tie that should exist. `none` ends it, which cannot be undone from our side.
    "relationship" => relationship: default Relationship, Live, Relationship::Reseller, "reseller";
    /// Whether it has a tenant already and is invited, or we create its tenant.
    "origin" => origin: default Origin, CreateOnly, Origin::Existing, "existing";
    /// A reseller's providers that also need a relationship, to order.
    "partnerships" => partnerships: optional Set<PartnershipKey>, Live;
    /// On a provider's side: the Partnership this customer belongs to.
    "reseller" => reseller: optional PartnershipKey, CreateOnly;
    /// Who brought the customer.
    "channel" => channel: optional Channel, Local;
    /// Whom invitations go to, and in which language.
    "contact" => contact: optional Contact, Local;
    /// Its billing profile.
    "billing" => billing: optional CustomerBilling, Live;
    /// A standing that offers depend on; vetted by Microsoft.
    "qualification" => qualification: optional Qualification, Live;
    /// What the qualification needs to be asked for.
    "qualificationDetails" => qualification_details: optional QualificationDetails, CreateOnly;
    /// The registration number that some countries want when a tenant is created.
    "organizationRegistrationNumber" => organization_registration_number: optional Title, CreateOnly;
});

shape!(Contact, "a customer's contact", {
    /// The person's name.
    "name" => name: optional Title, Local;
    /// Where invitations are sent.
    "email" => email: required Email, Local;
    /// Telephone number, with its country code.
    "phone" => phone: optional Phone, Local;
    /// The language of invitations: en, ja, fr and zh-TW are written for.
    "language" => language: optional Language, Local;
});

shape!(CustomerBilling, "a customer's billing profile", {
    /// Where its invoices go: in the account's market.
    "address" => address: optional Address, Live;
});

shape!(QualificationDetails, "the details of a qualification", {
    /// What sort of school, for `education`.
    "educationSegment" => education_segment: optional EducationSegment, CreateOnly;
    /// The school's website, for `education`.
    "website" => website: optional Title, CreateOnly;
    /// The code that Microsoft gave, for `government-community-cloud`.
    "validationCode" => validation_code: optional Title, CreateOnly;
});
