//! JSON that the ledger keeps for others and does not look into.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::LedgerError;

/// A JSON text. It is read when somebody wants to know what is in it, and no sooner: most of what
/// a run loads it never looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    pub fn of(value: &impl Serialize) -> Result<Self, LedgerError> {
        match serde_json::to_string(value) {
            Ok(text) => Ok(Self(text.into())),
            Err(error) => Err(LedgerError::Damaged { what: format!("not JSON: {error}") }),
        }
    }

    pub fn read<T: DeserializeOwned>(&self) -> Result<T, LedgerError> {
        read(&self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it came from the store.
    pub(super) fn stored(text: &str) -> Self {
        Self(text.into())
    }
}

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|error| LedgerError::Damaged {
        what: format!("not the JSON that was kept: {error}"),
    })
}
