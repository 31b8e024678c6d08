//! The account, from its profiles.
//!
//! The tenant knows neither its program nor its cloud, nor what is kept in the portal alone: these
//! are what is declared, or, where nothing is, what the partnerships suggest.

use serde_json::Value;

use super::said::Saying;
use super::{Declared, document};
use crate::model::account::{Account, Billing, Legal, Program, Support};
use crate::model::cloud::Cloud;
use crate::model::contact::{Address, Domain, Email, Person};
use crate::model::country::CountryCode;
use crate::model::id::PartnerId;
use crate::model::name::Name;
use crate::model::role::Membership;
use crate::model::scalar::Scalar;
use crate::model::tenant::{Profile, ProfileKind, Side, Snapshot};
use crate::model::text::Title;

use super::naming::{Names, slug};

const OBJECT: &str = "account";

pub(super) fn of(
    snapshot: &Snapshot,
    declared: Option<&Account>,
    names: &Names,
    saying: &mut Saying,
) -> Option<Declared<Account>> {
    let profile = |kind| snapshot.profiles.get(&kind);
    let legal = profile(ProfileKind::Legal);
    let legal = legal.and_then(|legal| said_legal(legal, saying));
    let Some(legal) = legal.or_else(|| declared.map(|account| account.legal.clone())) else {
        saying.cannot(OBJECT, "spec.legal", "", "the legal profile was not seen whole");
        return None;
    };
    let domains = domains(snapshot, declared, saying);
    if domains.is_empty() {
        saying.cannot(OBJECT, "spec.domains", "", "no domain was seen");
        return None;
    }
    let partner_id: Option<PartnerId> = saying
        .say(
            OBJECT,
            "spec.partnerId",
            profile(ProfileKind::PartnerNetwork).and_then(mpn).as_deref(),
        )
        .or_else(|| declared.map(|account| account.partner_id.clone()));
    let Some(partner_id) = partner_id else {
        saying.cannot(OBJECT, "spec.partnerId", "", "no partner id was seen");
        return None;
    };
    let initial = domains.first().and_then(|domain| domain.as_str().split('.').next());
    let name = names
        .account
        .clone()
        .or_else(|| Name::parse(&slug(legal.company_name.as_str())).ok())
        .or_else(|| Name::parse(&slug(initial?)).ok())?;
    let program = declared.map_or_else(|| likely_program(snapshot, saying), |one| one.program);
    let account = Account {
        program,
        cloud: declared.map_or(Cloud::Global, |account| account.cloud),
        country: declared.map_or(legal.address.country, |account| account.country),
        domains,
        partner_id,
        legal,
        support: profile(ProfileKind::Support).and_then(|support| said_support(support, saying)),
        billing: profile(ProfileKind::Billing).map(|billing| said_billing(billing, saying)),
        tax_exemptions: declared.and_then(|account| account.tax_exemptions.clone()),
        business_profile: declared.and_then(|account| account.business_profile.clone()),
        catalog: declared.and_then(|account| account.catalog.clone()),
        agent_membership: declared.map_or(Membership::Additive, |account| account.agent_membership),
    };
    Some(document(name, account))
}

/// Whoever has resellers provides; whoever has a provider resells.
fn likely_program(snapshot: &Snapshot, saying: &mut Saying) -> Program {
    let has = |side| snapshot.partnerships.iter().any(|partnership| partnership.side == side);
    let program = if has(Side::IndirectReseller) {
        Program::IndirectProvider
    } else if has(Side::IndirectProvider) {
        Program::IndirectReseller
    } else {
        Program::DirectBill
    };
    let why = "the tenant does not say: this is what its partnerships suggest";
    saying.cannot(OBJECT, "spec.program", program.word(), why);
    program
}

/// Domains in the order in which they are declared, then the others.
fn domains(snapshot: &Snapshot, declared: Option<&Account>, saying: &mut Saying) -> Vec<Domain> {
    let mut all: Vec<Domain> = declared
        .into_iter()
        .flat_map(|account| account.domains.iter())
        .filter(|domain| snapshot.domains.contains(domain.as_str()))
        .cloned()
        .collect();
    let mut others: Vec<Domain> = snapshot
        .domains
        .iter()
        .filter_map(|domain| saying.say(OBJECT, "spec.domains", Some(domain)))
        .filter(|domain| !all.contains(domain))
        .collect();
    // Their own first: the one that every tenant has says least.
    others.sort_by_key(Domain::is_initial);
    all.append(&mut others);
    all
}

fn mpn(profile: &Profile) -> Option<String> {
    let text = |key| match profile.at(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    text("mpnId").or_else(|| text("partnerId"))
}

fn said_legal(profile: &Profile, saying: &mut Saying) -> Option<Legal> {
    let company_name: Option<Title> =
        saying.say(OBJECT, "spec.legal.companyName", profile.text("companyName"));
    let address = address(OBJECT, "spec.legal.address", profile.at("address")?, saying);
    let contact = person("spec.legal.primaryContact", profile.at("primaryContact")?, saying);
    Some(Legal { company_name: company_name?, address: address?, primary_contact: contact? })
}

fn said_support(profile: &Profile, saying: &mut Saying) -> Option<Support> {
    let support = Support {
        email: saying.say(OBJECT, "spec.support.email", profile.text("email")),
        phone: saying.say(OBJECT, "spec.support.phone", profile.text("telephone")),
        website: saying.say(OBJECT, "spec.support.website", profile.text("website")),
    };
    let Support { email, phone, website } = &support;
    (email.is_some() || phone.is_some() || website.is_some()).then_some(support)
}

fn said_billing(profile: &Profile, saying: &mut Saying) -> Billing {
    Billing {
        currency: saying.say(OBJECT, "spec.billing.currency", profile.text("billingCurrency")),
        tax_id: saying.say(OBJECT, "spec.billing.taxId", profile.text("taxId")),
        purchase_order_number: saying.say(
            OBJECT,
            "spec.billing.purchaseOrderNumber",
            profile.text("purchaseOrderNumber"),
        ),
        company_name: saying.say(OBJECT, "spec.billing.companyName", profile.text("companyName")),
        address: profile
            .at("address")
            .and_then(|place| address(OBJECT, "spec.billing.address", place, saying)),
        primary_contact: profile
            .at("primaryContact")
            .and_then(|contact| person("spec.billing.primaryContact", contact, saying)),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// An address as profiles have it: whole, or not at all.
pub(super) fn address(
    object: &str,
    field: &'static str,
    place: &Value,
    saying: &mut Saying,
) -> Option<Address> {
    let mut title = |key: &str| saying.say::<Title>(object, field, text(place, key));
    let (line1, line2, line3) =
        (title("addressLine1"), title("addressLine2"), title("addressLine3"));
    let (city, state, postal_code) = (title("city"), title("state"), title("postalCode"));
    let country: Option<CountryCode> = saying.say(object, field, text(place, "country"));
    Some(Address {
        line1: line1?,
        line2,
        line3,
        city: city?,
        state,
        postal_code,
        country: country?,
    })
}

fn person(field: &'static str, contact: &Value, saying: &mut Saying) -> Option<Person> {
    let first_name: Option<Title> = saying.say(OBJECT, field, text(contact, "firstName"));
    let last_name: Option<Title> = saying.say(OBJECT, field, text(contact, "lastName"));
    let email: Option<Email> = saying.say(OBJECT, field, text(contact, "email"));
    let phone = saying.say(OBJECT, field, text(contact, "phoneNumber"));
    Some(Person { first_name: first_name?, last_name: last_name?, email: email?, phone })
}
