//! What of a tenant a plan needs to see: nothing is asked that no manifest speaks of.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Record;
use crate::model::account::Program;
use crate::model::customer::{Customer, Relationship};
use crate::model::estate::Estate;
use crate::model::name::Kind;
use crate::model::role::Group;
use crate::model::tenant::{
    CustomerRef, Delegated, Details, GroupRef, ObjectId, ProfileKind, Profiles, Scope, Side,
};

/// The scope of an estate's plan.
pub fn scope(estate: &Estate, record: &Record) -> Scope {
    let declared = estate.roles.values().filter_map(|role| match role.spec.group.as_ref()? {
        Group::Named { name, .. } => Some(GroupRef::Name(name.as_str().to_owned())),
        Group::Existing(id) => Some(GroupRef::Id(ObjectId(id.0))),
    });
    let remembered = record.of_kind(Kind::Role).filter_map(|(_, known)| {
        let id = known.managed.remote_id.as_deref()?;
        super::bind::object_id(id).map(GroupRef::Id)
    });
    Scope {
        users: true,
        groups: declared.chain(remembered).collect(),
        owners: true,
        customers: true,
        details: details(estate),
        partnerships: sides(estate),
        agreements: false,
        profiles: profiles(estate),
        account_roles: estate.users.values().any(|user| user.spec.roles.is_some()),
        delegated: delegated(estate, record),
    }
}

/// Whatever customers have is looked at as soon as any template speaks of it: what was made by hand is
/// taken over, or told.
fn delegated(estate: &Estate, record: &Record) -> Delegated {
    let is_remembered = record.of_kind(Kind::DelegatedAccess).next().is_some();
    if estate.delegated_access.is_empty() && !is_remembered {
        Delegated::Nothing
    } else {
        Delegated::All
    }
}

fn sides(estate: &Estate) -> BTreeSet<Side> {
    let program = estate.account.as_ref().map(|account| account.spec.program);
    match program {
        Some(Program::IndirectReseller) => BTreeSet::from([Side::IndirectProvider]),
        Some(Program::IndirectProvider) => BTreeSet::from([Side::IndirectReseller]),
        Some(Program::DirectBill) => BTreeSet::new(),
        None => BTreeSet::from([Side::IndirectProvider, Side::IndirectReseller]),
    }
}

fn profiles(estate: &Estate) -> Profiles {
    let mut kinds = BTreeSet::from([
        ProfileKind::Organization,
        ProfileKind::Legal,
        ProfileKind::PartnerNetwork,
    ]);
    if let Some(account) = &estate.account {
        if account.spec.support.is_some() {
            kinds.insert(ProfileKind::Support);
        }
        if account.spec.billing.is_some() {
            kinds.insert(ProfileKind::Billing);
        }
    }
    Profiles(kinds)
}

fn details(estate: &Estate) -> BTreeMap<CustomerRef, Details> {
    let mut wanted = BTreeMap::new();
    for customer in estate.customers.values() {
        let details = details_of(&customer.spec);
        if details != Details::default() {
            let who = customer.spec.tenant_id.map_or_else(
                || CustomerRef::Domain(customer.spec.domain.as_str().to_owned()),
                CustomerRef::Tenant,
            );
            wanted.insert(who, details);
        }
    }
    wanted
}

/// A call each, so only where the document speaks of it.
fn details_of(customer: &Customer) -> Details {
    if customer.relationship == Relationship::None {
        return Details { subscriptions: true, ..Details::default() };
    }
    Details {
        billing: customer.billing.as_ref().is_some_and(|billing| billing.address.is_some()),
        qualifications: customer.qualification.is_some(),
        resellers: customer.reseller.is_some(),
        ..Details::default()
    }
}
