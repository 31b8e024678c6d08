//! JSON that the ledger keeps for others and does not look into.

use serde::de::DeserializeOwned;

use super::error::LedgerError;

impl From<serde_json::Error> for LedgerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged { what: format!("not the JSON that was kept: {error}") }
    }
}

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, LedgerError> {
    Ok(serde_json::from_str(text)?)
}
