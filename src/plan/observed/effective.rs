//! The effective world: what the tenant really gives, whoever gave it.
//!
//! People, and what they hold, are the tenant's: directly, through groups, activated for the moment;
//! those whom nobody declared included. What a custom role permits is declared, and so are the labels
//! of customers: the tenant knows neither.

use std::collections::BTreeMap;

use super::{Observed, Through};
use crate::model::customer::{Customer, Relationship};
use crate::model::estate::{Declared, Estate};
use crate::model::name::{CustomerKey, PartnershipKey, RoleKey, UserKey};
use crate::model::partnership::{Partnership, PartnershipState};
use crate::model::user::{AdminLevel, Holding, RoleGrant, User};

/// What is observed, under the names and with the permissions and labels that are declared.
///
/// `observed` was made with the names of `declared`. Customers that are declared and not there have
/// no relationship; users that are declared and not there are not there.
pub fn effective(observed: &Observed, declared: &Estate) -> Estate {
    Estate {
        account: declared.account.clone().or_else(|| observed.estate.account.clone()),
        users: users(observed, declared),
        // A group that no Role document speaks of permits nothing.
        roles: declared.roles.clone(),
        partnerships: partnerships(observed, declared),
        customers: customers(observed, declared),
        delegated_access: declared.delegated_access.clone(),
        ..Estate::default()
    }
}

fn users(observed: &Observed, declared: &Estate) -> BTreeMap<UserKey, Declared<User>> {
    let is_declared = |key: &RoleKey| declared.roles.contains_key(key);
    let mut users = observed.estate.users.clone();
    for (key, user) in &mut users {
        if let Some(known) = declared.users.get(key) {
            user.metadata.labels = known.metadata.labels.clone();
            user.origin = known.origin;
        }
        if let Some(person) = observed.people.get(key) {
            receive(&mut user.spec, &person.through);
        }
        if let Some(roles) = &mut user.spec.roles {
            roles.retain(|grant| match grant {
                RoleGrant::Custom(key) => is_declared(key),
                RoleGrant::Account { .. } | RoleGrant::Unrecognised { .. } => true,
            });
        }
    }
    users
}

/// Gives somebody what comes to them through groups.
fn receive(user: &mut User, through: &Through) {
    let Through { agent, admin, roles, activated } = through;
    for level in agent {
        if !user.agent.contains(level) {
            user.agent.push(*level);
        }
    }
    let mut levels: BTreeMap<AdminLevel, Holding> = user.admin.iter().copied().collect();
    for (level, holding) in admin {
        levels
            .entry(*level)
            .and_modify(|held| {
                if *holding == Holding::Active {
                    *held = Holding::Active;
                }
            })
            .or_insert(*holding);
    }
    for level in activated {
        levels.insert(*level, Holding::Active);
    }
    user.admin = levels.into_iter().collect();
    let held = user.roles.get_or_insert_default();
    for key in roles {
        let grant = RoleGrant::Custom(key.clone());
        if !held.contains(&grant) {
            held.push(grant);
        }
    }
}

fn partnerships(
    observed: &Observed,
    declared: &Estate,
) -> BTreeMap<PartnershipKey, Declared<Partnership>> {
    let mut all = observed.estate.partnerships.clone();
    for (key, partnership) in &declared.partnerships {
        let mut known = partnership.clone();
        let holds = all.contains_key(key);
        known.spec.state = if holds { PartnershipState::Active } else { PartnershipState::Ended };
        known.metadata.expires = None;
        all.insert(key.clone(), known);
    }
    all
}

fn customers(observed: &Observed, declared: &Estate) -> BTreeMap<CustomerKey, Declared<Customer>> {
    let mut all = observed.estate.customers.clone();
    for (key, customer) in &declared.customers {
        let mut known = customer.clone();
        if let Some(there) = all.get(key) {
            known.spec.relationship = there.spec.relationship;
            known.spec.tenant_id = there.spec.tenant_id;
            if there.spec.reseller.is_some() {
                known.spec.reseller.clone_from(&there.spec.reseller);
            }
        } else {
            known.spec.relationship = Relationship::None;
        }
        all.insert(key.clone(), known);
    }
    all
}
