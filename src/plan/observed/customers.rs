//! Partnerships and customers.

use std::collections::BTreeMap;

use super::account::address;
use super::naming::{Namer, Names};
use super::said::Saying;
use super::{Declared, document, leaving};
use crate::model::contact::Domain;
use crate::model::customer::{Customer, CustomerBilling, Origin, Qualification, Relationship};
use crate::model::id::TenantId;
use crate::model::name::{CustomerKey, PartnershipKey};
use crate::model::partnership::{Consequence, Partnership, PartnershipState, With};
use crate::model::scalar::Scalar;
use crate::model::tenant::{self, Side, Snapshot};
use crate::model::text::Title;

/// Partnerships, and which tenant is which.
pub(super) struct Partnerships {
    pub(super) declared: BTreeMap<PartnershipKey, Declared<Partnership>>,
    resellers: BTreeMap<TenantId, PartnershipKey>,
}

pub(super) fn partnerships(
    snapshot: &Snapshot,
    names: &Names,
    saying: &mut Saying,
) -> Partnerships {
    let mut found = Partnerships { declared: BTreeMap::new(), resellers: BTreeMap::new() };
    let known =
        names.partnerships.values().chain(&names.absent.partnerships).map(PartnershipKey::as_str);
    let mut namer = Namer::new(known, |_| false);
    for partnership in &snapshot.partnerships {
        let tenant::Partnership { tenant, name, side, state, partner_id, .. } = partnership;
        let key = names
            .partnerships
            .get(tenant)
            .filter(|key| !found.declared.contains_key(*key))
            .cloned()
            .or_else(|| namer.name([name.as_str()], "partner", tenant.0).map(PartnershipKey));
        let Some(key) = key else { continue };
        let object = format!("partnership/{key}");
        let with = match side {
            Side::IndirectProvider => With::IndirectProvider,
            Side::IndirectReseller => With::IndirectReseller,
        };
        let state = match state.as_str() {
            "active" => PartnershipState::Active,
            other => {
                // Not there yet, or not any more: neither is a partnership that holds.
                saying.cannot(&object, "spec.state", other, "only active partnerships are said");
                continue;
            }
        };
        let title: Option<Title> = saying.say(&object, "spec.displayName", Some(name));
        let Some(display_name) = title.or_else(|| Title::parse(&tenant.to_string()).ok()) else {
            continue;
        };
        if with == With::IndirectReseller {
            found.resellers.insert(*tenant, key.clone());
        }
        let spec = Partnership {
            with,
            display_name,
            tenant_id: *tenant,
            partner_id: saying.say(&object, "spec.partnerId", partner_id.as_deref()),
            state,
            invitation_url: None,
            // It holds already: what accepting it meant has come to pass.
            acknowledge: match with {
                With::IndirectProvider => Consequence::ALL.to_vec(),
                With::IndirectReseller => Vec::new(),
            },
        };
        found.declared.insert(key.clone(), document(key.0, spec));
    }
    found
}

pub(super) fn customers(
    snapshot: &Snapshot,
    names: &Names,
    partnerships: &Partnerships,
    saying: &mut Saying,
) -> BTreeMap<CustomerKey, Declared<Customer>> {
    let known = names.customers.values().chain(&names.absent.customers).map(CustomerKey::as_str);
    let mut namer = Namer::new(known, |_| false);
    let mut found = BTreeMap::new();
    for (id, customer) in &snapshot.customers {
        match &customer.relationship {
            tenant::Relationship::Reseller => {}
            tenant::Relationship::None => continue,
            tenant::Relationship::Advisor | tenant::Relationship::Other(_) => {
                let object = format!("customer tenant {id}");
                let why = "a relationship of another sort than a reseller's";
                saying.cannot(&object, "spec.relationship", &customer.company_name, why);
                continue;
            }
        }
        let label = customer.domain.split('.').next().unwrap_or_default();
        let key = names.customers.get(id).cloned().or_else(|| {
            let texts = [customer.company_name.as_str(), label];
            namer.name(texts, "customer", id.0).map(CustomerKey)
        });
        let Some(key) = key else { continue };
        if let Some((spec, not_theirs)) = said(&key, *id, customer, partnerships, saying) {
            found.insert(key.clone(), leaving(document(key.0, spec), not_theirs));
        }
    }
    found
}

fn said(
    key: &CustomerKey,
    id: TenantId,
    customer: &tenant::Customer,
    partnerships: &Partnerships,
    saying: &mut Saying,
) -> Option<(Customer, &'static [&'static str])> {
    let object = format!("customer/{key}");
    let domain: Option<Domain> = saying.say(&object, "spec.domain", Some(&customer.domain));
    let Some(domain) = domain else {
        saying.cannot(&object, "spec.domain", &customer.domain, "a customer is known by a domain");
        return None;
    };
    let title: Option<Title> =
        saying.say(&object, "spec.companyName", Some(&customer.company_name));
    let not_theirs: &[&str] = if title.is_some() { &[] } else { &["spec.companyName"] };
    let company_name = title.or_else(|| Title::parse(domain.as_str()).ok())?;
    let details = &customer.details;
    let place = details.billing.as_ref().and_then(|profile| profile.at("defaultAddress"));
    let place = place.and_then(|place| address(&object, "spec.billing.address", place, saying));
    let mut resellers = details.resellers.iter().flatten();
    let reseller = resellers.find_map(|tenant| partnerships.resellers.get(tenant)).cloned();
    let said = Customer {
        company_name,
        domain,
        tenant_id: Some(id),
        relationship: Relationship::Reseller,
        origin: Origin::Existing,
        partnerships: None,
        reseller,
        channel: None,
        contact: None,
        billing: place.map(|place| CustomerBilling { address: Some(place) }),
        qualification: qualification(&object, details.qualifications.as_deref(), saying),
        qualification_details: None,
        organization_registration_number: None,
    };
    Some((said, not_theirs))
}

/// The standing of a customer. What was asked for one is not to be seen any more, so that one that
/// needs such details cannot be said.
fn qualification(
    object: &str,
    observed: Option<&[tenant::Qualification]>,
    saying: &mut Saying,
) -> Option<Qualification> {
    let mut all = observed?.iter();
    let Some(first) = all.next() else { return Some(Qualification::None) };
    match first.name.to_ascii_lowercase().as_str() {
        "none" => Some(Qualification::None),
        "stateownedentity" => Some(Qualification::StateOwnedEntity),
        _ => {
            let why = "the tenant does not say with which details it was asked for";
            saying.cannot(object, "spec.qualification", &first.name, why);
            None
        }
    }
}
