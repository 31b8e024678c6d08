//! `Role` documents as Cedar: one policy for each item of `permissions`.
//!
//! What a role includes needs no policy: it is `in` the included one, as its holders are in it.

use std::fmt::Write as _;

use cedar_policy::{Policy, PolicyId};

use crate::model::Str;
use crate::model::estate::{Declared, Estate};
use crate::model::label::{LabelKey, LabelValue, Selector};
use crate::model::name::{CustomerKey, RoleKey};
use crate::model::role::{Permission, Role};
use crate::model::time::Day;

/// A permission of a role, as Cedar.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub policy: Policy,
    pub role: RoleKey,
    /// Which of the role's permissions.
    pub index: usize,
}

/// The ids that compiled policies have: nobody else's may begin so.
pub(crate) const PREFIX: &str = "role.";

/// All permissions of the roles that have not expired.
pub(crate) fn roles(estate: &Estate, today: Day) -> impl Iterator<Item = Compiled> {
    let living = estate.roles.iter().filter(move |(_, role)| !role.metadata.has_expired(today));
    living.flat_map(|(key, role)| {
        role.spec.permissions.iter().enumerate().filter_map(move |(index, permission)| {
            let text = text(key, role, permission)?;
            let id = PolicyId::new(format!("{PREFIX}{key}.{index}"));
            // Names and labels have no character that Cedar could take for anything else.
            let policy = Policy::parse(Some(id), text).ok()?;
            Some(Compiled { policy, role: key.clone(), index })
        })
    })
}

/// A permission in Cedar's syntax; nothing if it allows nothing.
fn text(key: &RoleKey, role: &Declared<Role>, permission: &Permission) -> Option<String> {
    let actions: Vec<String> = permission
        .allow
        .iter()
        .filter(|action| permission.customers.is_none() || action.is_about_customers())
        .map(|action| format!("Action::\"{action}\""))
        .collect();
    if actions.is_empty() {
        return None;
    }
    let reason = match &role.spec.description {
        Some(description) => format!("role/{key}: {}", description.as_str()),
        None => format!("the permissions of role/{key}"),
    };
    let reason: String = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    // Rust and Cedar escape strings alike.
    let _ = writeln!(text, "@reason({reason:?})");
    let _ =
        write!(text, "permit (principal in Role::\"{key}\", action in [{}], ", actions.join(", "));
    match &permission.customers {
        None => text.push_str("resource);"),
        Some(selector) => {
            let _ = write!(text, "resource is Customer) when {{ {} }};", condition(selector));
        }
    }
    Some(text)
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
