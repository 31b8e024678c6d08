//! The world as the manifests declare it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Shape, Type, Uid, Value, World};
use crate::model::Str;
use crate::model::customer::Customer;
use crate::model::estate::{Declared, Estate};
use crate::model::label::Labels;
use crate::model::name::{PartnershipKey, RoleKey};
use crate::model::partnership::{PartnershipState, With};
use crate::model::role::{self, AccountRole, LEVEL_ROLES};
use crate::model::time::Day;
use crate::model::user::{AdminLevel, AgentLevel, Holding, RoleGrant, User};

/// The role that every user has, and the one that every guest has.
pub(crate) const EVERYONE: &str = "default-user";
pub(crate) const GUEST: &str = "guest-user";

/// Built-in roles that give power over people, customers' tenants or money.
const PRIVILEGED: [&str; 7] = [
    "global-admin",
    "user-management-admin",
    "billing-admin",
    "admin-agent",
    "helpdesk-agent",
    "account-admin",
    "compliance-admin",
];

impl World {
    /// What an estate declares, as of a day. What has expired is not held.
    pub fn declared(estate: &Estate, today: Day) -> Self {
        let mut world = Self::declared_but_for_customers(estate, today);
        for (key, customer) in &estate.customers {
            world.add(Type::Customer, key.as_str().into(), customer_shape(customer));
        }
        world
    }

    /// The same without its largest part, for questions that are not about customers.
    pub(crate) fn declared_but_for_customers(estate: &Estate, today: Day) -> Self {
        let mut world = Self::declared_but_for_people(estate, today);
        let expired: BTreeSet<&RoleKey> = estate
            .roles
            .iter()
            .filter(|(_, role)| role.metadata.has_expired(today))
            .map(|(key, _)| key)
            .collect();
        for (key, user) in &estate.users {
            world.add(Type::User, key.as_str().into(), user_shape(user, today, &expired));
        }
        world
    }

    /// Roles, the account, partners: for whoever knows people and customers from elsewhere.
    pub(crate) fn declared_but_for_people(estate: &Estate, today: Day) -> Self {
        let mut world = Self::default();
        for (name, shape) in roles(estate, today) {
            world.add(Type::Role, name, shape);
        }
        if let Some(account) = &estate.account {
            let spec = &account.spec;
            let attributes = vec![
                ("program", text(spec.program.word())),
                ("cloud", text(spec.cloud.word())),
                ("country", text(spec.country.as_str())),
            ];
            let shape =
                Shape { attributes, tags: tags(&account.metadata.labels), ..Shape::default() };
            world.add(Type::Account, account.metadata.name.as_str().into(), shape);
        }
        for (key, partnership) in &estate.partnerships {
            let active = partnership.spec.state == PartnershipState::Active
                && !partnership.metadata.has_expired(today);
            let ty = match partnership.spec.with {
                With::IndirectProvider => Type::Provider,
                With::IndirectReseller => Type::Reseller,
            };
            let attributes = vec![("active", Value::Bool(active))];
            let tags = tags(&partnership.metadata.labels);
            world.add(ty, key.as_str().into(), Shape { attributes, tags, ..Shape::default() });
        }
        world
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn tags(labels: &Labels) -> Vec<(Str, Str)> {
    labels.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect()
}

fn role_uid(name: &str) -> Uid {
    Uid::new(Type::Role, name)
}

fn roles(estate: &Estate, today: Day) -> BTreeMap<Str, Shape> {
    let mut shapes = BTreeMap::new();
    let shape = |family: &str, privileged| Shape {
        attributes: vec![("family", text(family)), ("privileged", Value::Bool(privileged))],
        ..Shape::default()
    };
    for name in role::built_in() {
        let family = match name {
            EVERYONE | GUEST => "everyone",
            _ if name.ends_with("-agent") => "agent",
            _ if LEVEL_ROLES.iter().any(|(level, _)| *level == name) => "admin",
            _ if AccountRole::ALL.iter().any(|role| role.word() == name) => "account",
            // Roles of the marketplace: no API assigns them, and no manifest names them.
            _ => continue,
        };
        shapes.insert(Str::from(name), shape(family, PRIVILEGED.contains(&name)));
    }
    let privileged = privileged_roles(estate, today);
    for (key, role) in &estate.roles {
        let mut shape = shape("custom", privileged.contains(key));
        shape.tags = tags(&role.metadata.labels);
        if !role.metadata.has_expired(today) {
            shape.parents =
                role.spec.includes.iter().map(|included| role_uid(included.as_str())).collect();
        }
        shapes.insert(key.as_str().into(), shape);
    }
    shapes
}

/// Custom roles that include a privileged one, or whose group works inside customers' tenants.
fn privileged_roles(estate: &Estate, today: Day) -> BTreeSet<&RoleKey> {
    let granted = estate
        .delegated_access
        .values()
        .filter(|access| !access.metadata.has_expired(today))
        .flat_map(|access| &access.spec.grants)
        .map(|grant| &grant.to);
    let mut privileged: BTreeSet<&RoleKey> = granted.collect();
    let direct = estate.roles.iter().filter(|(_, role)| {
        role.spec.includes.iter().any(|included| PRIVILEGED.contains(&included.as_str()))
    });
    privileged.extend(direct.map(|(key, _)| key));
    // Whoever includes one of them is one of them: from each, up to those that include it.
    let mut included_by: BTreeMap<&RoleKey, Vec<&RoleKey>> = BTreeMap::new();
    for (key, role) in &estate.roles {
        for included in &role.spec.includes {
            included_by.entry(included).or_default().push(key);
        }
    }
    let mut due: Vec<&RoleKey> = privileged.iter().copied().collect();
    while let Some(key) = due.pop() {
        for includer in included_by.get(key).into_iter().flatten() {
            if privileged.insert(includer) {
                due.push(includer);
            }
        }
    }
    privileged
}

pub(crate) fn customer_shape(customer: &Declared<Customer>) -> Shape {
    let spec = &customer.spec;
    let providers = spec.partnerships.iter().flatten().map(PartnershipKey::as_str);
    let qualification = spec.qualification.map_or("none", |qualification| qualification.word());
    let mut attributes = vec![
        ("relationship", text(spec.relationship.word())),
        ("origin", text(spec.origin.word())),
        ("qualification", text(qualification)),
        ("known", Value::Bool(spec.tenant_id.is_some())),
        ("providers", Value::Set(providers.map(|name| Uid::new(Type::Provider, name)).collect())),
    ];
    if let Some(reseller) = &spec.reseller {
        attributes.push(("reseller", Value::One(Uid::new(Type::Reseller, reseller.as_str()))));
    }
    Shape { attributes, tags: tags(&customer.metadata.labels), parents: BTreeSet::new() }
}

pub(crate) fn user_shape(
    user: &Declared<User>,
    today: Day,
    expired_roles: &BTreeSet<&RoleKey>,
) -> Shape {
    let spec = &user.spec;
    let eligible = spec
        .admin
        .iter()
        .filter(|(_, holding)| *holding == Holding::Eligible)
        .map(|(level, _)| admin_role(*level));
    let roles =
        held(spec).filter(|role| !expired_roles.iter().any(|expired| expired.as_str() == *role));
    Someone {
        enabled: spec.enabled,
        expired: user.metadata.has_expired(today),
        guest: spec.is_guest(),
        email_domain: &spec.email.domain().to_lowercase(),
        webmail: spec.email.is_webmail(),
        labels: Some(&user.metadata.labels),
    }
    .shape(eligible, roles)
}

/// What policies can read of a user, wherever it was found.
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of its own")]
pub(crate) struct Someone<'a> {
    pub(crate) enabled: bool,
    pub(crate) expired: bool,
    pub(crate) guest: bool,
    /// In lower case.
    pub(crate) email_domain: &'a str,
    pub(crate) webmail: bool,
    pub(crate) labels: Option<&'a Labels>,
}

impl Someone<'_> {
    pub(crate) fn shape<'r>(
        &self,
        eligible: impl Iterator<Item = &'r str>,
        roles: impl Iterator<Item = &'r str>,
    ) -> Shape {
        let mut parents: BTreeSet<Uid> = roles.map(role_uid).collect();
        let attributes = vec![
            ("enabled", Value::Bool(self.enabled)),
            ("expired", Value::Bool(self.expired)),
            ("guest", Value::Bool(self.guest)),
            ("emailDomain", text(self.email_domain)),
            ("webmail", Value::Bool(self.webmail)),
            ("eligible", Value::Set(eligible.map(role_uid).collect())),
            ("holds", Value::Set(parents.clone())),
        ];
        parents.insert(role_uid(EVERYONE));
        if self.guest {
            parents.insert(role_uid(GUEST));
        }
        Shape { attributes, tags: self.labels.map(tags).unwrap_or_default(), parents }
    }
}

/// The keys of the roles that a user holds. A role that the reference does not know gives nothing
/// that could be told.
pub(crate) fn held(user: &User) -> impl Iterator<Item = &str> {
    let agents = user.agent.iter().map(|level| agent_role(*level));
    let admins = user
        .admin
        .iter()
        .filter(|(_, holding)| *holding == Holding::Active)
        .map(|(level, _)| admin_role(*level));
    let roles = user.roles.iter().flatten().filter_map(|grant| match grant {
        RoleGrant::Custom(key) => Some(key.as_str()),
        RoleGrant::Account { role, .. } => Some(role.word()),
        RoleGrant::Unrecognised { .. } => None,
    });
    agents.chain(admins).chain(roles)
}

pub(crate) const fn agent_role(level: AgentLevel) -> &'static str {
    match level {
        AgentLevel::Admin => "admin-agent",
        AgentLevel::Helpdesk => "helpdesk-agent",
        AgentLevel::Sales => "sales-agent",
    }
}

pub(crate) const fn admin_role(level: AdminLevel) -> &'static str {
    match level {
        AdminLevel::Global => "global-admin",
        AdminLevel::UserManagement => "user-management-admin",
        AdminLevel::Billing => "billing-admin",
    }
}
