//! Values of a scene, and what is simpler than each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cedar_policy::{EntityUid, EvalResult, RestrictedExpression};

use crate::policy::world::{Type, Value, World};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lit {
    Bool(bool),
    Long(i64),
    Text(String),
    One(EntityUid),
    Set(BTreeSet<Lit>),
    Record(BTreeMap<String, Lit>),
}

impl Lit {
    pub(super) fn of(value: &EvalResult) -> Option<Self> {
        Some(match value {
            EvalResult::Bool(value) => Self::Bool(*value),
            EvalResult::Long(value) => Self::Long(*value),
            EvalResult::String(value) => Self::Text(value.clone()),
            EvalResult::EntityUid(uid) => Self::One(uid.clone()),
            EvalResult::Set(set) => Self::Set(set.iter().map(Self::of).collect::<Option<_>>()?),
            EvalResult::Record(record) => Self::Record(
                record
                    .iter()
                    .map(|(key, value)| Some((key.clone(), Self::of(value)?)))
                    .collect::<Option<_>>()?,
            ),
            EvalResult::ExtensionValue(_) => return None,
        })
    }

    pub(super) fn cedar(&self) -> Option<RestrictedExpression> {
        Some(match self {
            Self::Bool(value) => RestrictedExpression::new_bool(*value),
            Self::Long(value) => RestrictedExpression::new_long(*value),
            Self::Text(value) => RestrictedExpression::new_string(value.clone()),
            Self::One(uid) => RestrictedExpression::new_entity_uid(uid.clone()),
            Self::Set(set) => RestrictedExpression::new_set(
                set.iter().map(Self::cedar).collect::<Option<Vec<_>>>()?,
            ),
            Self::Record(record) => RestrictedExpression::new_record(expressions(record)?).ok()?,
        })
    }

    /// What is ordinary for a value of this kind.
    pub(super) fn ordinary(ty: Type, name: &str) -> Option<Self> {
        static USUAL: LazyLock<World> = LazyLock::new(World::empty_handed);
        // Whoever makes up an ordinary world has no role to make up.
        match (ty, name) {
            (Type::Role, "family") => return Some(Self::Text("custom".to_owned())),
            (Type::Role, "privileged") => return Some(Self::Bool(false)),
            _ => {}
        }
        let shape = USUAL.shape_of(&World::supposed(ty)).and_then(|id| USUAL.shape(id))?;
        let (_, value) = shape.attributes.iter().find(|(attribute, _)| *attribute == name)?;
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Long(value) => Self::Long(*value),
            Value::Text(value) => Self::Text(value.to_string()),
            Value::One(uid) => Self::One(uid.cedar()),
            Value::Set(_) | Value::Texts(_) => Self::Set(BTreeSet::new()),
        })
    }

    pub(super) fn entities(&self) -> Vec<&EntityUid> {
        match self {
            Self::Bool(_) | Self::Long(_) | Self::Text(_) => Vec::new(),
            Self::One(uid) => vec![uid],
            Self::Set(set) => set.iter().flat_map(Self::entities).collect(),
            Self::Record(record) => record.values().flat_map(Self::entities).collect(),
        }
    }

    /// Values that are simpler, the simplest first.
    pub(super) fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Set(set) if !set.is_empty() => {
                let without = set.iter().map(|item| {
                    Self::Set(set.iter().filter(|other| *other != item).cloned().collect())
                });
                [Self::Set(BTreeSet::new())].into_iter().chain(without).collect()
            }
            Self::Record(record) => simpler(record).into_iter().map(Self::Record).collect(),
            Self::Bool(true) => vec![Self::Bool(false)],
            Self::Text(text) if text != "update" => vec![Self::Text("update".to_owned())],
            _ => Vec::new(),
        }
    }
}

/// Records with a key less, or with a simpler value.
pub(super) fn simpler(record: &BTreeMap<String, Lit>) -> Vec<BTreeMap<String, Lit>> {
    let mut found = Vec::new();
    for key in record.keys() {
        let mut less = record.clone();
        less.remove(key);
        found.push(less);
    }
    for (key, value) in record {
        for value in value.simpler() {
            let mut less = record.clone();
            less.insert(key.clone(), value);
            found.push(less);
        }
    }
    found
}

pub(super) fn expressions(
    record: &BTreeMap<String, Lit>,
) -> Option<Vec<(String, RestrictedExpression)>> {
    record.iter().map(|(key, value)| Some((key.clone(), value.cedar()?))).collect()
}
