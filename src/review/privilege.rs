//! What is dangerous in anybody's hands, and into whose it comes.
//!
//! Privileged roles count even where they are only eligible, and where they give nothing that this
//! estate has yet: access is told elsewhere, this is about what is held.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::Input;
use super::access::Names;
use super::place::{At, Side, field};
use super::renamed::Renames;
use super::standing::StandingChange;
use crate::model::action::Action;
use crate::model::estate::{CustomerIndex, Estate};
use crate::model::name::Kind;
use crate::model::time::Day;
use crate::policy::world::{Shape, Type, Uid, Value, World};

/// Whether an action gives power over people, customers' tenants, money, or what is signed in our
/// name.
pub const fn is_privileged(action: Action) -> bool {
    matches!(
        action,
        Action::AdministerOnBehalf
            | Action::RequestDelegatedAdministration
            | Action::ManageDelegatedAccess
            | Action::AssignDelegatedAccess
            | Action::CancelAzureSubscription
            | Action::OrderOnBehalf
            | Action::EndRelationship
            | Action::ManageIncentives
            | Action::ManageUsers
            | Action::AssignRoles
            | Action::AssignComplianceAdmin
            | Action::ResetPassword
            | Action::EditLegalProfile
            | Action::AcceptPartnership
            | Action::RequestPartnership
            | Action::ManageBilling
            | Action::SignAgreement
    )
}

/// How a role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    Active,
    /// May be activated.
    Eligible,
}

impl Held {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Eligible => "eligible",
        }
    }
}

/// Who comes to hold a privileged role, or whose role becomes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleGrant {
    /// As policies name it: `global-admin`.
    pub role: String,
    pub held: Held,
    pub who: Names,
    /// Where the first of them is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// Directory roles that one of our groups comes to hold in customers' tenants, or loses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryGrant {
    /// `role/NAME`: its group.
    pub to: String,
    /// By name, or by id where the name is not known.
    pub directory_roles: Vec<String>,
    pub gained: Names,
    pub lost: Names,
    /// Where delegated access says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// Who comes to hold a privileged role.
pub(super) fn roles(input: &Input<'_>, renames: &Renames) -> Vec<RoleGrant> {
    let renamed = renames.world(input.base.world);
    let base = renamed.as_ref().unwrap_or(input.base.world);
    let head = input.head.world;
    let mut found: BTreeMap<(String, Held), Vec<Uid>> = BTreeMap::new();
    for (name, shape) in head.of(Type::User) {
        let user = Uid::new(Type::User, name.clone());
        let Some(now) = head.shape(*shape) else { continue };
        let before = base.shape_of(&user).and_then(|shape| base.shape(shape));
        let is_new = |role: &Uid, had: bool| {
            is_a_privilege(head, role) && !(had && is_a_privilege(base, role))
        };
        for role in &now.parents {
            let had = before.is_some_and(|before| before.parents.contains(role));
            if is_new(role, had) {
                found.entry((role.name.to_string(), Held::Active)).or_default().push(user.clone());
            }
        }
        for role in eligible(now) {
            let had = before.is_some_and(|before| {
                eligible(before).any(|one| one == role) || before.parents.contains(role)
            });
            if is_new(role, had) {
                found
                    .entry((role.name.to_string(), Held::Eligible))
                    .or_default()
                    .push(user.clone());
            }
        }
    }
    found
        .into_iter()
        .map(|((role, held), who)| RoleGrant {
            at: who.first().and_then(|user| place(input, user, &role)),
            role,
            held,
            who: Names::of(who.into_iter()),
        })
        .collect()
}

/// Which of the users whose standing changes hold something privileged, as `user/name`.
pub(super) fn holders(world: &World, changes: &[StandingChange]) -> Vec<String> {
    let is_a_holder = |object: &str| {
        let uid = Uid::new(Type::User, object.strip_prefix("user/")?);
        let shape = world.shape(world.shape_of(&uid)?)?;
        let mut held = shape.parents.iter().chain(eligible(shape));
        held.any(|role| is_a_privilege(world, role)).then(|| object.to_owned())
    };
    changes.iter().filter_map(|change| is_a_holder(&change.object)).collect()
}

fn is_a_privilege(world: &World, role: &Uid) -> bool {
    let shape = world.shape_of(role).and_then(|shape| world.shape(shape));
    shape.is_some_and(|shape| shape.attributes.contains(&("privileged", Value::Bool(true))))
}

fn eligible(shape: &Shape) -> impl Iterator<Item = &Uid> {
    let held = shape.attributes.iter().find_map(|(name, value)| match value {
        Value::Set(roles) if *name == "eligible" => Some(roles),
        _ => None,
    });
    held.into_iter().flatten()
}

/// Where a user's document says that they hold a role.
fn place(input: &Input<'_>, user: &Uid, role: &str) -> Option<At> {
    let declared = input.head.loaded.estate.users.get(user.name.as_str())?;
    let key = match role {
        "global-admin" | "user-management-admin" | "billing-admin" => "spec.admin",
        "admin-agent" | "helpdesk-agent" | "sales-agent" => "spec.agent",
        _ => "spec.roles",
    };
    let at = input.head.loaded.place_of(&field(declared.origin, key));
    Some(At::of(Side::Head, at))
}

/// Which of our roles hold which directory roles, at which customers.
type HeldThere<'a> = BTreeMap<(&'a str, String), BTreeSet<&'a str>>;

/// What our groups come to hold inside customers' tenants, and lose.
pub(super) fn directory_roles(input: &Input<'_>, renames: &Renames) -> Vec<DirectoryGrant> {
    let base = held(&input.base.loaded.estate, input.today, Some(renames));
    let head = held(&input.head.loaded.estate, input.today, None);
    let keys: BTreeSet<_> = base.keys().chain(head.keys()).collect();
    let nobody = BTreeSet::new();
    let mut grants: Vec<DirectoryGrant> = Vec::new();
    for key in keys {
        let before = base.get(key).unwrap_or(&nobody);
        let after = head.get(key).unwrap_or(&nobody);
        let names = |all: &BTreeSet<&str>, other: &BTreeSet<&str>| {
            Names::of(all.difference(other).map(|name| Uid::new(Type::Customer, *name)))
        };
        let (gained, lost) = (names(after, before), names(before, after));
        if gained.count + lost.count == 0 {
            continue;
        }
        let (to, directory_role) = key;
        let at = granting(input, to, directory_role, &gained);
        let to = format!("role/{to}");
        let alike = |one: &&mut DirectoryGrant| {
            one.to == to && one.at == at && one.gained == gained && one.lost == lost
        };
        match grants.iter_mut().find(alike) {
            Some(one) => one.directory_roles.push(directory_role.clone()),
            None => grants.push(DirectoryGrant {
                to,
                directory_roles: vec![directory_role.clone()],
                gained,
                lost,
                at,
            }),
        }
    }
    grants.sort_by_key(|grant| std::cmp::Reverse(grant.gained.count > 0));
    grants
}

fn held<'a>(estate: &'a Estate, today: Day, renames: Option<&'a Renames>) -> HeldThere<'a> {
    let mut held: HeldThere<'a> = BTreeMap::new();
    if estate.delegated_access.is_empty() {
        return held;
    }
    let name = |kind: Kind, name: &'a str| renames.map_or(name, |names| names.name(kind, name));
    let index = CustomerIndex::of(estate, |_| true);
    for access in estate.delegated_access.values() {
        if access.metadata.has_expired(today) {
            continue;
        }
        let customers = index.selected(&access.spec.customers);
        let customers: Vec<&'a str> =
            customers.into_iter().map(|(key, _)| name(Kind::Customer, key.as_str())).collect();
        for grant in &access.spec.grants {
            for role in &grant.directory_roles {
                let key = (name(Kind::Role, grant.to.as_str()), role.to_string());
                held.entry(key).or_default().extend(&customers);
            }
        }
    }
    held
}

/// Where the head says so: the first template that does, for the first of the customers.
fn granting(input: &Input<'_>, to: &str, directory_role: &str, gained: &Names) -> Option<At> {
    let loaded = input.head.loaded;
    let customer = gained.names.first()?.strip_prefix("customer/")?;
    let (key, declared) = loaded.estate.customers.get_key_value(customer)?;
    let access = loaded.estate.delegated_access.values().find(|access| {
        access.spec.customers.selects(key, &declared.metadata.labels)
            && access.spec.grants.iter().any(|grant| {
                grant.to.as_str() == to
                    && grant.directory_roles.iter().any(|role| role.to_string() == directory_role)
            })
    })?;
    Some(At::of(Side::Head, loaded.place_of(&field(access.origin, "spec.grants"))))
}
