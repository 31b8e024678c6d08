//! The ledger in a file.
//!
//! Write-ahead log and `synchronous=FULL`: what is committed survives the power. The file is for
//! its owner alone, and its companions take over its mode.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};

use super::error::LedgerError;
use super::session::{Row, Value};
use super::{Opening, schema};

/// How long another process may keep the file to itself.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Who changes the journal's mode while another opens the file is told at once that it is busy.
const WAL_TRIES: u32 = 200;
const WAL_DELAY: Duration = Duration::from_millis(25);
/// More than there are different statements.
const STATEMENTS: usize = 128;

pub(super) struct Sqlite {
    connection: Connection,
    place: Arc<str>,
}

impl Sqlite {
    /// Opens the file, and makes it if that was asked for.
    pub(super) fn open(path: &Path, opening: Opening) -> Result<Self, LedgerError> {
        let place: Arc<str> = path.display().to_string().into();
        match opening {
            Opening::Existing if !path.exists() => {
                return Err(LedgerError::Missing { place: place.to_string() });
            }
            Opening::Existing => {}
            Opening::Create => make(path).map_err(|error| not_made(&place, error))?,
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| refused(&place, error))?;
        let sqlite = Self { connection, place };
        sqlite.prepare().map_err(|error| refused(&sqlite.place, error))?;
        Ok(sqlite)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Otherwise a statement is prepared anew for each value that is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "trusted_schema", "OFF")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // macOS keeps what is synced in a cache otherwise.
        connection.pragma_update(None, "fullfsync", "ON")?;
        for _ in 0..WAL_TRIES {
            match write_ahead(connection) {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    thread::sleep(WAL_DELAY);
                }
                done => return done,
            }
        }
        write_ahead(connection)
    }

    /// Whether tables stand in the file, ours or others'.
    pub(super) fn holds(&self, table: Option<&str>) -> Result<bool, LedgerError> {
        let sql =
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND ($1 IS NULL OR name = $1)";
        let count: i64 = self
            .connection
            .query_row(sql, [table], |row| row.get(0))
            .map_err(|error| refused(&self.place, error))?;
        Ok(count > 0)
    }

    pub(super) fn place(&self) -> &Arc<str> {
        &self.place
    }

    pub(super) fn each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let place = &self.place;
        let refuse = |error| refused(place, error);
        let mut statement = self.connection.prepare_cached(sql).map_err(refuse)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(refuse)?;
        while let Some(row) = rows.next().map_err(refuse)? {
            take(&Row::Sqlite(row))?;
        }
        Ok(())
    }

    pub(super) fn change(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, LedgerError> {
        let refuse = |error| refused(&self.place, error);
        let mut statement = self.connection.prepare_cached(sql).map_err(refuse)?;
        let count = statement.execute(params_from_iter(values)).map_err(refuse)?;
        Ok(count as u64)
    }

    pub(super) fn script(&mut self, text: &str) -> Result<(), LedgerError> {
        self.connection.execute_batch(text).map_err(|error| refused(&self.place, error))
    }

    /// The words of the schema that differ from store to store.
    pub(super) fn dialect(script: &str) -> String {
        script
            .replace(schema::ROW_ID, "INTEGER PRIMARY KEY AUTOINCREMENT")
            .replace(schema::NOW, "CAST(unixepoch('subsec') * 1000 AS INTEGER)")
            .replace(schema::KEY, "TEXT")
            .replace(schema::STRICT, "STRICT")
            .replace("BIGINT", "INTEGER")
            .replace("BYTEA", "BLOB")
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Makes the folder and the file, both for their owner alone. SQLite would take the usual mode.
fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn not_made(place: &str, error: io::Error) -> LedgerError {
    use io::ErrorKind::{
        FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    let (place, kind, cause) = (place.to_owned(), error.kind(), Arc::new(error));
    match kind {
        PermissionDenied | ReadOnlyFilesystem => LedgerError::ReadOnly { place, cause },
        StorageFull | QuotaExceeded | FileTooLarge => LedgerError::DiskFull { place, cause },
        _ => LedgerError::Unavailable { place, cause },
    }
}

/// What SQLite's refusal means for the person.
pub(super) fn refused(place: &str, error: rusqlite::Error) -> LedgerError {
    use rusqlite::ffi::{
        SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE,
    };
    let (code, extended) = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => (Some(failure.code), failure.extended_code),
        _ => (None, 0),
    };
    let (place, cause) = (place.to_owned(), Arc::new(error));
    match code {
        // A quota and a limit on the size of files come as errors of writing.
        Some(ErrorCode::DiskFull) => LedgerError::DiskFull { place, cause },
        Some(ErrorCode::SystemIoFailure)
            if [
                SQLITE_IOERR_WRITE,
                SQLITE_IOERR_FSYNC,
                SQLITE_IOERR_SHMSIZE,
                SQLITE_IOERR_TRUNCATE,
            ]
            .contains(&extended) =>
        {
            LedgerError::DiskFull { place, cause }
        }
        Some(ErrorCode::ReadOnly) => LedgerError::ReadOnly { place, cause },
        // The file is there, so it is its companions that cannot be made.
        Some(ErrorCode::CannotOpen) if Path::new(&place).is_file() => {
            LedgerError::ReadOnly { place, cause }
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            LedgerError::NotALedger { place, cause: Some(cause) }
        }
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure,
        ) => LedgerError::Unavailable { place, cause },
        _ => LedgerError::Store { place, cause },
    }
}
