//! What was done, by whom: the records that Partner Center keeps for ninety days.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::clock;
use super::store::{Document, StoreError, Write};
use super::tenant::Tenant;

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditRecord {
    pub id: String,
    pub partner_id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_principal_name: Option<String>,
    pub application_id: String,
    pub resource_type: String,
    /// JSON as text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource_old_value: Option<String>,
    /// JSON as text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource_new_value: Option<String>,
    pub operation_type: String,
    pub operation_date: String,
    pub operation_status: String,
    pub customized_data: Vec<Value>,
}

impl Document for AuditRecord {
    const KIND: &'static str = "audit-record";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let date = &self.operation_date;
        let mut keys =
            vec![("date", date.clone()), ("resource", format!("{} {date}", self.resource_type))];
        if let Some(customer) = &self.customer_id {
            keys.push(("customer", format!("{customer} {date}")));
        }
        keys
    }
}

/// Who did something.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By<'a> {
    Caller(&'a Caller),
    /// A person of another company, or the service itself.
    Elsewhere,
}

/// What was done, as it is written down.
#[derive(Debug, Clone)]
pub(crate) struct Deed<'a> {
    /// Such as `add_customer`.
    pub operation: &'a str,
    /// Such as `customer`.
    pub resource: &'a str,
    /// Id and name.
    pub customer: Option<(&'a str, &'a str)>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// Writes a record.
pub(crate) fn record(tx: &Write<'_>, by: By<'_>, deed: &Deed<'_>) -> Result<(), StoreError> {
    let (user, application) = match by {
        By::Caller(caller) => (caller.sign_in_name().map(str::to_owned), caller.app_id.clone()),
        By::Elsewhere => (None, "Partner Center Web".to_owned()),
    };
    let customized = deed.customer.map(|(id, _)| json!({"key": "CustomerId", "value": id}));
    tx.put(&AuditRecord {
        id: tx.new_id()?.to_string(),
        partner_id: Tenant::of(tx)?.id,
        customer_id: deed.customer.map(|(id, _)| id.to_owned()),
        customer_name: deed.customer.map(|(_, name)| name.to_owned()),
        user_principal_name: user,
        application_id: application,
        resource_type: deed.resource.to_owned(),
        resource_old_value: deed.before.as_ref().map(|value| pascal(value).to_string()),
        resource_new_value: deed.after.as_ref().map(|value| pascal(value).to_string()),
        operation_type: deed.operation.to_owned(),
        operation_date: clock::stamp(tx.now()),
        operation_status: "succeeded".to_owned(),
        customized_data: customized.into_iter().collect(),
    })?;
    Ok(())
}

/// Names within recorded values begin in upper case.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                (first.into_iter().chain(letters).collect::<String>(), pascal(value))
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(pascal).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}
