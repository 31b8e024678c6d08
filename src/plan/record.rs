//! What is remembered, as planning asks for it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Str;
use crate::model::metadata::{Metadata, OnRemoval};
use crate::model::name::Kind;
use crate::model::record::{
    ConfirmedAt, Json, Managed, ObjectKey, Origin, Recorded, Spent, WaitingSince,
};
use crate::model::scalar::Scalar;
use crate::model::tenant::RelationshipId;

/// All that is remembered of one estate.
#[derive(Debug, Clone, Default)]
pub struct Record {
    objects: BTreeMap<ObjectKey, Recorded>,
    /// What other estates manage: by kind and remote id, whose it is.
    elsewhere: BTreeMap<(Kind, Str), Str>,
    waiting: BTreeMap<(ObjectKey, String), WaitingSince>,
    confirmed: BTreeMap<(ObjectKey, String), ConfirmedAt>,
    pub spent: Spent,
}

impl Record {
    /// What an estate's ledger holds.
    pub fn of(
        estate: &str,
        objects: Vec<Recorded>,
        waiting: Vec<WaitingSince>,
        confirmed: Vec<ConfirmedAt>,
        spent: Spent,
    ) -> Self {
        let mut record = Self { spent, ..Self::default() };
        for object in objects {
            let managed = &object.managed;
            if managed.estate == estate {
                record.objects.insert(managed.key.clone(), object);
                continue;
            }
            let (kind, estate) = (managed.key.kind, &managed.estate);
            if kind == Kind::DelegatedAccess {
                for id in Applied::read(&managed.spec).relationships.into_keys() {
                    record.elsewhere.insert((kind, id.0.into()), estate.clone());
                }
            }
            if let Some(id) = &managed.remote_id {
                record.elsewhere.insert((kind, id.clone()), estate.clone());
            }
        }
        for one in waiting {
            let key = (one.waiting.object.clone(), one.waiting.step.clone());
            record.waiting.insert(key, one);
        }
        for one in confirmed {
            let key = (one.confirmation.object.clone(), one.confirmation.step.clone());
            record.confirmed.insert(key, one);
        }
        record
    }

    pub fn object(&self, key: &ObjectKey) -> Option<&Recorded> {
        self.objects.get(key)
    }

    pub fn objects(&self) -> impl Iterator<Item = (&ObjectKey, &Recorded)> {
        self.objects.iter()
    }

    /// All of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&ObjectKey, &Recorded)> {
        let first = ObjectKey::new(kind, "");
        self.objects.range(first..).take_while(move |(key, _)| key.kind == kind)
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The object of a document: under its name, or under one that it had before.
    pub fn known(&self, kind: Kind, metadata: &Metadata) -> Option<&Recorded> {
        let now = self.objects.get(&ObjectKey::new(kind, metadata.name.as_str()));
        now.or_else(|| {
            metadata
                .formerly
                .iter()
                .find_map(|name| self.objects.get(&ObjectKey::new(kind, name.as_str())))
        })
    }

    /// Which other estate manages something.
    pub fn managed_elsewhere(&self, kind: Kind, remote_id: &str) -> Option<&str> {
        self.elsewhere.get(&(kind, remote_id.into())).map(Str::as_str)
    }

    pub fn waiting(&self, object: &ObjectKey, step: &str) -> Option<&WaitingSince> {
        self.waiting.get(&(object.clone(), step.to_owned()))
    }

    pub fn all_waiting(&self) -> impl Iterator<Item = &WaitingSince> {
        self.waiting.values()
    }

    /// The last word on a person's step, if it was about this very value.
    pub fn is_confirmed(&self, object: &ObjectKey, step: &str, what: &str) -> bool {
        self.confirmed
            .get(&(object.clone(), step.to_owned()))
            .is_some_and(|last| last.confirmation.what == what)
    }
}

/// What was last applied to an object, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Applied {
    /// By path; a list for what is a set.
    pub fields: BTreeMap<String, Value>,
    /// Elements of sets that a step of ours gave: `spec.agent:admin`. Only these are taken back when
    /// the document goes away.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub granted: BTreeSet<String>,
    /// Made, and it is not known that somebody was handed its one-time password.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owes_password: bool,
    /// What the document said should become of the object without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_removal: Option<String>,
    /// Delegated access: the relationships by which it is given, the next one beside the present one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub relationships: BTreeMap<RelationshipId, Hold>,
    /// The highest number in their names: a name stays taken long after its relationship.
    #[serde(skip_serializing_if = "is_zero")]
    pub generation: u32,
}

/// By what a seat of delegated access is held.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeldBy {
    /// Those that are not over, and how each became ours.
    #[schemars(with = "BTreeMap<String, Hold>")]
    pub relationships: BTreeMap<RelationshipId, Hold>,
    /// The one in which groups have what is declared. What becomes of another one beside it says
    /// nothing of what was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub main: Option<RelationshipId>,
}

/// What there is to remember of a plan beside its steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Remains {
    /// What is neither as declared nor to be forgotten, whatever comes of the steps.
    pub open: BTreeSet<ObjectKey>,
    /// Each seat of delegated access that is declared, open or not.
    pub seats: BTreeMap<ObjectKey, SeatNow>,
}

/// What is true of a seat now: remembered at once, even while it is not wholly as declared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeatNow {
    pub relationships: BTreeMap<RelationshipId, Hold>,
    /// Fields that are as declared.
    pub fields: BTreeMap<String, Value>,
}

/// How a relationship became ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    Made,
    Adopted,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Applied {
    /// As it is kept; what cannot be read is as if nothing was known.
    pub fn read(json: &Json) -> Self {
        json.read().unwrap_or_default()
    }

    pub fn to_json(&self) -> Result<Json, serde_json::Error> {
        Json::of(self)
    }

    pub fn on_removal(&self) -> OnRemoval {
        let word = self.on_removal.as_deref();
        word.and_then(|word| OnRemoval::parse(word).ok()).unwrap_or(OnRemoval::Release)
    }

    pub fn has(&self, path: &str, element: &Value) -> bool {
        match self.fields.get(path) {
            Some(Value::Array(elements)) => elements.contains(element),
            Some(value) => value == element,
            None => false,
        }
    }
}

/// How an element of a set is remembered.
pub fn element(path: &str, element: &str) -> String {
    format!("{path}:{element}")
}

/// Whether something was made here, and so may be deleted.
pub fn is_ours(managed: &Managed) -> bool {
    managed.origin == Origin::Made
}
