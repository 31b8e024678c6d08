//! A snapshot as a file: what the ledger keeps between runs, and what `review` is handed.

use serde::{Deserialize, Serialize};

use crate::model::tenant::{Marks, Snapshot};

/// Which format this is; a reader refuses any other.
pub const FORMAT: &str = "partnerctl/snapshot/v1";

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}

#[derive(Deserialize)]
struct Format {
    format: String,
}

/// Why a text is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotASnapshot {
    /// It is of another format, or of none.
    Format(Option<String>),
    Malformed(String),
}

impl std::fmt::Display for NotASnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Format(Some(format)) => {
                write!(f, "its format is {}, not {FORMAT}", super::super::error::shown(format))
            }
            Self::Format(None) => write!(f, "it does not say that its format is {FORMAT}"),
            Self::Malformed(cause) => f.write_str(cause),
        }
    }
}

impl std::error::Error for NotASnapshot {}

/// Writes a snapshot; the same one always makes the same bytes.
pub fn write(snapshot: &Snapshot) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Written { format: FORMAT, snapshot })
}

/// The same for whoever plans without the tenant: without what only the next reading of it needs,
/// links into the service's own memory above all.
pub fn write_for_others(snapshot: &Snapshot) -> Result<Vec<u8>, serde_json::Error> {
    write(&Snapshot { marks: Marks::default(), ..snapshot.clone() })
}

pub fn read(text: &[u8]) -> Result<Snapshot, NotASnapshot> {
    let format = serde_json::from_slice::<Format>(text).map_err(|_| NotASnapshot::Format(None))?;
    if format.format != FORMAT {
        return Err(NotASnapshot::Format(Some(format.format)));
    }
    serde_json::from_slice(text).map_err(|error| NotASnapshot::Malformed(error.to_string()))
}
