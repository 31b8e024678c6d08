//! What differs between two documents, field by field.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// A field that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// As in `metadata.ignore`: `spec.displayName`.
    pub path: String,
    /// Null for what was not there.
    pub before: Value,
    /// Null for what is not there any more.
    pub after: Value,
}

/// The only list whose order means something: what stands on top of a catalogue.
const ORDERED: &str = "featured";

/// All fields that differ. Lists are sets.
pub(super) fn difference(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

fn compare(path: String, before: &Value, after: &Value, found: &mut Vec<FieldChange>) {
    let nothing = Map::new();
    let (old, new) = match (before, after) {
        (Value::Object(old), Value::Object(new)) => (old, new),
        // What comes or goes as a whole is told by its parts, so that it reads alike.
        (Value::Null, Value::Object(new)) if !new.is_empty() => (&nothing, new),
        (Value::Object(old), Value::Null) if !old.is_empty() => (old, &nothing),
        _ => {
            if !same(&path, before, after) {
                found.push(FieldChange { path, before: before.clone(), after: after.clone() });
            }
            return;
        }
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let of = |members: &Map<String, Value>| members.get(key).cloned().unwrap_or(Value::Null);
        compare(path, &of(old), &of(new), found);
    }
}

fn same(path: &str, before: &Value, after: &Value) -> bool {
    before == after || (!path.ends_with(ORDERED) && sorted(before) == sorted(after))
}

/// With the elements of every list in one order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(all) => {
            let mut all: Vec<Value> = all.iter().map(sorted).collect();
            all.sort_by_cached_key(Value::to_string);
            Value::Array(all)
        }
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, one)| (key.clone(), sorted(one))).collect())
        }
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_sets_but_for_the_one_that_is_an_order() {
        let before = json!({"roles": ["a", {"role": "b", "locations": ["x", "y"]}]});
        let after = json!({"roles": [{"role": "b", "locations": ["y", "x"]}, "a"]});
        assert!(difference(&before, &after).is_empty());
        let before = json!({"catalog": {"featured": ["a", "b"]}});
        let after = json!({"catalog": {"featured": ["b", "a"]}});
        assert_eq!(difference(&before, &after).len(), 1);
    }

    #[test]
    fn what_comes_whole_is_told_by_its_parts() {
        let found = difference(&json!({"a": 1}), &json!({"a": 1, "b": {"c": 2, "d": [3]}}));
        let paths: Vec<&str> = found.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["b.c", "b.d"]);
    }
}
