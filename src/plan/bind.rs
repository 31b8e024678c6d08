//! Which living object a document means.
//!
//! After adoption the id binds. Before: users by sign-in name, groups by id or by being the only
//! fitting one of that name, customers by tenant and then by domain.

use std::collections::{BTreeMap, HashMap};

use super::change::Target;
use super::draft::Drafts;
use super::file::Why;
use super::input::Input;
use crate::model::contact::SignInName;
use crate::model::customer::Customer;
use crate::model::estate::Declared;
use crate::model::id::TenantId;
use crate::model::name::{CustomerKey, Kind, RoleKey, UserKey};
use crate::model::record::{ObjectKey, Recorded};
use crate::model::role;
use crate::model::tenant::{self, Group, GroupKind, Index, ObjectId, RelationshipId, Snapshot};
use crate::model::text::nfc;

/// What a document is in the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding<Id> {
    Live(Id),
    /// It was there, and somebody removed it. Second: it can be restored.
    Gone(Option<Id>),
    /// It is not there yet. Second: something deleted has its name.
    Absent(Option<Id>),
    /// Something keeps it from being bound, which was told.
    Held,
}

impl<Id: Copy> Binding<Id> {
    pub fn live(&self) -> Option<Id> {
        match self {
            Self::Live(id) => Some(*id),
            _ => None,
        }
    }
}

/// What all documents are in the tenant.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    pub users: BTreeMap<UserKey, Binding<ObjectId>>,
    /// Of roles that have a group.
    pub roles: BTreeMap<RoleKey, Binding<ObjectId>>,
    pub customers: BTreeMap<CustomerKey, Binding<TenantId>>,
    /// Delegated access that is all as declared, by template and customer.
    pub delegated: BTreeMap<ObjectKey, RelationshipId>,
}

impl Bindings {
    /// Whom a user's document means, once everything before it is done.
    pub fn user(&self, key: &UserKey) -> Option<Target> {
        match self.users.get(key)? {
            Binding::Live(id) | Binding::Gone(Some(id)) | Binding::Absent(Some(id)) => {
                Some(Target::Id(*id))
            }
            Binding::Absent(None) | Binding::Gone(None) => {
                Some(Target::MadeFor(ObjectKey::new(Kind::User, key.as_str())))
            }
            Binding::Held => None,
        }
    }

    /// The group of a role, once everything before it is done.
    pub fn group(&self, key: &RoleKey) -> Option<Target> {
        match self.roles.get(key)? {
            Binding::Live(id) => Some(Target::Id(*id)),
            Binding::Absent(_) | Binding::Gone(_) => {
                Some(Target::MadeFor(ObjectKey::new(Kind::Role, key.as_str())))
            }
            Binding::Held => None,
        }
    }
}

/// Binds everything, and tells what cannot be bound.
pub(super) fn bind(input: &Input<'_>, index: &Index<'_>, drafts: &mut Drafts) -> Bindings {
    Bindings {
        users: users(input, index, drafts),
        roles: roles(input, drafts),
        customers: customers(input, drafts),
        delegated: BTreeMap::new(),
    }
}

fn remote<Id>(recorded: Option<&Recorded>, parse: impl Fn(&str) -> Option<Id>) -> Option<Id> {
    recorded?.managed.remote_id.as_deref().and_then(parse)
}

pub(super) fn object_id(text: &str) -> Option<ObjectId> {
    uuid::Uuid::try_parse(text).ok().map(ObjectId)
}

pub(super) fn tenant_id(text: &str) -> Option<TenantId> {
    uuid::Uuid::try_parse(text).ok().map(TenantId)
}

/// The name somebody signs in with, as it is compared.
pub(super) fn sign_in_name(user: &crate::model::user::User) -> String {
    let declared = user.sign_in_name.as_ref().map(SignInName::as_str);
    declared.unwrap_or_else(|| user.email.as_str()).to_lowercase()
}

fn users(
    input: &Input<'_>,
    index: &Index<'_>,
    drafts: &mut Drafts,
) -> BTreeMap<UserKey, Binding<ObjectId>> {
    let snapshot = input.snapshot;
    let mut deleted: HashMap<String, ObjectId> = HashMap::new();
    for (id, user) in &snapshot.deleted_users {
        deleted.insert(user.sign_in_name.to_lowercase(), *id);
    }
    let mut bound = BTreeMap::new();
    let mut by_id: HashMap<ObjectId, &UserKey> = HashMap::new();
    for (key, declared) in &input.estate.users {
        let object = ObjectKey::new(Kind::User, key.as_str());
        let name = sign_in_name(&declared.spec);
        let recorded = input.record.known(Kind::User, &declared.metadata);
        let binding = match remote(recorded, object_id) {
            Some(id) if snapshot.users.contains_key(&id) => Binding::Live(id),
            Some(id) => Binding::Gone(snapshot.deleted_users.contains_key(&id).then_some(id)),
            None => match index.user(&name) {
                Some(id) => Binding::Live(id),
                None => Binding::Absent(deleted.get(&name).copied()),
            },
        };
        let binding = match binding.live() {
            Some(id) => {
                if let Some(other) = by_id.insert(id, key) {
                    drafts.refuse(
                        Why::Manifest,
                        format!("`user/{other}` and `{object}` are one and the same account"),
                        "keep one document, and name the other in its `formerly`",
                    );
                    Binding::Held
                } else {
                    elsewhere(input, &object, &id.to_string(), drafts).unwrap_or(binding)
                }
            }
            None => binding,
        };
        bound.insert(key.clone(), binding);
    }
    bound
}

/// Refuses what another estate manages.
fn elsewhere<Id>(
    input: &Input<'_>,
    object: &ObjectKey,
    id: &str,
    drafts: &mut Drafts,
) -> Option<Binding<Id>> {
    let estate = input.record.managed_elsewhere(object.kind, id)?;
    drafts.refuse(
        Why::Manifest,
        format!("`{object}` is managed by another estate, `{estate}`"),
        "declare it in one of the two alone",
    );
    Some(Binding::Held)
}

/// A group whose members are ours to set.
pub(super) fn is_ours_to_set(group: &Group) -> bool {
    group.kind == GroupKind::Security && !group.is_synced
}

fn same_name(one: &str, other: &str) -> bool {
    one == other || nfc(one).to_lowercase() == nfc(other).to_lowercase()
}

/// All groups of a name.
pub(super) fn groups_named<'s>(snapshot: &'s Snapshot, name: &str) -> Vec<(ObjectId, &'s Group)> {
    let named = snapshot.groups.iter().filter(|(_, group)| same_name(&group.name, name));
    named.map(|(id, group)| (*id, group)).collect()
}

fn roles(input: &Input<'_>, drafts: &mut Drafts) -> BTreeMap<RoleKey, Binding<ObjectId>> {
    let mut bound = BTreeMap::new();
    let mut by_id: HashMap<ObjectId, &RoleKey> = HashMap::new();
    for (key, declared) in &input.estate.roles {
        let Some(group) = &declared.spec.group else { continue };
        let object = ObjectKey::new(Kind::Role, key.as_str());
        let recorded = input.record.known(Kind::Role, &declared.metadata);
        let binding = match remote(recorded, object_id) {
            Some(id) if input.snapshot.groups.contains_key(&id) => Binding::Live(id),
            Some(_) => Binding::Gone(None),
            None => first_sight(input, &object, group, drafts),
        };
        let binding = match binding.live() {
            Some(id) => match by_id.insert(id, key) {
                Some(other) => {
                    drafts.refuse(
                        Why::Manifest,
                        format!("`role/{other}` and `{object}` have one and the same group"),
                        "give each role a group of its own",
                    );
                    Binding::Held
                }
                None => elsewhere(input, &object, &id.to_string(), drafts).unwrap_or(binding),
            },
            None => binding,
        };
        bound.insert(key.clone(), binding);
    }
    bound
}

/// The group of a role that nothing is remembered of.
fn first_sight(
    input: &Input<'_>,
    object: &ObjectKey,
    group: &role::Group,
    drafts: &mut Drafts,
) -> Binding<ObjectId> {
    let name = match group {
        role::Group::Existing(id) => {
            let id = ObjectId(id.0);
            return match input.snapshot.groups.get(&id) {
                Some(found) if is_ours_to_set(found) => Binding::Live(id),
                Some(found) => {
                    drafts.refuse(
                        Why::Manifest,
                        format!("the group `{}` of `{object}` is not a static security group of the cloud: its members are not ours to set", found.name),
                        "name another group",
                    );
                    Binding::Held
                }
                None => {
                    drafts.refuse(
                        Why::Manifest,
                        format!("there is no group {id}, which `{object}` names"),
                        "give the group's name instead, and it is made",
                    );
                    Binding::Held
                }
            };
        }
        role::Group::Named { name, .. } => name.as_str(),
    };
    let named = groups_named(input.snapshot, name);
    let fitting: Vec<ObjectId> =
        named.iter().filter(|(_, group)| is_ours_to_set(group)).map(|(id, _)| *id).collect();
    match (fitting.as_slice(), named.len()) {
        ([id], 1) => Binding::Live(*id),
        ([], 0) => Binding::Absent(None),
        ([], _) => {
            drafts.refuse(
                Why::Manifest,
                format!("the group `{name}` of `{object}` is not a static security group of the cloud: its members are not ours to set"),
                "choose another name for the role's group",
            );
            Binding::Held
        }
        _ => {
            let ids: Vec<String> = named.iter().map(|(id, _)| id.to_string()).collect();
            drafts.refuse(
                Why::Manifest,
                format!(
                    "{} groups are called `{name}`, which `{object}` names: {}",
                    ids.len(),
                    ids.join(", ")
                ),
                "say which one is meant: `group: {id: ...}`",
            );
            Binding::Held
        }
    }
}

fn customers(input: &Input<'_>, drafts: &mut Drafts) -> BTreeMap<CustomerKey, Binding<TenantId>> {
    // Domains are looked up only for those whose tenant is not known.
    let mut by_domain: Option<HashMap<&str, Vec<TenantId>>> = None;
    let mut by_id: HashMap<TenantId, &CustomerKey> =
        HashMap::with_capacity(input.estate.customers.len());
    let mut bound = BTreeMap::new();
    for (key, declared) in &input.estate.customers {
        let binding = customer(input, key, declared, &mut by_domain, drafts);
        let binding = match binding.live() {
            Some(id) => match by_id.insert(id, key) {
                Some(other) => {
                    drafts.refuse(
                        Why::Manifest,
                        format!("`customer/{other}` and `customer/{key}` are one and the same tenant, {id}"),
                        "keep one of them",
                    );
                    Binding::Held
                }
                None => binding,
            },
            None => binding,
        };
        bound.insert(key.clone(), binding);
    }
    bound
}

fn customer<'a>(
    input: &Input<'a>,
    key: &CustomerKey,
    declared: &'a Declared<Customer>,
    by_domain: &mut Option<HashMap<&'a str, Vec<TenantId>>>,
    drafts: &mut Drafts,
) -> Binding<TenantId> {
    let snapshot = input.snapshot;
    let is_ours = |id: &TenantId| snapshot.customers.get(id).is_some_and(tenant::Customer::is_ours);
    let object = || ObjectKey::new(Kind::Customer, key.as_str());
    let recorded = if input.record.is_empty() {
        None
    } else {
        input.record.known(Kind::Customer, &declared.metadata)
    };
    if let Some(id) = remote(recorded, tenant_id) {
        return if is_ours(&id) { Binding::Live(id) } else { Binding::Gone(Some(id)) };
    }
    if let Some(id) = declared.spec.tenant_id {
        if is_ours(&id) {
            return elsewhere(input, &object(), &id.to_string(), drafts)
                .unwrap_or(Binding::Live(id));
        }
        return Binding::Absent(None);
    }
    let by_domain = by_domain.get_or_insert_with(|| {
        let mut index: HashMap<&str, Vec<TenantId>> = HashMap::new();
        for (id, customer) in snapshot.customers.iter().filter(|(_, found)| found.is_ours()) {
            index.entry(customer.domain.as_str()).or_default().push(*id);
        }
        index
    });
    match by_domain.get(declared.spec.domain.as_str()).map(Vec::as_slice) {
        None | Some([]) => Binding::Absent(None),
        Some([id]) => {
            elsewhere(input, &object(), &id.to_string(), drafts).unwrap_or(Binding::Live(*id))
        }
        Some(several) => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            drafts.refuse(
                Why::Manifest,
                format!(
                    "{} customers have the domain {}, which `{}` names: {}",
                    several.len(),
                    declared.spec.domain,
                    object(),
                    ids.join(", ")
                ),
                "say which one is meant with `tenantId`",
            );
            Binding::Held
        }
    }
}
