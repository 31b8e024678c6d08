//! What the tenant remembers: documents of many kinds in one `SQLite` database.
//!
//! A document is a kind, an id, a JSON body and keys. Keys are what it is found by and listed in
//! order of, so that no request ever reads all of a hundred thousand customers; a document that
//! leaves a key out is not in that list. Every write gets the next number of one sequence, which is
//! what changes are followed by. Deleted documents stay until they are purged, and a purged one
//! leaves its id in the sequence.

mod dump;
mod lag;
mod read;
mod schema;
mod write;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use dump::Dump;
pub(crate) use lag::{Lag, with_lag};
pub(crate) use read::{Change, Found, Mark, Page, Range, Read, Scan};
pub(crate) use write::Write;

/// What the store could not do: a bug of ours, or the disk.
#[derive(Debug)]
pub enum StoreError {
    Database(rusqlite::Error),
    /// A body that does not fit its type any more.
    Body {
        kind: &'static str,
        source: serde_json::Error,
    },
    /// Something that every tenant has.
    Missing(&'static str),
    /// A key for signing that could not be made or used.
    Key(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(_) => f.write_str("the tenant's database"),
            Self::Body { kind, .. } => write!(f, "a stored {kind} cannot be read"),
            Self::Missing(what) => write!(f, "the store holds no {what}"),
            Self::Key(what) => write!(f, "the tenant's signing key: {what}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(source) => Some(source),
            Self::Body { source, .. } => Some(source),
            Self::Missing(_) | Self::Key(_) => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Database(source)
    }
}

/// Something that is kept.
pub(crate) trait Document: Serialize + DeserializeOwned {
    /// Unique among all documents' kinds.
    const KIND: &'static str;

    fn id(&self) -> &str;

    /// What it is found by and listed in order of: a name, and a value already folded for
    /// comparison. One name may stand several times.
    fn keys(&self) -> Vec<(&'static str, String)>;
}

/// The database. One connection: requests are short, and `SQLite` has one writer anyway.
pub(crate) struct Store {
    connection: Mutex<Connection>,
    in_memory: bool,
}

impl Store {
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        Self::over(Connection::open_in_memory()?, true)
    }

    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        // A command may look while a server runs on the same file.
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // It is a demonstration: what a power cut costs is worth less than a disk flush per request.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Self::over(connection, false)
    }

    fn over(connection: Connection, in_memory: bool) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(64);
        schema::prepare(&connection)?;
        Ok(Self { connection: Mutex::new(connection), in_memory })
    }

    /// Whether it ends with the process.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Looks at one moment of the tenant.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(StoreError::from)?;
        work(&Read::new(&transaction, lag::current())?)
    }

    /// Changes the tenant, or leaves it as it was when the work ends with an error.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let done = work(&Write::new(&transaction)?)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(done)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that was cut off by a panic was rolled back when it was dropped.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
