//! One field, three values: as last applied, as declared, as it is.

use std::cell::OnceCell;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::record::Applied;
use super::step::{Cause, FieldChange};
use crate::model::metadata::Metadata;
use crate::model::record::Recorded;
use crate::model::text::nfc;

/// How two values of a field are told to be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    /// Texts, by their normal form.
    Text,
    /// Texts without regard to case.
    Folded,
    /// Telephone numbers, by their digits.
    Phone,
    /// Whatever it is, exactly.
    Exactly,
}

impl Same {
    pub(super) fn holds(self, one: &Value, other: &Value) -> bool {
        match (self, one, other) {
            (Self::Text, Value::String(one), Value::String(other)) => nfc(one) == nfc(other),
            (Self::Folded, Value::String(one), Value::String(other)) => {
                nfc(one).to_lowercase() == nfc(other).to_lowercase()
            }
            (Self::Phone, Value::String(one), Value::String(other)) => digits(one) == digits(other),
            _ => one == other || (is_nothing(one) && is_nothing(other)),
        }
    }
}

/// Services say nothing in two ways.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn digits(number: &str) -> String {
    let trunk = number.replace("(0)", "");
    trunk.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

/// For how long after our own write a contradictory read is taken for the service's lag.
const SETTLING: SignedDuration = SignedDuration::from_hours(1);

/// What is remembered of one object, and what its document leaves to others.
pub(super) struct Memory<'a> {
    recorded: Option<&'a Recorded>,
    applied: OnceCell<Applied>,
    metadata: Option<&'a Metadata>,
    is_settling: bool,
}

/// What is to be done about a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    Nothing,
    Change(Box<FieldChange>),
    /// It differs, and its document leaves it to others.
    Ignored,
    /// It differs from what we wrote a moment ago.
    Settling,
}

impl<'a> Memory<'a> {
    pub(super) fn new(
        recorded: Option<&'a Recorded>,
        metadata: Option<&'a Metadata>,
        now: Timestamp,
        lags: bool,
    ) -> Self {
        let is_settling = lags
            && recorded.is_some_and(|recorded| {
                recorded.managed.run.is_some() && now.duration_since(recorded.at) < SETTLING
            });
        Self { recorded, applied: OnceCell::new(), metadata, is_settling }
    }

    pub(super) fn recorded(&self) -> Option<&'a Recorded> {
        self.recorded
    }

    /// What was last applied; read only when somebody asks.
    pub(super) fn applied(&self) -> Option<&Applied> {
        let recorded = self.recorded?;
        Some(self.applied.get_or_init(|| Applied::read(&recorded.managed.spec)))
    }

    /// Whether we wrote it a moment ago, and the service may not show it yet.
    pub(super) fn is_settling(&self) -> bool {
        self.is_settling
    }

    pub(super) fn ignores(&self, path: &str) -> bool {
        self.metadata.is_some_and(|metadata| {
            metadata.ignore.iter().any(|ignored| {
                let rest = path.strip_prefix(ignored.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        })
    }

    /// A field that has one value.
    pub(super) fn field(&self, path: &str, declared: &Value, live: &Value, same: Same) -> Verdict {
        if same.holds(declared, live) {
            return Verdict::Nothing;
        }
        if self.ignores(path) {
            return Verdict::Ignored;
        }
        let rewritten = self
            .recorded
            .is_some_and(|recorded| recorded.managed.is_rewriting(path, declared, live));
        if rewritten {
            return Verdict::Nothing;
        }
        let before = self.applied().and_then(|applied| applied.fields.get(path));
        let (cause, applied) = match before {
            // What was not there could not be taken over: it is the manifest that is new.
            None if self.recorded.is_some() && is_nothing(live) => (Cause::Change, None),
            None => (Cause::Adopt, None),
            Some(before) if same.holds(before, declared) => (Cause::Drift, None),
            Some(before) if same.holds(before, live) => (Cause::Change, None),
            Some(before) => (Cause::Both, Some(before.clone())),
        };
        self.settled(FieldChange {
            path: path.to_owned(),
            before: live.clone(),
            after: declared.clone(),
            cause,
            applied,
        })
    }

    /// An element of a set that is declared and not there, or there and not declared.
    pub(super) fn element(&self, path: &str, element: &Value, is_declared: bool) -> Verdict {
        if self.ignores(path) {
            return Verdict::Ignored;
        }
        let applied = self.applied();
        let was = applied.is_some_and(|applied| applied.has(path, element));
        // A set that was not managed before is as if nothing was known of it.
        let is_new = applied.is_none_or(|applied| !applied.fields.contains_key(path));
        let cause = match (is_new, was == is_declared) {
            (true, _) if is_declared && applied.is_some() => Cause::Change,
            (true, _) => Cause::Adopt,
            (false, true) => Cause::Drift,
            (false, false) => Cause::Change,
        };
        let (before, after) = if is_declared {
            (Value::Null, element.clone())
        } else {
            (element.clone(), Value::Null)
        };
        self.settled(FieldChange { path: path.to_owned(), before, after, cause, applied: None })
    }

    fn settled(&self, change: FieldChange) -> Verdict {
        if self.is_settling && matches!(change.cause, Cause::Drift | Cause::Both) {
            Verdict::Settling
        } else {
            Verdict::Change(Box::new(change))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_is_what_the_value_means() {
        let same = |same: Same, one: &str, other: &str| same.holds(&json!(one), &json!(other));
        assert!(same(Same::Text, "Zoé", "Zoe\u{301}"));
        assert!(!same(Same::Text, "zoe", "Zoe"));
        assert!(same(Same::Folded, "Aiko@Fabrikam.example", "aiko@fabrikam.example"));
        assert!(same(Same::Phone, "+81 3 1234 5678", "+81-3-1234-5678"));
        assert!(Same::Text.holds(&Value::Null, &json!("")));
        assert!(!Same::Text.holds(&Value::Null, &json!("x")));
    }
}
