//! What changes about somebody without changing what they may do today: who they are, until when,
//! and who else may have a hand in it.
//!
//! Access is asked by name. A document that keeps its name, or takes it along with `formerly`, and
//! gets another address, group or tenant, hands everything to somebody else; one that ends later
//! gives for longer. Neither shows as a gain, so it is told here.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::place::At;
use super::{Became, FieldChange, ObjectChange, RoleGrant};
use crate::model::scalar::Scalar;
use crate::model::time::{Day, Days};

/// What is not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It may be somebody or something else.
    Identity,
    /// It holds for longer.
    Lasting,
    /// Others may do something about it that nobody here declared.
    Openness,
}

impl Standing {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Identity => "may be another",
            Self::Lasting => "holds for longer",
            Self::Openness => "is open to others",
        }
    }
}

/// One such change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingChange {
    /// `kind/name`.
    pub object: String,
    pub standing: Standing,
    #[serde(flatten)]
    pub field: FieldChange,
    /// It may bring somebody else to what is privileged.
    pub privileged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// All of them, of what was there before.
pub(super) fn changes(changes: &[ObjectChange]) -> Vec<StandingChange> {
    let kept =
        changes.iter().filter(|change| matches!(change.became, Became::Changed | Became::Renamed));
    let mut found: Vec<StandingChange> = kept
        .flat_map(|change| {
            change.fields.iter().filter_map(|field| {
                Some(StandingChange {
                    object: change.object.clone(),
                    standing: standing(&change.object, field)?,
                    field: field.clone(),
                    privileged: false,
                    at: change.at.clone(),
                })
            })
        })
        .collect();
    found.sort_by_key(|change| change.standing);
    found
}

/// Whether whoever holds something privileged may be somebody else by it.
pub(super) fn is_privileged(
    change: &StandingChange,
    roles: &[RoleGrant],
    holders: &[String],
) -> bool {
    let is_user = change.object.starts_with("user/");
    change.standing == Standing::Identity
        && (!is_user
            || holders.contains(&change.object)
            || roles.iter().any(|grant| grant.who.names.contains(&change.object)))
}

fn standing(object: &str, field: &FieldChange) -> Option<Standing> {
    let (kind, _) = object.split_once('/')?;
    let FieldChange { path, before, after } = field;
    let is_identity = match (kind, path.as_str()) {
        ("user", "spec.email" | "spec.signInName")
        | ("account", "spec.domains" | "spec.partnerId")
        | ("customer", "spec.domain")
        | ("partnership", "spec.tenantId") => true,
        // It is not known before somebody accepted.
        ("customer", "spec.tenantId") => !before.is_null(),
        ("role", path) => path == "spec.group" || path.starts_with("spec.group."),
        _ => false,
    };
    if is_identity {
        return Some(Standing::Identity);
    }
    let is_longer = match (kind, path.as_str()) {
        (_, "metadata.expires") => later(before, after, |text| Day::parse(text).ok()),
        ("delegated-access", "spec.duration") => {
            later(before, after, |text| Days::parse(text).ok())
        }
        ("delegated-access", "spec.autoExtend") => !after.is_null(),
        _ => false,
    };
    if is_longer {
        return Some(Standing::Lasting);
    }
    let is_open = match path.as_str() {
        // Additive is what it is unless something else is said.
        "spec.membership" | "spec.agentMembership" => after.is_null(),
        "metadata.ignore" => elements(after).any(|one| !elements(before).any(|other| other == one)),
        _ => false,
    };
    is_open.then_some(Standing::Openness)
}

/// Whether what had an end has a later one, or none.
fn later<T: Ord>(before: &Value, after: &Value, read: impl Fn(&str) -> Option<T>) -> bool {
    match (before.as_str(), after.as_str()) {
        (Some(before), Some(after)) => read(after) > read(before),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_told() {
        use Standing::{Identity, Lasting, Openness};
        for (object, path, before, after, told) in [
            ("user/a", "spec.email", json!("a@x"), json!("b@x"), Some(Identity)),
            ("user/a", "spec.displayName", json!("a"), json!("b"), None),
            ("role/a", "spec.group.id", json!("1"), json!("2"), Some(Identity)),
            ("role/a", "spec.group", json!("One"), json!("Two"), Some(Identity)),
            ("customer/a", "spec.tenantId", Value::Null, json!("1"), None),
            ("customer/a", "spec.tenantId", json!("1"), json!("2"), Some(Identity)),
            ("user/a", "metadata.expires", json!("2026-12-01"), json!("2027-12-01"), Some(Lasting)),
            ("user/a", "metadata.expires", json!("2027-12-01"), json!("2026-12-01"), None),
            ("user/a", "metadata.expires", json!("2027-12-01"), Value::Null, Some(Lasting)),
            ("user/a", "metadata.expires", Value::Null, json!("2027-12-01"), None),
            ("delegated-access/a", "spec.duration", json!("P90D"), json!("P730D"), Some(Lasting)),
            ("delegated-access/a", "spec.duration", json!("P730D"), json!("P90D"), None),
            ("role/a", "spec.membership", json!("exclusive"), Value::Null, Some(Openness)),
            ("role/a", "spec.membership", Value::Null, json!("exclusive"), None),
            ("user/a", "metadata.ignore", Value::Null, json!(["spec.admin"]), Some(Openness)),
            ("user/a", "metadata.ignore", json!(["spec.admin"]), Value::Null, None),
        ] {
            let field = FieldChange { path: path.to_owned(), before, after };
            assert_eq!(standing(object, &field), told, "{object} {field:?}");
        }
    }
}
