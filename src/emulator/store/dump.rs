//! A tenant written out whole, to move in elsewhere.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::read::Read;
use super::write::Write;
use super::{StoreError, to_micros};

/// Everything that a tenant is: neither its log nor its clock, faults and keys.
#[derive(Serialize, Deserialize)]
pub struct Dump {
    tenant: serde_json::Value,
    objects: Vec<Object>,
}

impl std::fmt::Debug for Dump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dump").field("objects", &self.objects.len()).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Object {
    kind: String,
    id: String,
    body: String,
    keys: Vec<(String, String)>,
}

const TENANT: &str = "tenant";

impl Read<'_> {
    pub(crate) fn dump(&self) -> Result<Dump, StoreError> {
        let tenant = self.setting(TENANT)?.ok_or(StoreError::Missing("tenant"))?;
        let mut all = self.transaction.prepare_cached(
            "SELECT kind, id, body FROM objects WHERE body IS NOT NULL AND deleted_at IS NULL ORDER BY seq",
        )?;
        let mut keys = self
            .transaction
            .prepare_cached("SELECT name, value FROM keys WHERE kind = ?1 AND id = ?2")?;
        let mut objects = Vec::new();
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
            let keys = keys
                .query_map(params![kind, id], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            objects.push(Object { kind, id, body: row.get(2)?, keys });
        }
        Ok(Dump { tenant, objects })
    }
}

impl Write<'_> {
    /// Makes this tenant that one.
    pub(crate) fn take_over(&self, dump: &Dump) -> Result<(), StoreError> {
        self.transaction.execute_batch("DELETE FROM objects; DELETE FROM keys;")?;
        self.set(TENANT, &dump.tenant)?;
        let now = to_micros(self.now());
        for object in &dump.objects {
            let Object { kind, id, body, keys } = object;
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO objects (kind, id, body, created_at, written_at, seq) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
                )?
                .execute(params![kind, id, body, now, self.next("seq")?])?;
            for (name, value) in keys {
                self.transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO keys (kind, name, value, id, deleted) VALUES (?1, ?2, ?3, ?4, 0)",
                    )?
                    .execute(params![kind, name, value, id])?;
            }
        }
        Ok(())
    }
}
