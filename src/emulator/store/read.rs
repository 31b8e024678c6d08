//! Looking things up, within one transaction.

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::lag::Lag;
use super::{Document, StoreError, from_micros};
use crate::emulator::clock;

/// How far the tenant is ahead of the machine, in seconds.
pub(super) const CLOCK_OFFSET: &str = "clock-offset";

/// One moment of the tenant.
pub(crate) struct Read<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    now: Timestamp,
    lag: Lag,
}

/// A document and what the store knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Found<D> {
    pub document: D,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    /// The number of the write that made it what it is.
    pub seq: i64,
}

impl<D> Deref for Found<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.document
    }
}

/// A place in a list: after this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct Mark {
    pub value: String,
    pub id: String,
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Range<'a> {
    All,
    Equals(&'a str),
    Prefix(&'a str),
    /// From the first on, up to the second, which is not in it.
    Between(&'a str, &'a str),
}

/// A page of a list, by one key.
#[derive(Debug, Clone)]
pub(crate) struct Scan<'a> {
    pub key: &'a str,
    pub range: Range<'a>,
    pub after: Option<Mark>,
    pub limit: usize,
    /// Of deleted documents instead of living ones.
    pub deleted: bool,
    /// From the end to the beginning.
    pub backwards: bool,
}

impl<'a> Scan<'a> {
    /// All that have a key, in order of it.
    pub(crate) fn all(key: &'a str) -> Self {
        Self {
            key,
            range: Range::All,
            after: None,
            limit: usize::MAX,
            deleted: false,
            backwards: false,
        }
    }

    pub(crate) fn equals(key: &'a str, value: &'a str) -> Self {
        Self { range: Range::Equals(value), ..Self::all(key) }
    }

    pub(crate) fn prefix(key: &'a str, value: &'a str) -> Self {
        Self { range: Range::Prefix(value), ..Self::all(key) }
    }

    pub(crate) fn after(self, after: Option<Mark>) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    pub(crate) fn deleted(self) -> Self {
        Self { deleted: true, ..self }
    }

    pub(crate) fn backwards(self) -> Self {
        Self { backwards: true, ..self }
    }
}

/// What a scan found.
#[derive(Debug)]
pub(crate) struct Page<D> {
    pub items: Vec<Found<D>>,
    /// Where the next page begins, if there is more.
    pub next: Option<Mark>,
}

/// One thing that changed.
#[derive(Debug)]
pub(crate) enum Change<D> {
    /// It is so now.
    Now(Found<D>),
    /// It was deleted, and can be restored.
    Deleted(Found<D>),
    /// It is gone for good.
    Purged { id: String, seq: i64 },
}

const COLUMNS: &str =
    "o.body, o.created_at, o.deleted_at, o.seq, o.before, o.written_at, o.before_seq";

impl<'a> Read<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, lag: Lag) -> Result<Self, StoreError> {
        let mut read = Self { transaction, now: clock::machine_now(), lag };
        let offset: i64 = read.setting(CLOCK_OFFSET)?.unwrap_or_default();
        read.now = clock::ahead(read.now, SignedDuration::from_secs(offset));
        Ok(read)
    }

    /// The tenant's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// A living document by its id.
    pub(crate) fn get<D: Document>(&self, id: &str) -> Result<Option<Found<D>>, StoreError> {
        Ok(self.get_any(id)?.filter(|found| found.deleted_at.is_none()))
    }

    /// A document by its id, deleted ones too.
    pub(crate) fn get_any<D: Document>(&self, id: &str) -> Result<Option<Found<D>>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM objects o WHERE kind = ?1 AND id = ?2 AND body IS NOT NULL"
        );
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let mut rows = statement.query(params![D::KIND, id])?;
        match rows.next()? {
            Some(row) => self.found(row),
            None => Ok(None),
        }
    }

    /// The first living document with a value of a key.
    pub(crate) fn find<D: Document>(
        &self,
        key: &str,
        value: &str,
    ) -> Result<Option<Found<D>>, StoreError> {
        Ok(self.scan(&Scan::equals(key, value).limit(1))?.items.pop())
    }

    /// All living documents with a value of a key: for lists that are short by nature.
    pub(crate) fn with<D: Document>(
        &self,
        key: &str,
        value: &str,
    ) -> Result<Vec<Found<D>>, StoreError> {
        Ok(self.scan(&Scan::equals(key, value))?.items)
    }

    /// A page of a list.
    pub(crate) fn scan<D: Document>(&self, scan: &Scan<'_>) -> Result<Page<D>, StoreError> {
        let (from, to) = bounds(&scan.range);
        let (order, beyond) = match (scan.backwards, self.lag.shifted) {
            (false, false) => ("ASC", ">"),
            (false, true) => ("ASC", ">="),
            (true, false) => ("DESC", "<"),
            (true, true) => ("DESC", "<="),
        };
        let after = scan.after.as_ref();
        let resume = if after.is_some() {
            format!("AND (k.value, k.id) {beyond} (?5, ?6)")
        } else {
            "AND ?5 IS ?6".to_owned()
        };
        // One more than wanted tells whether there is a next page.
        let limit = i64::try_from(scan.limit.saturating_add(1)).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS}, k.value, k.id FROM keys k \
             JOIN objects o ON o.kind = k.kind AND o.id = k.id \
             WHERE k.kind = ?1 AND k.name = ?2 AND k.deleted = ?7 \
             AND k.value >= ?3 AND k.value < ?4 {resume} \
             ORDER BY k.value {order}, k.id {order} LIMIT ?8"
        );
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let mut rows = statement.query(params![
            D::KIND,
            scan.key,
            from,
            to,
            after.map(|mark| &mark.value),
            after.map(|mark| &mark.id),
            scan.deleted,
            limit,
        ])?;
        let mut page = Page { items: Vec::new(), next: None };
        let (mut last, mut seen) = (None, 0);
        while let Some(row) = rows.next()? {
            if seen == scan.limit {
                page.next = last;
                break;
            }
            // What lags behind takes no place in its page, which is then shorter.
            page.items.extend(self.found(row)?);
            seen += 1;
            last = Some(Mark { value: row.get(7)?, id: row.get(8)? });
        }
        Ok(page)
    }

    /// How many living documents have a key within a range.
    pub(crate) fn count<D: Document>(
        &self,
        key: &str,
        range: &Range<'_>,
    ) -> Result<u64, StoreError> {
        let (from, to) = bounds(range);
        let sql = "SELECT count(*) FROM keys WHERE kind = ?1 AND name = ?2 AND deleted = 0 AND value >= ?3 AND value < ?4";
        let count: i64 = self
            .transaction
            .prepare_cached(sql)?
            .query_row(params![D::KIND, key, from, to], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// What changed after a number of the sequence, oldest first.
    pub(crate) fn changes<D: Document>(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Change<D>>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, o.id FROM objects o WHERE o.kind = ?1 AND o.seq > ?2 ORDER BY o.seq LIMIT ?3"
        );
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![D::KIND, after, limit])?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            let body: Option<String> = row.get(0)?;
            let change = match (body, self.found::<D>(row)?) {
                (None, _) => Change::Purged { id: row.get(7)?, seq: row.get(3)? },
                (Some(_), Some(found)) if found.deleted_at.is_some() => Change::Deleted(found),
                (Some(_), Some(found)) => Change::Now(found),
                // What lags is told by a later question, which begins before it.
                (Some(_), None) => break,
            };
            changes.push(change);
        }
        Ok(changes)
    }

    /// The number of the last write.
    pub(crate) fn last_seq(&self) -> Result<i64, StoreError> {
        self.counter("seq")
    }

    pub(super) fn counter(&self, name: &str) -> Result<i64, StoreError> {
        let value = self
            .transaction
            .prepare_cached("SELECT value FROM counters WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(value.unwrap_or_default())
    }

    /// Something of which there is one.
    pub(crate) fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self
            .transaction
            .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|source| StoreError::Body { kind: "setting", source })
    }

    /// The log from a number on, oldest first.
    pub(crate) fn log(&self, after: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT seq, entry FROM log WHERE seq > ?1 ORDER BY seq")?;
        let rows = statement.query_map([after], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A document as this request sees it.
    fn found<D: Document>(&self, row: &Row<'_>) -> Result<Option<Found<D>>, StoreError> {
        let mut body: Option<String> = row.get(0)?;
        let mut seq = row.get(3)?;
        if let Some(behind) = self.lag.behind {
            let written_at = from_micros(row.get(5)?);
            if self.now.duration_since(written_at) < behind {
                body = row.get(4)?;
                // With the number that it had, or its tag would be that of what is not seen.
                seq = row.get::<_, Option<i64>>(6)?.unwrap_or(seq);
            }
        }
        let Some(body) = body else { return Ok(None) };
        let document = serde_json::from_str(&body)
            .map_err(|source| StoreError::Body { kind: D::KIND, source })?;
        let deleted_at: Option<i64> = row.get(2)?;
        Ok(Some(Found {
            document,
            created_at: from_micros(row.get(1)?),
            deleted_at: deleted_at.map(from_micros),
            seq,
        }))
    }
}

/// The least value of a range, and the least beyond it.
fn bounds(range: &Range<'_>) -> (String, String) {
    // Sorts after everything that is valid text.
    const LAST: char = char::MAX;
    match range {
        Range::All => (String::new(), LAST.to_string()),
        Range::Equals(value) => ((*value).to_owned(), format!("{value}\0")),
        Range::Prefix(value) => ((*value).to_owned(), format!("{value}{LAST}")),
        Range::Between(from, to) => ((*from).to_owned(), (*to).to_owned()),
    }
}
