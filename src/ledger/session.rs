//! One connection to a store, of either kind, as the rest of the ledger sees it.
//!
//! SQL is written once, in what both understand. Parameters are `$1, $2, ...`, and each number
//! first stands after all smaller ones: SQLite counts them as they come. Times are milliseconds
//! since 1970 and come from the view `clock`, which asks the database.

use jiff::Timestamp;

use super::error::LedgerError;
use super::postgres::Postgres;
use super::sqlite::Sqlite;

/// A statement, as each of the two wants it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }
}

/// What a statement is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_millisecond())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a statement gives back, borrowed from the driver.
pub(super) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    pub(super) fn integer(&self, at: usize) -> Result<i64, LedgerError> {
        self.maybe_integer(at)?.ok_or_else(|| absent(at))
    }

    pub(super) fn maybe_integer(&self, at: usize) -> Result<Option<i64>, LedgerError> {
        match self {
            Self::Sqlite(row) => row.get(at).map_err(|error| unreadable(at, &error)),
            Self::Postgres(row) => row.try_get(at).map_err(|error| unreadable(at, &error)),
        }
    }

    pub(super) fn text(&self, at: usize) -> Result<&str, LedgerError> {
        self.maybe_text(at)?.ok_or_else(|| absent(at))
    }

    pub(super) fn maybe_text(&self, at: usize) -> Result<Option<&str>, LedgerError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(at).map_err(|error| unreadable(at, &error))?;
                value.as_str_or_null().map_err(|error| unreadable(at, &error))
            }
            Self::Postgres(row) => row.try_get(at).map_err(|error| unreadable(at, &error)),
        }
    }

    pub(super) fn bytes(&self, at: usize) -> Result<&[u8], LedgerError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(at).map_err(|error| unreadable(at, &error))?;
                value.as_blob().map_err(|error| unreadable(at, &error))
            }
            Self::Postgres(row) => row.try_get(at).map_err(|error| unreadable(at, &error)),
        }
    }

    pub(super) fn flag(&self, at: usize) -> Result<bool, LedgerError> {
        Ok(self.integer(at)? != 0)
    }

    pub(super) fn owned(&self, at: usize) -> Result<String, LedgerError> {
        Ok(self.text(at)?.to_owned())
    }

    pub(super) fn maybe_owned(&self, at: usize) -> Result<Option<String>, LedgerError> {
        Ok(self.maybe_text(at)?.map(str::to_owned))
    }

    pub(super) fn time(&self, at: usize) -> Result<Timestamp, LedgerError> {
        time(self.integer(at)?)
    }

    pub(super) fn maybe_time(&self, at: usize) -> Result<Option<Timestamp>, LedgerError> {
        self.maybe_integer(at)?.map(time).transpose()
    }
}

pub(super) fn time(milliseconds: i64) -> Result<Timestamp, LedgerError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| LedgerError::Damaged { what: format!("{milliseconds} is not a time") })
}

fn absent(at: usize) -> LedgerError {
    LedgerError::Damaged { what: format!("column {at} holds nothing") }
}

fn unreadable(at: usize, error: &dyn std::error::Error) -> LedgerError {
    LedgerError::Damaged { what: format!("column {at}: {error}") }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// One connection. Whoever uses it stands in a transaction already.
pub(super) enum Session {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

impl Session {
    /// Gives each row to a function, as it comes.
    pub(super) async fn each(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let sql = sql.into();
        match self {
            Self::Sqlite(sqlite) => sqlite.each(sql.sqlite, values, &mut take),
            Self::Postgres(postgres) => postgres.each(sql.postgres, values, &mut take).await,
        }
    }

    /// All rows, read into values.
    pub(super) async fn all<T>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, LedgerError>,
    ) -> Result<Vec<T>, LedgerError> {
        let mut all = Vec::new();
        self.each(sql, values, |row| {
            all.push(read(row)?);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// The first row, if there is one.
    pub(super) async fn one<T>(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, LedgerError>,
    ) -> Result<Option<T>, LedgerError> {
        let mut found = None;
        self.each(sql, values, |row| {
            if found.is_none() {
                found = Some(read(row)?);
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Changes something; how many rows.
    pub(super) async fn change(
        &mut self,
        sql: impl Into<Sql>,
        values: &[Value<'_>],
    ) -> Result<u64, LedgerError> {
        let sql = sql.into();
        match self {
            Self::Sqlite(sqlite) => sqlite.change(sql.sqlite, values),
            Self::Postgres(postgres) => postgres.change(sql.postgres, values).await,
        }
    }

    /// Several statements that take nothing and give nothing.
    pub(super) async fn script(&mut self, text: &str) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.script(text),
            Self::Postgres(postgres) => postgres.script(text).await,
        }
    }

    /// The time of the database.
    pub(super) async fn now(&mut self) -> Result<Timestamp, LedgerError> {
        self.one("SELECT now FROM clock", &[], |row| row.time(0))
            .await?
            .ok_or_else(|| LedgerError::Damaged { what: "the clock is gone".to_owned() })
    }

    pub(super) async fn begin(&mut self, purpose: Purpose) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.script(match purpose {
                Purpose::Read => "BEGIN DEFERRED",
                Purpose::Write => "BEGIN IMMEDIATE",
            }),
            Self::Postgres(postgres) => {
                postgres.ensure_connected().await?;
                postgres
                    .script(match purpose {
                        Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                        // Not `READ WRITE`: where the server, the database or the role is read-only,
                        // that is somebody's will, or a standby.
                        Purpose::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
                    })
                    .await
            }
        }
    }

    pub(super) async fn commit(&mut self) -> Result<(), LedgerError> {
        self.script("COMMIT").await
    }

    /// Undoes what is under way. That it fails says nothing new: the store does it by itself then.
    pub(super) async fn roll_back(&mut self) {
        if let Err(error) = self.script("ROLLBACK").await {
            tracing::debug!(%error, "nothing to roll back");
        }
    }
}
