//! Which runs there were.
//!
//! What is written is never changed: a run has an entry for its start and one for its end, and each
//! entry's hash covers the one before, so that a changed past is noticed. Who keeps the head
//! elsewhere notices a past that was written anew, too.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Ledger;
use super::error::LedgerError;
use super::json;
use super::lease::{Lease, fence};
use super::session::{Purpose, Row, Session, Sql};
use crate::model::record::Json;

/// What is known of a run when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    pub estate: String,
    /// Whose token changes are made with.
    pub actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub plan_digest: String,
    /// The run that it takes back, if it does that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Which limits somebody let pass, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// Who approved of the plan, where approvals were required.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_by: Vec<String>,
}

/// How many steps ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub done: u32,
    pub failed: u32,
    pub skipped: u32,
    pub stale: u32,
    pub unknown: u32,
    pub waiting: u32,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    Applied,
    Partly,
    Failed,
    /// By a signal; what was under way was waited for.
    Interrupted,
    /// It died, and another run took up what it left.
    Abandoned,
}

/// What is known of a run when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    pub outcome: RunOutcome,
    pub counts: Counts,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: String,
    pub started_at: Timestamp,
    pub started: Started,
    /// None while it goes on, or if it died.
    pub ended: Option<(Timestamp, Ended)>,
}

/// Where the chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub entries: i64,
    pub hash: String,
}

/// The lease of a dead run was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    pub by: String,
    pub reason: String,
    pub holder: String,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Started,
    Ended,
    Broken,
}

impl Event {
    fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ended => "ended",
            Self::Broken => "broken",
        }
    }
}

const HEAD: Sql = Sql {
    sqlite: "SELECT entries, hash FROM chain WHERE id = 1",
    postgres: "SELECT entries, hash FROM chain WHERE id = 1 FOR UPDATE",
};

const APPEND: &str =
    "INSERT INTO history (seq, run, event, body, at, hash) VALUES ($1, $2, $3, $4, $5, $6)";

macro_rules! runs {
    ($where:literal) => {
        concat!(
            "SELECT started.run, started.at, started.body, ended.at, ended.body \
             FROM history started LEFT JOIN history ended \
             ON ended.run = started.run AND ended.event = 'ended' \
             WHERE started.event = 'started' AND ",
            $where,
            " ORDER BY started.seq DESC LIMIT $1"
        )
    };
}

const LATEST: &str = runs!("true");
const UNFINISHED: &str = runs!("ended.run IS NULL");

const BROKEN: &str =
    "SELECT at, body FROM history WHERE event = 'broken' ORDER BY seq DESC LIMIT $1";

impl Ledger {
    /// A run begins; its id must be new.
    pub async fn start_run(
        &self,
        lease: &Lease,
        id: String,
        started: Started,
    ) -> Result<(), LedgerError> {
        let (token, body) = (lease.token, Json::of(&started)?);
        self.call(Purpose::Write, async move |session| {
            fence(session, token).await?;
            if has(session, &id, Event::Started).await? {
                return Err(LedgerError::Contradiction {
                    what: format!("run `{id}`, which began"),
                });
            }
            append(session, Event::Started, &id, &body).await
        })
        .await
    }

    /// A run ends: our own, or one that died and whose remains are cleared.
    pub async fn end_run(
        &self,
        lease: &Lease,
        id: String,
        ended: Ended,
    ) -> Result<(), LedgerError> {
        let (token, body) = (lease.token, Json::of(&ended)?);
        self.call(Purpose::Write, async move |session| {
            fence(session, token).await?;
            if !has(session, &id, Event::Started).await? {
                return Err(LedgerError::Unknown { what: format!("run `{id}`") });
            }
            if has(session, &id, Event::Ended).await? {
                return Err(LedgerError::Contradiction {
                    what: format!("run `{id}`, which ended"),
                });
            }
            append(session, Event::Ended, &id, &body).await
        })
        .await
    }

    /// The latest runs, latest first.
    pub async fn runs(&self, count_max: u32) -> Result<Vec<Run>, LedgerError> {
        self.call(Purpose::Read, async move |session| {
            session.all(LATEST, &[i64::from(count_max).into()], run).await
        })
        .await
    }

    /// Runs that began and did not end: the one that goes on, and those that died.
    pub async fn unfinished_runs(&self) -> Result<Vec<Run>, LedgerError> {
        self.call(Purpose::Read, async |session| {
            session.all(UNFINISHED, &[i64::from(u32::MAX).into()], run).await
        })
        .await
    }

    /// The leases that were taken away from the dead, latest first.
    pub async fn broken_leases(
        &self,
        count_max: u32,
    ) -> Result<Vec<(Timestamp, Broken)>, LedgerError> {
        self.call(Purpose::Read, async move |session| {
            let read = |row: &Row<'_>| Ok((row.time(0)?, json::read(row.text(1)?)?));
            session.all(BROKEN, &[i64::from(count_max).into()], read).await
        })
        .await
    }

    /// Reads the whole history and says where it ends, or what in it was changed.
    pub async fn verify_history(&self) -> Result<Head, LedgerError> {
        self.call(Purpose::Read, async |session| verify(session).await).await
    }
}

async fn has(session: &mut Session, run: &str, event: Event) -> Result<bool, LedgerError> {
    let sql = "SELECT seq FROM history WHERE run = $1 AND event = $2";
    let found = session.one(sql, &[run.into(), event.word().into()], |row| row.integer(0)).await?;
    Ok(found.is_some())
}

/// Adds an entry to the chain.
pub(super) async fn append(
    session: &mut Session,
    event: Event,
    run: &str,
    body: &Json,
) -> Result<(), LedgerError> {
    let head = head(session, HEAD).await?;
    let at = session.now().await?;
    let seq = head.entries + 1;
    let hash = link(&head.hash, seq, run, event.word(), body.as_str(), at);
    let values = [
        seq.into(),
        run.into(),
        event.word().into(),
        body.as_str().into(),
        at.into(),
        hash.as_str().into(),
    ];
    session.change(APPEND, &values).await?;
    let values = [seq.into(), hash.as_str().into()];
    session.change("UPDATE chain SET entries = $1, hash = $2 WHERE id = 1", &values).await?;
    Ok(())
}

async fn head(session: &mut Session, sql: Sql) -> Result<Head, LedgerError> {
    session
        .one(sql, &[], |row| Ok(Head { entries: row.integer(0)?, hash: row.owned(1)? }))
        .await?
        .ok_or(LedgerError::CorruptChain { entry: 0, why: "has no head" })
}

async fn verify(session: &mut Session) -> Result<Head, LedgerError> {
    // Without a lock: a reading transaction sees one state anyway.
    let kept = head(session, Sql::from(HEAD.sqlite)).await?;
    let mut found = Head { entries: 0, hash: String::new() };
    let sql = "SELECT seq, run, event, body, at, hash FROM history ORDER BY seq";
    session
        .each(sql, &[], |row| {
            let (seq, expected) = (row.integer(0)?, found.entries + 1);
            if seq != expected {
                return Err(LedgerError::CorruptChain { entry: expected, why: "is missing" });
            }
            let hash =
                link(&found.hash, seq, row.text(1)?, row.text(2)?, row.text(3)?, row.time(4)?);
            if hash != row.text(5)? {
                return Err(LedgerError::CorruptChain {
                    entry: seq,
                    why: "is not as it was written",
                });
            }
            found = Head { entries: seq, hash };
            Ok(())
        })
        .await?;
    if found != kept {
        let entry = found.entries.min(kept.entries) + 1;
        return Err(LedgerError::CorruptChain { entry, why: "is not where the history ended" });
    }
    Ok(found)
}

/// The hash of an entry. Lengths stand before texts, so that nothing moves from one to the next.
fn link(before: &str, seq: i64, run: &str, event: &str, body: &str, at: Timestamp) -> String {
    let mut hash = Sha256::new();
    for text in [before, run, event, body] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.update(seq.to_be_bytes());
    hash.update(at.as_millisecond().to_be_bytes());
    format!("{:x}", hash.finalize())
}

fn run(row: &Row<'_>) -> Result<Run, LedgerError> {
    let ended = match (row.maybe_time(3)?, row.maybe_text(4)?) {
        (Some(at), Some(body)) => Some((at, json::read(body)?)),
        _ => None,
    };
    Ok(Run {
        id: row.owned(0)?,
        started_at: row.time(1)?,
        started: json::read(row.text(2)?)?,
        ended,
    })
}
