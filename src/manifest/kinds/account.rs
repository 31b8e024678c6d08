//! `Account`: the partner account itself.

use crate::manifest::read::collections::{List, Set, SetOfSome};
use crate::manifest::read::shape;
use crate::model::account::{Account, Billing, BusinessProfile, Catalog, Legal, Program, Support};
use crate::model::cloud::Cloud;
use crate::model::contact::{Address, Domain, Email, Person, Phone, Url};
use crate::model::country::{CountryCode, CurrencyCode, Language};
use crate::model::id::PartnerId;
use crate::model::role::Membership;
use crate::model::text::{Remark, Title};

shape!(Account, "Account", {
    /// How the account takes part in the Cloud Solution Provider program.
    "program" => program: required Program, Local;
    /// The national cloud it lives in.
    "cloud" => cloud: default Cloud, Local, Cloud::Global, "global";
    /// The country of the account, which decides its market.
    "country" => country: required CountryCode, Local;
    /// Verified domains of our tenant. Users sign in under one of them.
    "domains" => domains: required SetOfSome<Domain>, Local;
    /// The MPN or Microsoft AI Cloud Partner Program id.
    "partnerId" => partner_id: required PartnerId, Live;
    /// The legal business profile. Changes are vetted again by Microsoft, which takes days.
    "legal" => legal: required Legal, Live;
    /// Where customers find support.
    "support" => support: optional Support, Live;
    /// How Microsoft bills us.
    "billing" => billing: optional Billing, Live;
    /// Tax exemptions; kept in the portal alone, so a person confirms them. `[]` says there are none.
    "taxExemptions" => tax_exemptions: optional List<Title>, Person;
    /// How referrals present us; kept in the portal alone.
    "businessProfile" => business_profile: optional BusinessProfile, Person;
    /// What stands on top of the catalog; kept in the portal alone.
    "catalog" => catalog: optional Catalog, Person;
    /// Whether undeclared members of the agent groups are left alone (additive) or removed (exclusive).
    "agentMembership" => agent_membership: default Membership, Local, Membership::Additive, "additive";
});

shape!(Legal, "the legal profile", {
    /// The registered name of the company.
    "companyName" => company_name: required Title, Live;
    /// Where it is registered: in the account's country.
    "address" => address: required Address, Live;
    /// Whom Microsoft writes to: an address at a domain of the account, not webmail.
    "primaryContact" => primary_contact: required Person, Live;
});

shape!(Support, "the support profile", {
    /// Where customers write to.
    "email" => email: optional Email, Live;
    /// Where customers call.
    "phone" => phone: optional Phone, Live;
    /// Where customers look.
    "website" => website: optional Url, Live;
});

shape!(Billing, "the billing profile", {
    /// The currency Microsoft bills in.
    "currency" => currency: optional CurrencyCode, Live;
    /// The tax id of the company.
    "taxId" => tax_id: optional Title, Live;
    /// A purchase order number that invoices should carry.
    "purchaseOrderNumber" => purchase_order_number: optional Title, Live;
    /// The name invoices are made out to.
    "companyName" => company_name: optional Title, Live;
    /// Where invoices go.
    "address" => address: optional Address, Live;
    /// Who receives invoices.
    "primaryContact" => primary_contact: optional Person, Live;
});

shape!(BusinessProfile, "the business profile", {
    /// What the company does, in a few sentences.
    "summary" => summary: optional Remark, Person;
    /// The industries it serves.
    "industries" => industries: optional Set<Title>, Person;
    /// The languages it serves them in.
    "languages" => languages: optional Set<Language>, Person;
});

shape!(Catalog, "the catalog", {
    /// Product ids that stand on top.
    "featured" => featured: required Set<Title>, Person;
});

shape!(Address, "an address", {
    /// Street and number.
    "line1" => line1: required Title, Live;
    /// Building, floor.
    "line2" => line2: optional Title, Live;
    /// What else the post needs.
    "line3" => line3: optional Title, Live;
    /// City or town.
    "city" => city: required Title, Live;
    /// State or province, where addresses have one.
    "state" => state: optional Title, Live;
    /// Postal code, in quotes where it is all digits.
    "postalCode" => postal_code: optional Title, Live;
    /// The country, ISO 3166-1.
    "country" => country: required CountryCode, Live;
});

shape!(Person, "a contact", {
    /// First name.
    "firstName" => first_name: required Title, Live;
    /// Last name.
    "lastName" => last_name: required Title, Live;
    /// E-mail address.
    "email" => email: required Email, Live;
    /// Telephone number, with its country code.
    "phone" => phone: optional Phone, Live;
});
