//! The tables, version by version.
//!
//! A migration is never changed once it is released; the next one changes what it made. All that
//! are missing run in one transaction, and only one process runs them.

use rand::random;
use uuid::Builder;

use super::Opening;
use super::error::LedgerError;
use super::postgres::Postgres;
use super::session::{Purpose, Session};
use super::sqlite::Sqlite;

// The words in which the two stores differ; each puts its own.
pub(super) const ROW_ID: &str = "ROW_ID";
pub(super) const NOW: &str = "DATABASE_TIME";
pub(super) const KEY: &str = "KEY_TEXT";
pub(super) const STRICT: &str = "STRICT_TYPES";

const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_ledger.sql")];

/// The version that this program writes.
#[expect(clippy::cast_possible_wrap, reason = "there are a handful")]
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Any number, as long as it stays: who holds this lock migrates.
///
/// Taken before the transaction: only its start makes what others made meanwhile known.
const LOCK: &str = "SELECT pg_advisory_lock(5788302714)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(5788302714)";

/// Brings the tables to this version, or says why not; returns the ledger's id.
pub(super) async fn prepare(
    session: &mut Session,
    opening: Opening,
) -> Result<String, LedgerError> {
    // Most runs find everything in place and write nothing.
    if let Some(id) = reading(session).await? {
        return Ok(id);
    }
    let Session::Postgres(_) = session else { return alone(session, opening).await };
    session.script(LOCK).await?;
    let id = alone(session, opening).await;
    session.script(UNLOCK).await?;
    id
}

async fn alone(session: &mut Session, opening: Opening) -> Result<String, LedgerError> {
    session.begin(Purpose::Write).await?;
    match migrate(session, opening).await {
        Ok(id) => {
            session.commit().await?;
            Ok(id)
        }
        Err(error) => {
            session.roll_back().await;
            Err(error)
        }
    }
}

async fn reading(session: &mut Session) -> Result<Option<String>, LedgerError> {
    session.begin(Purpose::Read).await?;
    let found = match version(session).await {
        Ok(Some(VERSION)) => id(session).await.map(Some),
        Ok(_) => Ok(None),
        Err(error) => Err(error),
    };
    session.roll_back().await;
    found
}

async fn id(session: &mut Session) -> Result<String, LedgerError> {
    session
        .one("SELECT ledger FROM identity WHERE id = 1", &[], |row| row.owned(0))
        .await?
        .ok_or_else(|| LedgerError::Damaged { what: "it has no id".to_owned() })
}

/// Which version is there; an error if it is newer than this program.
async fn version(session: &mut Session) -> Result<Option<i64>, LedgerError> {
    let exists = match session {
        Session::Sqlite(sqlite) => sqlite.holds(Some("ledger_version"))?,
        Session::Postgres(_) => session
            .one("SELECT (to_regclass('ledger_version') IS NOT NULL)::int::bigint", &[], |row| {
                row.flag(0)
            })
            .await?
            .unwrap_or(false),
    };
    if !exists {
        return Ok(None);
    }
    let found = session
        .one("SELECT version FROM ledger_version WHERE id = 1", &[], |row| row.integer(0))
        .await?
        .ok_or_else(|| LedgerError::Damaged { what: "it has no version".to_owned() })?;
    if found > VERSION {
        return Err(LedgerError::NewerVersion { found, known: VERSION });
    }
    Ok(Some(found))
}

async fn migrate(session: &mut Session, opening: Opening) -> Result<String, LedgerError> {
    // Another process may have been first.
    let found = version(session).await?;
    if found.is_none() {
        refuse_others(session, opening)?;
        if let Session::Postgres(postgres) = session {
            let schema = postgres.schema().to_owned();
            postgres.script(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
        }
    }
    let done = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
    for script in MIGRATIONS.iter().skip(done) {
        let script = match session {
            Session::Sqlite(_) => Sqlite::dialect(script),
            Session::Postgres(_) => Postgres::dialect(script),
        };
        session.script(&script).await?;
    }
    session
        .change("UPDATE ledger_version SET version = $1 WHERE id = 1", &[VERSION.into()])
        .await?;
    if found.is_none() {
        let id = Builder::from_random_bytes(random()).into_uuid().to_string();
        session
            .change("INSERT INTO identity (id, ledger) VALUES (1, $1)", &[id.as_str().into()])
            .await?;
    }
    id(session).await
}

/// Nobody's tables are mixed with ours, and nothing is made that nobody asked for.
fn refuse_others(session: &Session, opening: Opening) -> Result<(), LedgerError> {
    match session {
        Session::Sqlite(sqlite) if sqlite.holds(None)? => {
            Err(LedgerError::NotALedger { place: sqlite.place().to_string(), cause: None })
        }
        Session::Sqlite(sqlite) if opening == Opening::Existing => {
            Err(LedgerError::Missing { place: sqlite.place().to_string() })
        }
        Session::Postgres(postgres) if opening == Opening::Existing => {
            Err(LedgerError::Missing { place: postgres.place().to_string() })
        }
        _ => Ok(()),
    }
}
