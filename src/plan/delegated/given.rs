//! What delegated access gives before any step, and after all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::grants::is_active;
use crate::model::directory_role::DirectoryRole;
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::name::{CustomerKey, Kind, Name, RoleKey};
use crate::model::scalar::Scalar;
use crate::model::tenant::{Delegation, DelegationStatus, ObjectId, RelationshipId};
use crate::plan::change::{Change, Target};
use crate::plan::gather::Gather;
use crate::plan::order::Ordered;
use crate::policy::delegated::Delegated;
use crate::policy::world::declared::agent_role;

/// By customer and role, what its group has there.
type Map = BTreeMap<CustomerKey, BTreeMap<RoleKey, BTreeSet<DirectoryRole>>>;

#[derive(Default)]
pub(in crate::plan) struct Given {
    pub(in crate::plan) before: Delegated,
    pub(in crate::plan) after: Delegated,
    /// Customers in whose tenants somebody gains or loses something.
    pub(in crate::plan) changed: BTreeSet<CustomerKey>,
}

/// What a relationship gives: by assignment, or by the group that is to have one.
#[derive(Clone)]
struct Giving {
    tenant: TenantId,
    roles: BTreeSet<RoleTemplateId>,
    held: HashMap<String, (RoleKey, BTreeSet<RoleTemplateId>)>,
}

impl Given {
    pub(in crate::plan) fn of(gather: &Gather<'_>, steps: &[Ordered]) -> Self {
        let snapshot = gather.input.snapshot;
        if snapshot.delegated.is_empty() {
            return Self::default();
        }
        // It outlives the relationship with a customer: whoever is declared is known by the tenant.
        let declared = gather.input.estate.customers.iter();
        let mut customers: HashMap<TenantId, &CustomerKey> =
            declared.filter_map(|(key, customer)| Some((customer.spec.tenant_id?, key))).collect();
        let bound = gather.bound.customers.iter();
        customers.extend(bound.filter_map(|(key, binding)| Some((binding.live()?, key))));
        let groups = groups(gather);
        let mut all: HashMap<&RelationshipId, Giving> = HashMap::new();
        for (id, found) in &snapshot.delegated {
            if let Some(giving) = giving(found, &groups) {
                all.insert(id, giving);
            }
        }
        let before = map(&all, &customers);
        let mut is_changed = false;
        for one in steps {
            is_changed |= take(&mut all, &one.step.change, &groups);
        }
        if !is_changed {
            let before = Delegated::of(before);
            return Self { after: before.clone(), before, changed: BTreeSet::new() };
        }
        let after = map(&all, &customers);
        let names = before.keys().chain(after.keys());
        let changed = names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect();
        Self { before: Delegated::of(before), after: Delegated::of(after), changed }
    }
}

/// Whose groups are roles: declared ones, and the agent levels.
fn groups(gather: &Gather<'_>) -> HashMap<ObjectId, RoleKey> {
    let bound = gather.bound.roles.iter();
    let mut groups: HashMap<ObjectId, RoleKey> =
        bound.filter_map(|(key, binding)| Some((binding.live()?, key.clone()))).collect();
    for (level, (id, _)) in &gather.agent_groups {
        if let Ok(name) = Name::parse(agent_role(*level)) {
            groups.insert(*id, RoleKey(name));
        }
    }
    groups
}

fn giving(found: &Delegation, groups: &HashMap<ObjectId, RoleKey>) -> Option<Giving> {
    if found.status != DelegationStatus::Active {
        return None;
    }
    let held = found.assignments.iter().flatten().filter(|held| is_active(held));
    let held = held.filter_map(|held| {
        Some((held.id.clone(), (groups.get(&held.group)?.clone(), held.roles.clone())))
    });
    Some(Giving { tenant: found.customer?, roles: found.roles.clone(), held: held.collect() })
}

/// What a step does to what is given; whether it does anything.
fn take(
    all: &mut HashMap<&RelationshipId, Giving>,
    change: &Change,
    groups: &HashMap<ObjectId, RoleKey>,
) -> bool {
    let Some(id) = change.relationship() else { return false };
    let Some(giving) = all.get_mut(id) else { return false };
    match change {
        Change::TerminateDelegation { .. } => giving.held.clear(),
        Change::UpdateDelegation { roles: Some(roles), .. } => giving.roles.clone_from(roles),
        Change::AssignDelegated { group, roles, .. } => {
            let role = match group {
                Target::Id(id) => groups.get(id).cloned(),
                Target::MadeFor(key) if key.kind == Kind::Role => {
                    Name::parse(&key.name).ok().map(RoleKey)
                }
                Target::MadeFor(_) => None,
            };
            let Some(role) = role else { return false };
            giving.held.insert(format!("to {role}"), (role, roles.clone()));
        }
        Change::UpdateDelegated { assignment, roles, .. } => {
            let Some((_, held)) = giving.held.get_mut(assignment) else { return false };
            held.clone_from(roles);
        }
        Change::UnassignDelegated { assignment, .. } => {
            return giving.held.remove(assignment).is_some();
        }
        _ => return false,
    }
    true
}

fn map(all: &HashMap<&RelationshipId, Giving>, customers: &HashMap<TenantId, &CustomerKey>) -> Map {
    let mut map = Map::new();
    for giving in all.values() {
        let Some(customer) = customers.get(&giving.tenant) else { continue };
        for (to, roles) in giving.held.values() {
            let roles = roles.intersection(&giving.roles).map(|role| DirectoryRole(*role));
            let groups = map.entry((*customer).clone()).or_default();
            groups.entry(to.clone()).or_default().extend(roles);
        }
    }
    map
}
