//! The tenant as it was last seen, so that the next run asks only for what changed since.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;

use super::Ledger;
use super::error::LedgerError;
use super::json;
use super::session::Purpose;
use crate::model::record::Json;

/// Below this a page of the database is not filled anyway.
const COMPRESSED_MIN: usize = 4 * 1024;

/// What was seen, and where the next look begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSnapshot {
    /// By the tenant's own time.
    pub observed_at: Timestamp,
    /// The snapshot, as whoever made it reads it.
    pub body: Vec<u8>,
    /// Graph's links to what changed since, by what they are of.
    pub delta_links: BTreeMap<String, String>,
    /// How far the audit records were read.
    pub audit_watermark: Option<String>,
}

/// What was seen later stays.
const KEEP: &str = "INSERT INTO snapshot (id, observed_at, encoding, body, delta_links, audit_watermark) \
     VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET \
     observed_at = excluded.observed_at, encoding = excluded.encoding, body = excluded.body, \
     delta_links = excluded.delta_links, audit_watermark = excluded.audit_watermark \
     WHERE snapshot.observed_at <= excluded.observed_at";

impl Ledger {
    /// Keeps what was seen, in place of what was seen before.
    pub async fn keep_snapshot(&self, snapshot: KeptSnapshot) -> Result<(), LedgerError> {
        let KeptSnapshot { observed_at, body, delta_links, audit_watermark } = snapshot;
        let links = Json::of(&delta_links)?;
        let (encoding, body) = off_the_way(move || pack(body)).await?;
        self.call(Purpose::Write, async move |session| {
            let values = [
                observed_at.into(),
                encoding.into(),
                super::session::Value::Bytes(&body),
                links.as_str().into(),
                audit_watermark.as_deref().into(),
            ];
            session.change(KEEP, &values).await?;
            Ok(())
        })
        .await
    }

    /// What was seen last, if anything.
    pub async fn snapshot(&self) -> Result<Option<KeptSnapshot>, LedgerError> {
        let sql = "SELECT observed_at, encoding, body, delta_links, audit_watermark FROM snapshot WHERE id = 1";
        let found = self
            .call(Purpose::Read, async move |session| {
                session
                    .one(sql, &[], |row| {
                        let kept = KeptSnapshot {
                            observed_at: row.time(0)?,
                            body: row.bytes(2)?.to_vec(),
                            delta_links: json::read(row.text(3)?)?,
                            audit_watermark: row.maybe_owned(4)?,
                        };
                        Ok((row.owned(1)?, kept))
                    })
                    .await
            })
            .await?;
        let Some((encoding, kept)) = found else { return Ok(None) };
        off_the_way(move || Ok(Some(KeptSnapshot { body: unpack(&encoding, kept.body)?, ..kept })))
            .await
    }
}

/// A large snapshot takes a while, and others want to go on.
async fn off_the_way<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| LedgerError::Unavailable {
        place: "this process".to_owned(),
        cause: std::sync::Arc::new(error),
    })?
}

fn pack(body: Vec<u8>) -> Result<(&'static str, Vec<u8>), LedgerError> {
    if body.len() < COMPRESSED_MIN {
        return Ok(("plain", body));
    }
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder
        .write_all(&body)
        .and_then(|()| encoder.finish())
        .map(|packed| ("deflate", packed))
        .map_err(damaged)
}

fn unpack(encoding: &str, body: Vec<u8>) -> Result<Vec<u8>, LedgerError> {
    match encoding {
        "plain" => Ok(body),
        "deflate" => {
            let mut plain = Vec::with_capacity(body.len() * 4);
            DeflateDecoder::new(body.as_slice()).read_to_end(&mut plain).map_err(damaged)?;
            Ok(plain)
        }
        _ => Err(LedgerError::Damaged { what: format!("a snapshot in `{encoding}`") }),
    }
}

fn damaged(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Damaged { what: format!("the snapshot: {error}") }
}
