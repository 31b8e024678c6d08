//! Whether a step is still what the plan saw: asked before the first write, and again right before
//! its own.

use serde_json::Value;

use super::delegated;
use super::step::{FieldChange, Guard};
use super::users::{ENABLED, FIELDS};
use crate::model::record::ObjectKey;
use crate::model::tenant::{self, ObjectId};

/// A field of a living user, by its path.
pub fn of_user(user: &tenant::User, path: &str) -> Value {
    let field = FIELDS.iter().find(|field| field.path == path);
    field.map_or(Value::Null, |field| (field.live)(user))
}

/// Why a step on a user no longer holds, if it does not.
pub fn user(guard: &Guard, now: &tenant::User) -> Option<String> {
    if !guard.seen.contains_key(ENABLED) && guard.enabled != now.enabled {
        return Some(match now.enabled {
            Some(true) => "the account was enabled meanwhile".to_owned(),
            Some(false) => "the account was disabled meanwhile".to_owned(),
            None => "whether the account is enabled cannot be seen any more".to_owned(),
        });
    }
    let is_field = |path: &str| FIELDS.iter().any(|field| field.path == path);
    guard
        .seen
        .iter()
        .filter(|(path, _)| is_field(path))
        .find(|(path, seen)| of_user(now, path) != **seen)
        .map(|(path, _)| format!("{path} was changed meanwhile"))
}

/// Why a step on a delegated access relationship no longer holds, if it does not.
pub fn delegation(guard: &Guard, now: &tenant::Delegation) -> Option<String> {
    let changed = |what: &str| Some(format!("{what} was changed meanwhile"));
    for (path, seen) in &guard.seen {
        let is_so = match path.as_str() {
            delegated::STATUS => *seen == delegated::status_word(&now.status),
            delegated::EXTENSION => *seen == delegated::extension_word(now.auto_extend_days),
            delegated::DURATION => {
                now.duration_days.is_none_or(|days| *seen == format!("P{days}D"))
            }
            delegated::ROLES => *seen == delegated::words(&now.roles),
            _ => true,
        };
        if !is_so && path == delegated::STATUS {
            let status = delegated::status_word(&now.status);
            return Some(format!("the relationship {} is {status} by now", now.name));
        }
        if !is_so {
            return changed(path);
        }
    }
    None
}

/// The same of what one group may do by it.
pub fn assignment(guard: &Guard, now: &tenant::DelegatedAssignment) -> Option<String> {
    let mut seen = guard.seen.iter().filter(|(path, _)| delegated::is_grant(path));
    seen.find(|(_, seen)| **seen != delegated::words(&now.roles))
        .map(|(path, _)| format!("{path} was changed meanwhile"))
}

/// What the service calls a field of a profile.
pub fn wire_of(path: &str) -> Option<String> {
    let (root, rest) = ["spec.legal.", "spec.support.", "spec.billing."]
        .into_iter()
        .find_map(|root| Some((root, path.strip_prefix(root)?)))?;
    let (group, key) =
        rest.rsplit_once('.').map_or((None, rest), |(group, key)| (Some(group), key));
    let key = match (root, group, key) {
        (_, Some("address"), "line1") => "addressLine1",
        (_, Some("address"), "line2") => "addressLine2",
        (_, Some("address"), "line3") => "addressLine3",
        (_, Some("primaryContact"), "phone") => "phoneNumber",
        ("spec.support.", None, "phone") => "telephone",
        ("spec.billing.", None, "currency") => "billingCurrency",
        (_, _, key) => key,
    };
    Some(match group {
        Some(group) => format!("{group}.{key}"),
        None => key.to_owned(),
    })
}

/// Whether a member of what is sent is called so; a customer's address is called otherwise than an
/// account's.
pub fn is_called(member: &str, wire: &str) -> bool {
    match member.strip_prefix("defaultAddress.") {
        Some(own) => wire.strip_prefix("address.") == Some(own),
        None => member == wire,
    }
}

/// Whether two plans of the same step mean the same: what is sent, and what must hold for it.
pub fn is_same(one: &super::Step, other: &super::Step) -> bool {
    one.change == other.change && one.guard == other.guard && becomes(one) == becomes(other)
}

/// The same, of a step on something that did not exist when it was planned, and that an earlier run of
/// the plan has made: of that there was nothing to be seen.
pub fn is_same_of_made(
    planned: &super::Step,
    now: &super::Step,
    made: impl Fn(&ObjectKey) -> Option<ObjectId>,
) -> bool {
    let values = (serde_json::to_value(&planned.change), serde_json::to_value(&now.change));
    let (Ok(mut change), Ok(is)) = values else { return false };
    with_ids(&mut change, &made) && change == is && becomes(planned) == becomes(now)
}

/// Puts ids where something stands that was made for an object; whether there was any.
fn with_ids(value: &mut Value, made: &impl Fn(&ObjectKey) -> Option<ObjectId>) -> bool {
    let Value::Object(members) = value else { return false };
    let key = members.get("made-for").and_then(Value::as_str).and_then(ObjectKey::parse);
    if let Some(id) = key.and_then(|key| made(&key)) {
        *value = serde_json::json!({"id": id});
        return true;
    }
    members.values_mut().fold(false, |any, value| with_ids(value, made) | any)
}

fn becomes(step: &super::Step) -> Vec<FieldChange> {
    let mut fields = step.fields.clone();
    // Why it changes may be told otherwise by now; what it becomes may not.
    for field in &mut fields {
        field.cause = super::Cause::Change;
        field.applied = None;
    }
    fields
}
