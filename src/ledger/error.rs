//! What can go wrong with the ledger: a variant for each thing a person would do differently.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::lease::Holder;
use crate::model::record::ObjectKey;

/// What the driver said; shared, because one failed flush answers everybody who waited for it.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Why the ledger did not do what it was asked for.
#[derive(Debug, Clone)]
pub enum LedgerError {
    /// There is none at that place, and nobody asked for a new one.
    Missing { place: String },
    /// It cannot be reached; whether what was under way is written is unknown.
    Unavailable { place: String, cause: Cause },
    /// What is there is not a ledger.
    NotALedger { place: String, cause: Option<Cause> },
    /// A newer partnerctl wrote it.
    NewerVersion { found: i64, known: i64 },
    /// It can be read, not written.
    ReadOnly { place: String, cause: Cause },
    /// Nothing more can be written where it is kept.
    DiskFull { place: String, cause: Cause },
    /// Another run holds the lease, or held it so lately that requests of its may be under way.
    Held(Box<Holder>),
    /// The lease is no longer ours; who has it now, if anybody.
    LeaseLost { now: Option<Box<Holder>> },
    /// The lease is ours and ends too soon for a request to be over before.
    LeaseTooShort { until: Timestamp },
    /// Another estate, or another name in this one, manages the object.
    ManagedElsewhere { object: ObjectKey, estate: String, managed_as: ObjectKey },
    /// What was said of something that the ledger does not know.
    Unknown { what: String },
    /// It is known already, otherwise than it is said now.
    Contradiction { what: String },
    /// The history is not as it was written.
    CorruptChain { entry: i64, why: &'static str },
    /// A record cannot be read back.
    Damaged { what: String },
    /// The store refused for a reason that has no word here.
    Store { place: String, cause: Cause },
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { place } => write!(f, "there is no ledger at {place}"),
            Self::Unavailable { place, .. } => write!(f, "the ledger at {place} cannot be reached"),
            Self::NotALedger { place, .. } => {
                write!(f, "what is kept at {place} is not a ledger")
            }
            Self::NewerVersion { found, known } => write!(
                f,
                "the ledger is of version {found}, this partnerctl knows {known}: use a newer partnerctl"
            ),
            Self::ReadOnly { place, .. } => write!(f, "the ledger at {place} cannot be written to"),
            Self::DiskFull { place, .. } => write!(
                f,
                "nothing more can be written at {place}: the disk is full, a quota or a file size limit is reached, or it fails"
            ),
            Self::Held(holder) => write!(f, "another run holds the ledger: {holder}"),
            Self::LeaseLost { now: Some(holder) } => {
                write!(f, "this run no longer holds the ledger, another does: {holder}")
            }
            Self::LeaseLost { now: None } => write!(f, "this run no longer holds the ledger"),
            Self::LeaseTooShort { until } => write!(
                f,
                "the lease ends at {until}, before a request sent now would surely be over"
            ),
            Self::ManagedElsewhere { object, estate, managed_as } => {
                write!(f, "`{object}` is managed by the estate `{estate}` already")?;
                if managed_as != object {
                    write!(f, ", as `{managed_as}`")?;
                }
                Ok(())
            }
            Self::Unknown { what } => write!(f, "the ledger knows no {what}"),
            Self::Contradiction { what } => write!(f, "the ledger says otherwise of {what}"),
            Self::CorruptChain { entry, why } => {
                write!(f, "the history was changed: entry {entry} {why}")
            }
            Self::Damaged { what } => write!(f, "the ledger is damaged: {what}"),
            Self::Store { place, .. } => write!(f, "the ledger at {place} failed"),
        }
    }
}

impl Error for LedgerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable { cause, .. }
            | Self::ReadOnly { cause, .. }
            | Self::DiskFull { cause, .. }
            | Self::Store { cause, .. }
            | Self::NotALedger { cause: Some(cause), .. } => Some(cause),
            Self::NotALedger { cause: None, .. }
            | Self::Missing { .. }
            | Self::NewerVersion { .. }
            | Self::Held(_)
            | Self::LeaseLost { .. }
            | Self::LeaseTooShort { .. }
            | Self::ManagedElsewhere { .. }
            | Self::Unknown { .. }
            | Self::Contradiction { .. }
            | Self::CorruptChain { .. }
            | Self::Damaged { .. } => None,
        }
    }
}

impl LedgerError {
    /// Whether it may have been written all the same, so that it must not be tried again blindly.
    pub(super) fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
