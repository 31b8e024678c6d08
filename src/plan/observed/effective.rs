//! The effective world: what the tenant really gives, whoever gave it.
//!
//! People, and what they hold, are the tenant's: directly, through groups, activated for the moment;
//! those whom nobody declared included. What a custom role permits is declared, and so are the labels
//! of customers: the tenant knows neither. What delegated access gives is the tenant's too, customer by
//! customer ([`delegated`]), whatever templates say.

use std::collections::{BTreeMap, BTreeSet};

use super::{Observed, Through};
use crate::model::customer::{Customer, Relationship};
use crate::model::directory_role::DirectoryRole;
use crate::model::estate::{Declared, Estate};
use crate::model::id::TenantId;
use crate::model::name::{CustomerKey, Name, PartnershipKey, RoleKey, UserKey};
use crate::model::partnership::{Partnership, PartnershipState};
use crate::model::role::Role;
use crate::model::scalar::Scalar;
use crate::model::tenant::{
    DelegatedAssignment, Delegation, DelegationStatus, ObjectId, Snapshot, agent_level,
};
use crate::model::user::{AdminLevel, Holding, RoleGrant, User};
use crate::policy::delegated::Delegated;
use crate::policy::directory;
use crate::policy::world::declared::agent_role;

/// What is observed, under the names and with the permissions and labels that are declared.
///
/// `observed` was made with the names of `declared`. Customers that are declared and not there have
/// no relationship; users that are declared and not there are not there.
pub fn effective(observed: &Observed, declared: &Estate, delegated: &Delegated) -> Estate {
    let roles = roles(observed, declared, delegated);
    Estate {
        account: declared.account.clone().or_else(|| observed.estate.account.clone()),
        users: users(observed, declared, &roles),
        roles,
        partnerships: partnerships(observed, declared),
        customers: customers(observed, declared),
        delegated_access: declared.delegated_access.clone(),
        ..Estate::default()
    }
}

/// Those that are declared. A group that no Role document speaks of permits nothing, unless access was
/// delegated to it.
fn roles(
    observed: &Observed,
    declared: &Estate,
    delegated: &Delegated,
) -> BTreeMap<RoleKey, Declared<Role>> {
    let mut roles = declared.roles.clone();
    for (gift, _) in delegated.gifts() {
        if let Some(role) = observed.estate.roles.get(&gift.to) {
            roles.entry(gift.to.clone()).or_insert_with(|| role.clone());
        }
    }
    roles
}

fn users(
    observed: &Observed,
    declared: &Estate,
    roles: &BTreeMap<RoleKey, Declared<Role>>,
) -> BTreeMap<UserKey, Declared<User>> {
    let mut users = observed.estate.users.clone();
    for (key, user) in &mut users {
        if let Some(known) = declared.users.get(key) {
            user.metadata.labels = known.metadata.labels.clone();
            user.origin = known.origin;
        }
        if let Some(person) = observed.people.get(key) {
            receive(&mut user.spec, &person.through);
        }
        if let Some(held) = &mut user.spec.roles {
            held.retain(|grant| match grant {
                RoleGrant::Custom(key) => roles.contains_key(key),
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

/// What delegated access gives, and what of it cannot be told.
#[derive(Debug, Default)]
pub struct Given {
    pub delegated: Delegated,
    pub untold: Untold,
}

/// What delegated access gives beyond what an answer can count.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// Active access to tenants that are no customers of ours, and were declared as none.
    pub strangers: BTreeSet<TenantId>,
    /// Groups that have something somewhere, and whose members are not known.
    pub groups: BTreeSet<ObjectId>,
    /// Directory roles that are given somewhere, and of which it is not known what they allow.
    pub directory_roles: BTreeSet<DirectoryRole>,
    /// Active relationships of which it was not seen what they give.
    pub unseen: usize,
}

/// What each group has in each customer's tenant: by relationships that are active, and in these by
/// assignments that are.
///
/// It outlives the relationship with the customer, so whoever is declared with a tenant is known by
/// it, whether we still have one or not.
pub fn delegated(snapshot: &Snapshot, observed: &Observed, declared: &Estate) -> Given {
    let tenants = |estate: &'_ Estate| {
        let customers = estate.customers.iter();
        customers
            .filter_map(|(key, customer)| Some((customer.spec.tenant_id?, key.clone())))
            .collect::<BTreeMap<TenantId, CustomerKey>>()
    };
    let mut customers = tenants(declared);
    customers.extend(tenants(&observed.estate));
    let groups = groups(snapshot, observed);
    let mut given: BTreeMap<CustomerKey, BTreeMap<RoleKey, BTreeSet<DirectoryRole>>> =
        BTreeMap::new();
    let mut untold = Untold::default();
    for relationship in snapshot.delegated.values() {
        let Delegation { customer: Some(tenant), status: DelegationStatus::Active, .. } =
            relationship
        else {
            continue;
        };
        let Some(assignments) = &relationship.assignments else {
            untold.unseen += 1;
            continue;
        };
        let active = assignments.iter().filter(|one| is_active(one)).peekable();
        let Some(customer) = customers.get(tenant) else {
            if active.count() > 0 {
                untold.strangers.insert(*tenant);
            }
            continue;
        };
        for assignment in active {
            let roles = assignment.roles.intersection(&relationship.roles).copied();
            let roles: BTreeSet<DirectoryRole> = roles.map(DirectoryRole).collect();
            let unknown = roles.iter().filter(|role| directory::allowed(**role).is_none());
            untold.directory_roles.extend(unknown);
            match groups.get(&assignment.group) {
                Some(role) => {
                    let of = given.entry(customer.clone()).or_default();
                    of.entry(role.clone()).or_default().extend(roles);
                }
                None => drop(untold.groups.insert(assignment.group)),
            }
        }
    }
    Given { delegated: Delegated::of(given), untold }
}

fn is_active(assignment: &DelegatedAssignment) -> bool {
    assignment.status == "active"
}

/// The roles that stand for groups: custom ones, and agent levels.
fn groups(snapshot: &Snapshot, observed: &Observed) -> BTreeMap<ObjectId, RoleKey> {
    let custom = observed.groups.iter().map(|(key, id)| (*id, key.clone()));
    let agents = snapshot.groups.iter().filter_map(|(id, group)| {
        let role = agent_role(agent_level(&group.name)?);
        Some((*id, RoleKey(Name::parse(role).ok()?)))
    });
    custom.chain(agents).collect()
}
