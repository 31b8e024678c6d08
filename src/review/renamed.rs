//! Who is somebody else's later self: objects whose `formerly` names one that is gone, and those that
//! are the same in the tenant, whatever they are called now. A plan would find the tenant's own by what
//! it is known by there, so that what is said of the new name is said of what was there before.
//!
//! What is asked of both sides must be asked of the same people, so the base is told by the names
//! that the head has.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, Policy, PolicyId, PolicySet};
use serde_json::Value;

use super::place::Side;
use crate::manifest::Loaded;
use crate::model::customer::Customer;
use crate::model::delegated_access::DelegatedAccess;
use crate::model::estate::{Declared, Estate};
use crate::model::name::{Kind, Name};
use crate::model::partnership::{Partnership, With};
use crate::model::role::{Group, Role};
use crate::model::user::User;
use crate::policy::compile;
use crate::policy::rules::{Placed, Rule, Rules, set};
use crate::policy::world::{Shape, Type, Uid, Value as Held, World};

/// Documents by their names, of whatever kind.
fn by_name<K: std::borrow::Borrow<str>, T>(
    all: &BTreeMap<K, Declared<T>>,
) -> BTreeMap<&str, &Declared<T>> {
    all.iter().map(|(key, one)| (key.borrow(), one)).collect()
}

/// What each is known by in the tenant, the surest first, so that two that share any of it are taken
/// for one. Letters of either case are the same.
fn marks_of_user(user: &User) -> Vec<String> {
    let signs_in = user.sign_in_name.as_ref().map(ToString::to_string);
    let all = signs_in.into_iter().chain([user.email.to_string()]);
    all.map(|name| name.to_lowercase()).collect()
}

fn marks_of_role(role: &Role) -> Vec<String> {
    match &role.group {
        None => Vec::new(),
        Some(Group::Existing(id)) => vec![format!("id {id}")],
        Some(Group::Named { name, mail_nickname }) => {
            let nickname = mail_nickname.iter().map(|name| format!("nickname {}", name.as_str()));
            let all = nickname.chain([format!("name {name}")]);
            all.map(|name| name.to_lowercase()).collect()
        }
    }
}

fn marks_of_partnership(partnership: &Partnership) -> Vec<String> {
    let tenant = format!("{:?} tenant {}", partnership.with, partnership.tenant_id);
    let partner = partnership.partner_id.as_ref();
    let partner = partner.map(|id| format!("{:?} partner {}", partnership.with, id.as_str()));
    [tenant].into_iter().chain(partner).collect()
}

fn marks_of_customer(customer: &Customer) -> Vec<String> {
    let tenant = customer.tenant_id.map(|id| format!("tenant {id}"));
    let domain = format!("domain {}", customer.domain).to_lowercase();
    tenant.into_iter().chain([domain]).collect()
}

/// By whom it is for and what it gives: a relationship has no other name that would stay.
fn marks_of_delegated_access(access: &DelegatedAccess) -> Vec<String> {
    vec![format!("{:?} {:?}", access.customers, access.grants)]
}

/// From the base's names to the head's.
#[derive(Debug, Clone, Default)]
pub(super) struct Renames {
    names: BTreeMap<(Kind, String), String>,
    uids: BTreeMap<Uid, Uid>,
}

impl Renames {
    pub(super) fn of(base: &Loaded, head: &Loaded) -> Self {
        let mut renames = Self::default();
        let (base, head) = (&base.estate, &head.estate);
        renames.of_kind(Kind::User, &base.users, &head.users, marks_of_user);
        renames.of_kind(Kind::Role, &base.roles, &head.roles, marks_of_role);
        renames.of_kind(
            Kind::Partnership,
            &base.partnerships,
            &head.partnerships,
            marks_of_partnership,
        );
        renames.of_kind(Kind::Customer, &base.customers, &head.customers, marks_of_customer);
        renames.of_kind(
            Kind::DelegatedAccess,
            &base.delegated_access,
            &head.delegated_access,
            marks_of_delegated_access,
        );
        // There is one account on each side, whatever it is called.
        if let (Some(base), Some(head)) = (&base.account, &head.account) {
            renames.add(Kind::Account, base.metadata.name.as_str(), head.metadata.name.as_str());
        }
        renames.uids = renames.entities(base);
        renames
    }

    fn of_kind<K: Ord + std::borrow::Borrow<str>, T>(
        &mut self,
        kind: Kind,
        base: &BTreeMap<K, Declared<T>>,
        head: &BTreeMap<K, Declared<T>>,
        marks: fn(&T) -> Vec<String>,
    ) {
        let (base, head) = (by_name(base), by_name(head));
        let mut gone: BTreeSet<&str> =
            base.keys().filter(|name| !head.contains_key(*name)).copied().collect();
        let mut new: BTreeSet<&str> =
            head.keys().filter(|name| !base.contains_key(*name)).copied().collect();
        if gone.is_empty() || new.is_empty() {
            return;
        }
        for (name, declared) in &head {
            let mut former = declared.metadata.formerly.iter().map(Name::as_str);
            let old = former.find(|old| gone.contains(old));
            if let Some(old) = old.filter(|_| new.contains(name)) {
                self.add(kind, old, name);
                new.remove(name);
                gone.remove(old);
            }
        }
        let mut marked: BTreeMap<String, &str> = BTreeMap::new();
        for (name, declared) in base.iter().filter(|(name, _)| gone.contains(*name)) {
            for mark in marks(&declared.spec) {
                marked.entry(mark).or_insert(name);
            }
        }
        for (name, declared) in head.iter().filter(|(name, _)| new.contains(*name)) {
            let mut known = marks(&declared.spec).into_iter().filter_map(|mark| marked.get(&mark));
            if let Some(old) = known.find(|old| gone.contains(*old)) {
                self.add(kind, old, name);
                gone.remove(old);
            }
        }
    }

    fn add(&mut self, kind: Kind, old: &str, new: &str) {
        if old != new {
            self.names.insert((kind, old.to_owned()), new.to_owned());
        }
    }

    fn entities(&self, base: &Estate) -> BTreeMap<Uid, Uid> {
        let ty = |kind: Kind, old: &str| match kind {
            Kind::User => Some(Type::User),
            Kind::Role => Some(Type::Role),
            Kind::Customer => Some(Type::Customer),
            Kind::Account => Some(Type::Account),
            Kind::Partnership => base.partnerships.get(old).map(|one| match one.spec.with {
                With::IndirectProvider => Type::Provider,
                With::IndirectReseller => Type::Reseller,
            }),
            _ => None,
        };
        self.names
            .iter()
            .filter_map(|((kind, old), new)| {
                let ty = ty(*kind, old)?;
                Some((Uid::new(ty, old.as_str()), Uid::new(ty, new.as_str())))
            })
            .collect()
    }

    /// What something of the base is called at the head.
    pub(super) fn name<'a>(&'a self, kind: Kind, old: &'a str) -> &'a str {
        if self.names.is_empty() {
            return old;
        }
        self.names.get(&(kind, old.to_owned())).map_or(old, String::as_str)
    }

    /// `kind/name` of the base, as the head has it.
    pub(super) fn object(&self, object: &str) -> String {
        let renamed = object.split_once('/').and_then(|(kind, name)| {
            let new = self.names.get(&(Kind::from_kebab(kind)?, name.to_owned()))?;
            Some(format!("{kind}/{new}"))
        });
        renamed.unwrap_or_else(|| object.to_owned())
    }

    pub(super) fn uid(&self, uid: &Uid) -> Uid {
        self.uids.get(uid).unwrap_or(uid).clone()
    }

    /// The base's world by the head's names; nothing if they are the same.
    pub(super) fn world(&self, base: &World) -> Option<World> {
        if self.uids.is_empty() {
            return None;
        }
        let mut world = World::default();
        for ty in Type::ALL {
            for (name, shape) in base.of(ty) {
                let Some(shape) = base.shape(*shape) else { continue };
                world.suppose(self.uid(&Uid::new(ty, name.clone())), self.shape(shape));
            }
        }
        Some(world)
    }

    fn shape(&self, shape: &Shape) -> Shape {
        let Shape { attributes, tags, parents } = shape;
        let value = |value: &Held| match value {
            Held::One(uid) => Held::One(self.uid(uid)),
            Held::Set(uids) => Held::Set(uids.iter().map(|uid| self.uid(uid)).collect()),
            plain @ (Held::Bool(_) | Held::Long(_) | Held::Text(_) | Held::Texts(_)) => {
                plain.clone()
            }
        };
        Shape {
            attributes: attributes.iter().map(|(name, one)| (*name, value(one))).collect(),
            tags: tags.clone(),
            parents: parents.iter().map(|uid| self.uid(uid)).collect(),
        }
    }

    /// What a policy of the base is called at the head: those of a role are named after it.
    pub(super) fn policy_id(&self, rule: &Rule) -> String {
        match &rule.place {
            Placed::Role { .. } | Placed::DelegatedAccess { .. } => self.id(rule.id()),
            Placed::Library { .. } | Placed::Tenant | Placed::Project { .. } => {
                rule.id().to_owned()
            }
        }
    }

    /// The id of a policy of the base, as manifests write it.
    pub(super) fn id(&self, id: &str) -> String {
        for (prefix, kind) in
            [(compile::ROLE, Kind::Role), (compile::DELEGATED_ACCESS, Kind::DelegatedAccess)]
        {
            if let Some((name, rest)) =
                id.strip_prefix(prefix).and_then(|rest| rest.split_once('.'))
            {
                return format!("{prefix}{}.{rest}", self.name(kind, name));
            }
        }
        id.to_owned()
    }

    /// A policy of the base, by the head's names.
    fn policy(&self, rule: &Rule) -> Policy {
        let policy = rule.policy.new_id(PolicyId::new(self.policy_id(rule)));
        let cedar: BTreeMap<EntityUid, EntityUid> =
            self.uids.iter().map(|(old, new)| (old.cedar(), new.cedar())).collect();
        // Entity for entity of the same type: there is nothing that could be refused.
        policy.sub_entity_literals(cedar).unwrap_or(policy)
    }

    /// A policy of a side, so that what Cedar reads in it can be compared with the other's.
    pub(super) fn comparable(&self, rule: &Rule, side: Side) -> Policy {
        match side {
            Side::Base if !self.uids.is_empty() => self.policy(rule),
            Side::Base | Side::Head => rule.policy.clone(),
        }
    }

    /// The `spec` of a document of the base, with the names that it refers to as the head has them.
    pub(super) fn spec(&self, spec: Value) -> Value {
        if self.names.is_empty() { spec } else { self.referring(None, spec) }
    }

    /// A value, by the kind that a text in it names.
    fn referring(&self, kind: Option<Kind>, value: Value) -> Value {
        match (value, kind) {
            (Value::String(name), Some(kind)) => self.name(kind, &name).into(),
            (Value::Array(all), kind) => {
                all.into_iter().map(|one| self.referring(kind, one)).collect()
            }
            (Value::Object(members), _) => members
                .into_iter()
                .map(|(key, value)| {
                    let kind = match key.as_str() {
                        "roles" | "role" | "includes" | "to" => Some(Kind::Role),
                        "names" | "except" => Some(Kind::Customer),
                        "partnerships" | "reseller" => Some(Kind::Partnership),
                        _ => None,
                    };
                    let value = self.referring(kind, value);
                    (key, value)
                })
                .collect(),
            (plain, _) => plain,
        }
    }

    /// The base's policies by the head's names.
    pub(super) fn policies(&self, rules: &Rules) -> PolicySet {
        if self.uids.is_empty() {
            return rules.set();
        }
        let deciding = rules.iter().filter(|rule| !rule.only_advises());
        let policies: Vec<Policy> = deciding.map(|rule| self.policy(rule)).collect();
        set(policies.iter())
    }
}
