//! Documents as Cedar: one policy for each item of a Role's `permissions`, and one for each grant
//! of a `DelegatedAccess`.
//!
//! What a role includes needs no policy: it is `in` the included one, as its holders are in it.
//! Delegated access is given to groups, though, and groups are never nested: what it gives, the
//! holders of the role itself have.

use std::fmt::Write as _;

use cedar_policy::{Policy, PolicyId};

use super::delegated::Delegated;
use super::directory;
use super::rules::Placed;
use crate::manifest::suggest::listed;
use crate::model::Str;
use crate::model::action::Action;
use crate::model::delegated_access::{DelegatedAccess, Grant};
use crate::model::directory_role::DirectoryRole;
use crate::model::estate::{Declared, Estate};
use crate::model::label::{LabelKey, LabelValue, Selector};
use crate::model::name::{CustomerKey, DelegatedAccessKey, RoleKey};
use crate::model::role::{Permission, Role};
use crate::model::time::Day;

/// What a document says, as Cedar.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub policy: Policy,
    pub place: Placed,
}

/// The ids that compiled policies have begin so.
pub(crate) const ROLE: &str = "role.";
pub(crate) const DELEGATED_ACCESS: &str = "delegated-access.";

/// Whether an id is one that nobody else's policy may have.
pub(crate) fn is_reserved(id: &str) -> bool {
    id.starts_with(ROLE) || id.starts_with(DELEGATED_ACCESS)
}

/// How much of a role's permissions counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All that documents say.
    Everywhere,
    /// Nothing inside customers' tenants: there counts what a tenant was found to give.
    OutsideTenants,
}

/// Whether it is delegated access that gives an action of a permission.
pub(crate) const fn is_delegated(action: Action, permission: &Permission) -> bool {
    action.is_done_in_tenants() && (permission.customers.is_some() || !action.is_about_people())
}

/// All permissions of the roles that have not expired.
pub(crate) fn roles(estate: &Estate, today: Day, reach: Reach) -> impl Iterator<Item = Compiled> {
    let living = estate.roles.iter().filter(move |(_, role)| !role.metadata.has_expired(today));
    living.flat_map(move |(key, role)| {
        role.spec.permissions.iter().enumerate().filter_map(move |(index, permission)| {
            let text = permission_text(key, role, permission, reach)?;
            let policy = policy(format!("{ROLE}{key}.{index}"), text)?;
            Some(Compiled { policy, place: Placed::Role { role: key.clone(), index } })
        })
    })
}

/// All grants of the templates that have not expired, to roles that have not.
pub(crate) fn templates(estate: &Estate, today: Day) -> impl Iterator<Item = Compiled> {
    let living = estate.delegated_access.iter();
    let living = living.filter(move |(_, access)| !access.metadata.has_expired(today));
    living.flat_map(move |(key, access)| {
        let grants = access.spec.grants.iter().enumerate();
        let lives = move |grant: &Grant| {
            estate.roles.get(&grant.to).is_none_or(|role| !role.metadata.has_expired(today))
        };
        grants.filter(move |(_, grant)| lives(grant)).filter_map(move |(index, grant)| {
            let text = grant_text(key, &access.spec, grant)?;
            let policy = policy(format!("{DELEGATED_ACCESS}{key}.{index}"), text)?;
            let place = Placed::DelegatedAccess { access: key.clone(), index };
            Some(Compiled { policy, place })
        })
    })
}

/// What delegated access gives in a tenant that was asked.
pub(crate) fn delegated(delegated: &Delegated) -> impl Iterator<Item = Compiled> {
    delegated.gifts().filter_map(|(gift, name)| {
        let roles: Vec<DirectoryRole> = gift.directory_roles.iter().copied().collect();
        let reason = format!(
            "role/{} has {} in the customer's tenant, by active delegated access",
            gift.to,
            names(&roles)
        );
        let here = format!("resource has delegated && {}", told(name));
        let text = given_text(&reason, &gift.to, &roles, &here)?;
        let policy = policy(format!("{DELEGATED_ACCESS}{name}"), text)?;
        Some(Compiled { policy, place: Placed::Tenant })
    })
}

/// That a customer's tenant gives this.
fn told(name: &str) -> String {
    format!("resource.delegated.contains(\"{name}\")")
}

/// Where the relationship with a customer is over and delegated access is still active: nothing but
/// what that gives, and that to whom it was given. No guardrail of the library's can say so, as it
/// knows no gift.
pub(crate) fn nothing_else(delegated: &Delegated) -> Option<Compiled> {
    let gifts: Vec<String> = delegated
        .gifts()
        .filter_map(|(gift, name)| {
            let roles: Vec<DirectoryRole> = gift.directory_roles.iter().copied().collect();
            let (allowed, whoever) = (allowed(&roles)?, in_group(&gift.to));
            Some(format!("({} && {whoever} && action in {})", told(name), action_set(&allowed)))
        })
        .collect();
    if gifts.is_empty() {
        return None;
    }
    let all: Vec<Action> =
        Action::ALL.iter().copied().filter(|action| action.is_done_in_tenants()).collect();
    let reason = "the relationship is over: nothing is done in the customer's tenant but what active delegated access gives";
    let text = format!(
        "{}forbid (principal, action in {}, resource is Customer) when {{ resource.relationship != \"reseller\" && resource has delegated }} unless {{ principal is User && ({}) }};",
        annotated(reason),
        action_set(&all),
        gifts.join(" || ")
    );
    let policy = policy(format!("{DELEGATED_ACCESS}no-relationship"), text)?;
    Some(Compiled { policy, place: Placed::Tenant })
}

fn policy(id: String, text: String) -> Option<Policy> {
    // Names and labels have no character that Cedar could take for anything else.
    Policy::parse(Some(PolicyId::new(id)), text).ok()
}

/// A permission in Cedar's syntax; nothing if it allows nothing.
fn permission_text(
    key: &RoleKey,
    role: &Declared<Role>,
    permission: &Permission,
    reach: Reach,
) -> Option<String> {
    let allowed: Vec<Action> = permission
        .allow
        .iter()
        .copied()
        .filter(|action| permission.customers.is_none() || action.is_done_to_customers())
        .filter(|action| reach == Reach::Everywhere || !is_delegated(*action, permission))
        .collect();
    if allowed.is_empty() {
        return None;
    }
    let reason = match &role.spec.description {
        Some(description) => format!("role/{key}: {}", description.as_str()),
        None => format!("the permissions of role/{key}"),
    };
    let mut text = annotated(&reason);
    let _ =
        write!(text, "permit (principal in Role::\"{key}\", action in {}, ", action_set(&allowed));
    match &permission.customers {
        None => {
            let _ = write!(text, "resource){};", not_their_people(&allowed));
        }
        Some(selector) => {
            let _ = write!(text, "resource is Customer) when {{ {} }};", condition(selector));
        }
    }
    Some(text)
}

/// Without customers, what is done to people is done to our own, never to those in a customer's
/// tenant.
fn not_their_people(allowed: &[Action]) -> String {
    let people: Vec<Action> =
        allowed.iter().copied().filter(|action| action.is_about_people()).collect();
    match people.len() {
        0 => String::new(),
        all if all == allowed.len() => " unless { resource is Customer }".to_owned(),
        _ => format!(" unless {{ action in {} && resource is Customer }}", action_set(&people)),
    }
}

/// A grant of a template in Cedar's syntax; nothing if nothing is known of what it gives.
fn grant_text(key: &DelegatedAccessKey, access: &DelegatedAccess, grant: &Grant) -> Option<String> {
    let Grant { to, directory_roles } = grant;
    let reason = format!("delegated-access/{key} gives role/{to} {}", names(directory_roles));
    let mut here = condition(&access.customers);
    if !access.customers.names.is_empty() {
        // Labels see to it themselves; a template never selects whose relationship is over.
        here = format!("resource.relationship == \"reseller\" && {here}");
    }
    given_text(&reason, to, directory_roles, &here)
}

/// What directory roles allow, to who is in a group, `here`.
fn given_text(
    reason: &str,
    to: &RoleKey,
    directory_roles: &[DirectoryRole],
    here: &str,
) -> Option<String> {
    let mut text = annotated(reason);
    let _ = write!(
        text,
        "permit (principal is User in Role::\"{to}\", action in {}, resource is Customer) when {{ {} && {here} }};",
        action_set(&allowed(directory_roles)?),
        in_group(to)
    );
    Some(text)
}

/// What directory roles allow, if anything is known of it.
fn allowed(directory_roles: &[DirectoryRole]) -> Option<Vec<Action>> {
    let allowed: Vec<Action> = directory::allowed_by(directory_roles).into_iter().collect();
    (!allowed.is_empty()).then_some(allowed)
}

/// That whoever asks is in the group of a role, and counts there: a guest of ours is nobody.
fn in_group(to: &RoleKey) -> String {
    format!("principal.holds.contains(Role::\"{to}\") && !principal.guest")
}

fn annotated(reason: &str) -> String {
    let reason: String = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    // Rust and Cedar escape strings alike.
    format!("@reason({reason:?})\n")
}

fn names(directory_roles: &[DirectoryRole]) -> String {
    let names: Vec<String> = directory_roles.iter().map(ToString::to_string).collect();
    listed(names.iter().map(String::as_str)).replace('`', "").replace(" or ", " and ")
}

fn action_set(actions: &[Action]) -> String {
    let actions: Vec<String> =
        actions.iter().map(|action| format!("Action::\"{action}\"")).collect();
    format!("[{}]", actions.join(", "))
}

/// A selector as a condition on `resource`.
fn condition(selector: &Selector) -> String {
    let Selector { labels, any_of, none_of, exists, names, except, all } = selector;
    let tag = |key: &LabelKey| format!("resource.getTag(\"{}\")", key.as_str());
    let has = |key: &LabelKey| format!("resource.hasTag(\"{}\")", key.as_str());
    let mut conditions = Vec::new();
    for (key, value) in labels.iter() {
        conditions.push(format!("{} && {} == \"{}\"", has(key), tag(key), value.as_str()));
    }
    for (key, values) in any_of {
        conditions.push(format!("{} && {}.contains({})", has(key), set(values), tag(key)));
    }
    for (key, values) in none_of {
        conditions.push(format!("!({} && {}.contains({}))", has(key), set(values), tag(key)));
    }
    for key in exists {
        conditions.push(has(key));
    }
    if *all {
        conditions.clear();
    }
    // Labels never select a customer whose relationship is over.
    let mut chosen = Vec::new();
    if *all || !conditions.is_empty() {
        conditions.insert(0, "resource.relationship == \"reseller\"".to_owned());
        chosen.push(conditions.join(" && "));
    }
    if !names.is_empty() {
        chosen.push(among(names));
    }
    let mut text = match chosen.as_slice() {
        [] => "false".to_owned(),
        [one] => one.clone(),
        several => format!("({})", several.join(" || ")),
    };
    if !except.is_empty() {
        let _ = write!(text, " && !({})", among(except));
    }
    text
}

fn set(values: &[LabelValue]) -> String {
    let values: Vec<String> =
        values.iter().map(|value| format!("\"{}\"", value.as_str())).collect();
    format!("[{}]", values.join(", "))
}

fn among(names: &[CustomerKey]) -> String {
    let names: Vec<Str> = names.iter().map(|name| format!("Customer::\"{name}\"").into()).collect();
    format!("resource in [{}]", names.join(", "))
}
