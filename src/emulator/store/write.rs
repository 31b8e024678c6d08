//! Changing things, within one transaction.

use std::ops::Deref;

use jiff::SignedDuration;
use rusqlite::{Transaction, params};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::lag::Lag;
use super::read::{CLOCK_OFFSET, Found, Read};
use super::{Document, StoreError, to_micros};

/// The setting that ids are made from.
const SEED: &str = "seed";
/// More of the log than this is forgotten, oldest first.
const LOG_LENGTH_MAX: i64 = 200_000;

/// One moment of the tenant, and the next.
pub(crate) struct Write<'a>(Read<'a>);

impl<'a> Deref for Write<'a> {
    type Target = Read<'a>;

    fn deref(&self) -> &Read<'a> {
        &self.0
    }
}

impl<'a> Write<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>) -> Result<Self, StoreError> {
        Ok(Self(Read::new(transaction, Lag::default())?))
    }

    /// Keeps a document, in place of what was there under its id.
    pub(crate) fn put<D: Document>(&self, document: &D) -> Result<i64, StoreError> {
        let body = serde_json::to_string(document)
            .map_err(|source| StoreError::Body { kind: D::KIND, source })?;
        let seq = self.next("seq")?;
        self.transaction
            .prepare_cached(
                "INSERT INTO objects (kind, id, body, created_at, written_at, deleted_at, seq) VALUES (?1, ?2, ?3, ?4, ?4, NULL, ?5) \
                 ON CONFLICT (kind, id) DO UPDATE SET before = body, before_seq = seq, body = ?3, written_at = ?4, deleted_at = NULL, seq = ?5",
            )?
            .execute(params![D::KIND, document.id(), body, to_micros(self.now()), seq])?;
        self.forget_keys(D::KIND, document.id())?;
        self.remember_keys(document, false)?;
        Ok(seq)
    }

    /// Deletes a living document so that it can be restored; tells whether there was one.
    pub(crate) fn delete<D: Document>(&self, id: &str) -> Result<bool, StoreError> {
        let Some(found) = self.get::<D>(id)? else { return Ok(false) };
        self.move_to(&found.document, Some(to_micros(self.now())))?;
        Ok(true)
    }

    /// Brings a deleted document back.
    pub(crate) fn restore<D: Document>(&self, id: &str) -> Result<Option<Found<D>>, StoreError> {
        let Some(found) = self.get_any::<D>(id)? else { return Ok(None) };
        if found.deleted_at.is_none() {
            return Ok(None);
        }
        self.move_to(&found.document, None)?;
        self.get(id)
    }

    fn move_to<D: Document>(
        &self,
        document: &D,
        deleted_at: Option<i64>,
    ) -> Result<(), StoreError> {
        let seq = self.next("seq")?;
        self.transaction
            .prepare_cached(
                "UPDATE objects SET deleted_at = ?3, seq = ?4 WHERE kind = ?1 AND id = ?2",
            )?
            .execute(params![D::KIND, document.id(), deleted_at, seq])?;
        self.forget_keys(D::KIND, document.id())?;
        self.remember_keys(document, deleted_at.is_some())
    }

    /// Removes a document for good, living or deleted; tells whether there was one.
    pub(crate) fn purge<D: Document>(&self, id: &str) -> Result<bool, StoreError> {
        let seq = self.next("seq")?;
        let changed = self
            .transaction
            .prepare_cached(
                "UPDATE objects SET body = NULL, deleted_at = NULL, seq = ?3 WHERE kind = ?1 AND id = ?2 AND body IS NOT NULL",
            )?
            .execute(params![D::KIND, id, seq])?;
        self.forget_keys(D::KIND, id)?;
        Ok(changed > 0)
    }

    fn forget_keys(&self, kind: &str, id: &str) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM keys WHERE kind = ?1 AND id = ?2")?
            .execute(params![kind, id])?;
        Ok(())
    }

    fn remember_keys<D: Document>(&self, document: &D, deleted: bool) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR IGNORE INTO keys (kind, name, value, id, deleted) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (name, value) in document.keys() {
            statement.execute(params![D::KIND, name, value, document.id(), deleted])?;
        }
        Ok(())
    }

    /// Keeps something of which there is one.
    pub(crate) fn set<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(value)
            .map_err(|source| StoreError::Body { kind: "setting", source })?;
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)")?
            .execute(params![name, text])?;
        Ok(())
    }

    /// What ids are made from, from now on.
    pub(crate) fn set_seed(&self, seed: u64) -> Result<(), StoreError> {
        self.set(SEED, &seed)
    }

    /// Moves the tenant's time to so much ahead of the machine's; for transactions after this one.
    pub(crate) fn set_clock(&self, ahead: SignedDuration) -> Result<(), StoreError> {
        self.set(CLOCK_OFFSET, &ahead.as_secs())
    }

    /// How far the tenant is ahead of the machine.
    pub(crate) fn clock(&self) -> Result<SignedDuration, StoreError> {
        Ok(SignedDuration::from_secs(self.setting(CLOCK_OFFSET)?.unwrap_or_default()))
    }

    /// A new id; the same seed makes the same ones in the same order.
    pub(crate) fn new_id(&self) -> Result<Uuid, StoreError> {
        let [first, second] = self.random()?;
        let bits = (u128::from(first) << 64) | u128::from(second);
        Ok(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
    }

    /// A new secret of some length, from letters and digits.
    pub(crate) fn new_secret(&self, length: usize) -> Result<String, StoreError> {
        const LETTERS: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut secret = String::with_capacity(length);
        while secret.len() < length {
            for word in self.random()? {
                for byte in word.to_be_bytes() {
                    if secret.len() < length
                        && let Some(letter) = LETTERS.get(usize::from(byte % 62))
                    {
                        secret.push(char::from(*letter));
                    }
                }
            }
        }
        Ok(secret)
    }

    fn random(&self) -> Result<[u64; 2], StoreError> {
        let seed: u64 = self.setting(SEED)?.unwrap_or_default();
        let number = self.next("ids")?;
        let mut digest = Sha256::new();
        digest.update(seed.to_be_bytes());
        digest.update(number.to_be_bytes());
        let digest = digest.finalize();
        let mut words = digest
            .chunks_exact(8)
            .map(|chunk| chunk.iter().fold(0u64, |word, byte| (word << 8) | u64::from(*byte)));
        Ok([words.next().unwrap_or_default(), words.next().unwrap_or_default()])
    }

    /// Adds a line to the log.
    pub(crate) fn log_entry(&self, entry: &str) -> Result<(), StoreError> {
        self.transaction.prepare_cached("INSERT INTO log (entry) VALUES (?1)")?.execute([entry])?;
        let last = self.transaction.last_insert_rowid();
        if last % 1024 == 0 {
            self.transaction.execute("DELETE FROM log WHERE seq <= ?1", [last - LOG_LENGTH_MAX])?;
        }
        Ok(())
    }

    /// Forgets the log.
    pub(crate) fn clear_log(&self) -> Result<(), StoreError> {
        self.transaction.execute("DELETE FROM log", [])?;
        Ok(())
    }

    /// Forgets everything but what is to be kept: another tenant moves in.
    pub(crate) fn clear(&self, kept: &[&str]) -> Result<(), StoreError> {
        let kept = format!(
            "[{}]",
            kept.iter().map(|kind| format!("\"{kind}\"")).collect::<Vec<_>>().join(",")
        );
        for table in ["objects", "keys"] {
            let sql =
                format!("DELETE FROM {table} WHERE kind NOT IN (SELECT value FROM json_each(?1))");
            self.transaction.execute(&sql, [&kept])?;
        }
        Ok(())
    }

    pub(super) fn next(&self, counter: &str) -> Result<i64, StoreError> {
        let value = self
            .transaction
            .prepare_cached(
                "INSERT INTO counters (name, value) VALUES (?1, 1) \
                 ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            )?
            .query_row([counter], |row| row.get(0))?;
        Ok(value)
    }
}
