//! What we remember between runs: what we manage, whom we wait for, what was confirmed and spent.
//!
//! Plain values; the ledger keeps them, and planning reads them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Str;
use super::name::Kind;

/// Which object. For delegated access, of which one document makes many, the name is
/// `template/customer`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    pub kind: Kind,
    pub name: Str,
}

impl ObjectKey {
    pub fn new(kind: Kind, name: impl Into<Str>) -> Self {
        Self { kind, name: name.into() }
    }

    /// The customer that it is about, if it is about one.
    pub fn customer(&self) -> Option<&str> {
        match self.kind {
            Kind::Customer => Some(&self.name),
            Kind::DelegatedAccess => self.name.split_once('/').map(|(_, customer)| customer),
            _ => None,
        }
    }

    /// Reads `kind/name`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        let kind = Kind::from_kebab(kind)?;
        (!name.is_empty()).then(|| Self::new(kind, name))
    }
}

impl Serialize for ObjectKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not `kind/name`"))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.kebab(), self.name)
    }
}

/// How an object became managed. Only what was made here may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Made,
    Adopted,
}

/// What a field was sent as, and what the service made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub sent: serde_json::Value,
    pub returned: serde_json::Value,
}

/// A managed object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    pub key: ObjectKey,
    /// Which estate manages it.
    pub estate: Str,
    /// Binds once it is known.
    pub remote_id: Option<Str>,
    pub origin: Origin,
    /// As it was last applied.
    pub spec: Json,
    /// By the path of the field; those that the service returns as they were sent need no entry.
    pub exchanges: BTreeMap<String, Exchange>,
    pub is_protected: bool,
    /// Names that it had, the latest last.
    pub formerly: Vec<Str>,
    /// In which run it was last written; none where nothing was sent.
    pub run: Option<Str>,
}

impl Managed {
    /// Whether a live value is what the service makes of the declared one.
    pub fn is_rewriting(
        &self,
        path: &str,
        declared: &serde_json::Value,
        live: &serde_json::Value,
    ) -> bool {
        self.exchanges
            .get(path)
            .is_some_and(|Exchange { sent, returned }| sent == declared && returned == live)
    }
}

/// A managed object, and when it was recorded by the database's time: a contradictory read shortly
/// after may be the service's lag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub managed: Managed,
    pub at: Timestamp,
}

/// What a step costs of the limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    pub removals: u32,
    pub privileged_grants: u32,
    pub irreversible: u32,
    /// Which customer is touched, if one is.
    pub customer: Option<String>,
}

/// What was spent of the limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    pub removals: u64,
    pub privileged_grants: u64,
    pub irreversible: u64,
    pub customers_touched: u64,
}

/// Something that a person has to do: an invitation to accept, a setting in the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub object: ObjectKey,
    /// What `confirm` takes.
    pub step: String,
    /// Whom it waits for.
    pub awaiting: String,
    pub link: Option<String>,
    pub instructions: Option<String>,
    pub until: Option<Timestamp>,
}

/// The same, and since when by the database's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingSince {
    pub waiting: Waiting,
    pub since: Timestamp,
}

/// A person says that a step is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub object: ObjectKey,
    pub step: String,
    /// The declared value that was confirmed, or its digest: another one is not.
    pub what: String,
    pub who: String,
}

/// The same, and when by the database's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedAt {
    pub confirmation: Confirmation,
    pub at: Timestamp,
}

/// A JSON text. It is read when somebody wants to know what is in it, and no sooner: most of what
/// a run loads it never looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self(text.into()))
    }

    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it came from a store.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }
}
