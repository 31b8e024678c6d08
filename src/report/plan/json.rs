//! A plan for programs: the file itself, indented, harmless to print.
//!
//! What is written can be read, shown and applied like the file that it was made from: the digest is
//! of the content, not of the bytes. A plan holds no secret by construction; should one hold what
//! looks like one, it is hidden, and the digest no longer fits, so that nobody applies the mask.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Map, Value};

use super::value::of_secret;
use crate::plan::file::{FORMAT, Plan};
use crate::report::{json, mask};

pub fn json(plan: &Plan, to: &mut dyn Write) -> io::Result<()> {
    json::write_value(&without_secrets(serde_json::to_value(plan)?), to)
}

/// The JSON Schema of the format, as in `schemas/plan.schema.json`.
pub fn schema() -> Value {
    let mut schema = json::schema_of::<Plan>();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "partnerctl plan, version 1".into());
    }
    if let Some(Value::Object(format)) = schema.pointer_mut("/properties/format") {
        format.insert("const".to_owned(), FORMAT.into());
    }
    schema
}

/// The same without what looks like a secret, or is called one.
pub(in crate::report) fn without_secrets(value: Value) -> Value {
    hidden("", value)
}

fn hidden(name: &str, value: Value) -> Value {
    match value {
        Value::String(_) | Value::Array(_) | Value::Object(_) if of_secret(name, &value) => {
            mask::MASK.into()
        }
        Value::String(text) => match mask::hide(&text) {
            Cow::Borrowed(_) => Value::String(text),
            Cow::Owned(masked) => Value::String(masked),
        },
        Value::Array(all) => all.into_iter().map(|one| hidden("", one)).collect(),
        Value::Object(members) => Value::Object(all_hidden(members)),
        other => other,
    }
}

fn all_hidden(members: Map<String, Value>) -> Map<String, Value> {
    // A field says by its path what its values are.
    let path = members.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
    members
        .into_iter()
        .map(|(name, value)| {
            let called = match name.as_str() {
                "before" | "after" | "applied" | "declared" | "live" if !path.is_empty() => {
                    path.as_str()
                }
                other => other,
            };
            let value = hidden(called, value);
            (mask::hide(&name).into_owned(), value)
        })
        .collect()
}
