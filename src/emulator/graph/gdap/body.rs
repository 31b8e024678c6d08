//! Bodies that are sent about delegated access, read strictly.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::relationship::{Customer, EXTENSION_DAYS};
use super::{Draft, Refusal, duration};

fn invalid<T>(message: &str) -> Result<T, Refusal> {
    Err(Refusal::Invalid(message.to_owned()))
}

/// Properties that a relationship can be given; the rest is the service's.
const SETTABLE: &[&str] =
    &["displayName", "duration", "customer", "accessDetails", "autoExtendDuration"];

/// Refuses a body with properties that nobody sets.
pub(super) fn must_be_settable(body: &Map<String, Value>) -> Result<(), Refusal> {
    match body.keys().find(|name| !SETTABLE.contains(&name.as_str())) {
        Some(name) => Err(Refusal::Invalid(format!("The property '{name}' cannot be set."))),
        None => Ok(()),
    }
}

/// A relationship as a body describes it, on top of what it was.
pub(super) fn draft(body: &Map<String, Value>, was: Option<Draft>) -> Result<Draft, Refusal> {
    must_be_settable(body)?;
    let mut draft = was.unwrap_or(Draft {
        display_name: String::new(),
        duration_days: 0,
        customer: None,
        roles: Vec::new(),
        auto_extends: false,
    });
    for (name, value) in body {
        match name.as_str() {
            "displayName" => match value {
                Value::String(text) => draft.display_name.clone_from(text),
                _ => return invalid("The displayName is required."),
            },
            "duration" => {
                let days = value.as_str().and_then(duration::days);
                draft.duration_days =
                    days.map_or_else(|| invalid("The duration is invalid."), Ok)?;
            }
            "customer" => draft.customer = customer(value)?,
            "accessDetails" => draft.roles = roles(value)?,
            "autoExtendDuration" => draft.auto_extends = auto_extends(value)?,
            _ => {}
        }
    }
    Ok(draft)
}

fn customer(value: &Value) -> Result<Option<Customer>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let tenant_id = value.get("tenantId").and_then(Value::as_str).unwrap_or_default();
    if Uuid::try_parse(tenant_id).is_err() {
        return invalid("The tenantId of the customer is invalid.");
    }
    let display_name = value.get("displayName").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Customer { tenant_id: tenant_id.to_owned(), display_name }))
}

/// The roles of an `accessDetails`: a set, whatever its order.
pub(super) fn roles(value: &Value) -> Result<Vec<String>, Refusal> {
    let Some(items) = value.get("unifiedRoles").and_then(Value::as_array) else {
        return invalid("The unifiedRoles are required.");
    };
    let mut roles: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        let Some(role) = item.get("roleDefinitionId").and_then(Value::as_str) else {
            return invalid("The roleDefinitionId is required.");
        };
        if !roles.iter().any(|known| known.eq_ignore_ascii_case(role)) {
            roles.push(role.to_owned());
        }
    }
    Ok(roles)
}

pub(super) fn auto_extends(value: &Value) -> Result<bool, Refusal> {
    match value.as_str().and_then(duration::days) {
        Some(0) => Ok(false),
        Some(EXTENSION_DAYS) => Ok(true),
        _ => invalid("The autoExtendDuration must be PT0S or P180D."),
    }
}

/// The group of an `accessContainer`.
pub(super) fn container(body: &Map<String, Value>) -> Result<String, Refusal> {
    let container = body.get("accessContainer").unwrap_or(&Value::Null);
    let id = container.get("accessContainerId").and_then(Value::as_str);
    let kind = container.get("accessContainerType").and_then(Value::as_str);
    match (id, kind) {
        (Some(id), Some("securityGroup")) => Ok(id.to_lowercase()),
        (Some(_), _) => invalid("The accessContainerType must be securityGroup."),
        (None, _) => invalid("The accessContainerId is required."),
    }
}
