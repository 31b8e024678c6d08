//! The live tenant, said as an estate.
//!
//! What a snapshot shows is turned into the same values that manifests declare, so that it can be
//! written down ([`Observed`]), and asked who may do what ([`effective()`]). Names come from what is
//! known already, and are made readable where nothing is.
//!
//! It invents nothing: what the model has no form for is left out and listed ([`Observed::unsaid`]).
//! What somebody holds directly and what comes to them through groups are kept apart: only the first
//! is theirs to lose one by one. Delegated access is not said: which template a relationship stands
//! for is nothing that the tenant knows. What it gives is counted all the same ([`delegated()`]).

mod account;
mod customers;
mod effective;
mod groups;
mod naming;
mod people;
mod said;
#[cfg(test)]
mod tests;
pub mod written;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::account::Account;
use crate::model::estate::{Declared, Estate, Origin};
use crate::model::id::TenantId;
use crate::model::label::Labels;
use crate::model::metadata::{FieldPath, Metadata};
use crate::model::name::{CustomerKey, Name, RoleKey, UserKey};
use crate::model::partnership::With;
use crate::model::scalar::Scalar;
use crate::model::tenant::{Blind, GroupKind, MemberKind, ObjectId, Snapshot};
use crate::model::user::{AdminLevel, AgentLevel, Holding};

pub use effective::{Given, Untold, delegated, effective};
pub use naming::Names;
pub use said::Unsaid;

use said::Saying;

/// What was observed, as an estate and what an estate has no place for.
#[derive(Debug)]
pub struct Observed {
    /// The service's own time when observing began.
    pub at: Timestamp,
    pub estate: Estate,
    /// What manifests do not say of users.
    pub people: BTreeMap<UserKey, Person>,
    /// The group of each role.
    pub groups: BTreeMap<RoleKey, ObjectId>,
    /// Who holds something and is no user: groups, service principals.
    pub outsiders: Vec<Outsider>,
    /// What could not be said, and why.
    pub unsaid: Vec<Unsaid>,
    /// What could not be seen.
    pub blind: Vec<Blind>,
}

/// A user of the directory, beyond what manifests say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: ObjectId,
    /// Kept on premises.
    pub is_synced: bool,
    pub through: Through,
}

/// What comes to somebody through groups, or for a while.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Through {
    /// Through a group within an agent group.
    pub agent: BTreeSet<AgentLevel>,
    /// Through a group that holds the directory role.
    pub admin: BTreeSet<(AdminLevel, Holding)>,
    /// Through a group within a role's group.
    pub roles: BTreeSet<RoleKey>,
    /// Eligible levels that are activated at the moment.
    pub activated: BTreeSet<AdminLevel>,
}

impl Through {
    pub fn is_empty(&self) -> bool {
        let Self { agent, admin, roles, activated } = self;
        agent.is_empty() && admin.is_empty() && roles.is_empty() && activated.is_empty()
    }
}

/// Something that is no user and holds something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outsider {
    pub holds: Held,
    pub kind: MemberKind,
    pub id: ObjectId,
    /// What it is called, where that was seen.
    pub name: Option<String>,
}

/// What there is to hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    Agent(AgentLevel),
    Admin(AdminLevel, Holding),
    Role(RoleKey),
}

/// Says what was observed. `account` is what is declared of the account: the tenant does not know its
/// own program or cloud.
pub fn observed(snapshot: &Snapshot, account: Option<&Account>, names: &Names) -> Observed {
    let mut saying = Saying::default();
    let groups = groups::of(snapshot, names, &mut saying);
    let (users, people) = people::of(snapshot, names, &groups, &mut saying);
    let partnerships = customers::partnerships(snapshot, names, &mut saying);
    let customers = customers::customers(snapshot, names, &partnerships, &mut saying);
    let account = account::of(snapshot, account, names, &mut saying);
    let estate = Estate {
        account,
        users,
        roles: groups.roles,
        partnerships: partnerships.declared,
        customers,
        ..Estate::default()
    };
    Observed {
        at: snapshot.observed_at,
        estate,
        people,
        groups: groups.of_role,
        outsiders: groups.outsiders,
        unsaid: saying.unsaid(),
        blind: snapshot.blind.clone(),
    }
}

impl Observed {
    /// Ties customers to the partners through whom they buy, or who resell to them: by the tenant of
    /// the partner, the tenants of its customers.
    pub fn tie(&mut self, ties: &BTreeMap<TenantId, BTreeSet<TenantId>>) {
        let of_tenant: BTreeMap<TenantId, CustomerKey> = self
            .estate
            .customers
            .iter()
            .filter_map(|(key, customer)| Some((customer.spec.tenant_id?, key.clone())))
            .collect();
        for (key, partnership) in &self.estate.partnerships {
            let theirs = ties.get(&partnership.spec.tenant_id).into_iter().flatten();
            for customer in theirs.filter_map(|tenant| of_tenant.get(tenant)) {
                let Some(customer) = self.estate.customers.get_mut(customer) else { continue };
                match partnership.spec.with {
                    With::IndirectReseller => customer.spec.reseller = Some(key.clone()),
                    With::IndirectProvider => {
                        customer.spec.partnerships.get_or_insert_default().push(key.clone());
                    }
                }
            }
        }
    }
}

/// Groups whose members matter and were not read: all that could be roles, or only those that stand
/// in a group whose members were.
pub fn unread(snapshot: &Snapshot, could_be_roles: bool) -> BTreeSet<ObjectId> {
    let nested: BTreeSet<ObjectId> = snapshot
        .groups
        .values()
        .filter_map(|group| group.members.as_ref())
        .flatten()
        .filter(|(_, kind)| **kind == MemberKind::Group)
        .map(|(id, _)| *id)
        .collect();
    snapshot
        .groups
        .iter()
        .filter(|(id, group)| {
            let is_ours = group.kind == GroupKind::Security && !group.is_synced;
            group.members.is_none() && (nested.contains(id) || (could_be_roles && is_ours))
        })
        .map(|(id, _)| *id)
        .collect()
}

/// A document that nobody wrote.
fn document<T>(name: Name, spec: T) -> Declared<T> {
    let metadata = Metadata {
        name,
        labels: Labels::new(),
        annotations: Vec::new(),
        formerly: Vec::new(),
        protect: false,
        ignore: Vec::new(),
        expires: None,
        on_removal: None,
    };
    Declared { metadata: Box::new(metadata), spec: Box::new(spec), origin: Origin(0) }
}

/// A document that has to say something of fields about which the tenant says nothing: these are left
/// as they are there.
fn leaving<T>(mut document: Declared<T>, fields: &[&str]) -> Declared<T> {
    document.metadata.ignore =
        fields.iter().filter_map(|path| FieldPath::parse(path).ok()).collect();
    document
}
