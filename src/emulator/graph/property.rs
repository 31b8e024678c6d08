//! What properties an object has, and which of them a body may set.

use serde_json::{Map, Value};

use crate::emulator::error::GraphError;

/// One property.
pub(super) struct Property {
    pub name: &'static str,
    pub kind: Kind,
    pub by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// At most so many characters.
    Text(usize),
    Bool,
    /// At most so many texts.
    Texts(usize),
    Object,
}

/// Who sets it, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Anybody who may write; kept on premises for those that are synchronised.
    Identity,
    /// The same, in the cloud always.
    Cloud,
    /// Only at the beginning.
    Creation,
    /// The service alone.
    Service,
}

pub(super) const fn property(name: &'static str, kind: Kind, by: By) -> Property {
    Property { name, kind, by }
}

/// Checks a body against the properties of its kind.
pub(super) fn check(
    table: &[Property],
    body: &Map<String, Value>,
    is_new: bool,
) -> Result<(), GraphError> {
    for (name, value) in body {
        let Some(known) = table.iter().find(|property| property.name == name) else {
            return Err(invalid(name, format!("Invalid property '{name}'.")));
        };
        let is_settable = match known.by {
            By::Identity | By::Cloud => true,
            By::Creation => is_new,
            By::Service => false,
        };
        if !is_settable {
            let message = format!("Property '{name}' is read-only and cannot be set.");
            return Err(invalid(name, message));
        }
        if !known.kind.takes(value) {
            return Err(invalid(name, format!("Invalid value specified for property '{name}'.")));
        }
    }
    Ok(())
}

pub(super) fn invalid(property: &str, message: impl Into<String>) -> GraphError {
    GraphError::bad_request(message).about(property)
}

/// A property that must be there.
pub(super) fn need<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, GraphError> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| {
        invalid(name, format!("A value is required for property '{name}' of resource."))
    })
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(max), Value::String(text)) => {
                !text.is_empty() && text.chars().count() <= max
            }
            (_, Value::Null) | (Self::Bool, Value::Bool(_)) | (Self::Object, Value::Object(_)) => {
                true
            }
            (Self::Texts(max), Value::Array(items)) => {
                items.len() <= max && items.iter().all(Value::is_string)
            }
            _ => false,
        }
    }

    /// What is shown where nothing is kept.
    pub(super) fn nothing(self) -> Value {
        match self {
            Self::Texts(_) => Value::Array(Vec::new()),
            Self::Text(_) | Self::Bool | Self::Object => Value::Null,
        }
    }
}

/// A time as the directory writes it.
pub(super) fn seconds(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
