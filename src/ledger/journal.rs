//! What was about to be sent, and what came of it.
//!
//! An intent is durable before its request leaves; an entry without an outcome is a request that
//! may have arrived. Its marker says how to look it up.

use std::fmt;

use jiff::Timestamp;

use super::Ledger;
use super::error::LedgerError;
use super::lease::{Lease, Token, fence, whole};
use super::object::{self, Change, object_key};
use super::session::{Purpose, Row, Session, Sql, Value};
use crate::model::record::{Effect, Json, ObjectKey, Spent};

/// An entry's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(i64);

/// What is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    pub run: String,
    /// The step's id in its plan.
    pub step: String,
    /// From 1; the next only after the one before is known to have come to nothing.
    pub attempt: u32,
    pub object: ObjectKey,
    pub verb: String,
    /// By what the thing will be found if it is made and nobody hears of it.
    pub marker: Option<String>,
    /// What whoever resumes needs besides; no secrets.
    pub detail: Option<Json>,
    pub effect: Effect,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done {
        remote_id: Option<String>,
    },
    Failed {
        why: String,
    },
    /// The answer was lost and could not be looked up: still open.
    Unknown {
        why: String,
    },
    /// Not sent, because of another step.
    Skipped {
        why: String,
    },
    /// Not sent, because the object is no longer what the plan saw.
    Stale {
        why: String,
    },
}

impl Outcome {
    /// Its word, the reason, and the id that the service gave.
    fn parts(&self) -> (&'static str, Option<&str>, Option<&str>) {
        match self {
            Self::Done { remote_id } => ("done", None, remote_id.as_deref()),
            Self::Failed { why } => ("failed", Some(why), None),
            Self::Unknown { why } => ("unknown", Some(why), None),
            Self::Skipped { why } => ("skipped", Some(why), None),
            Self::Stale { why } => ("stale", Some(why), None),
        }
    }

    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, LedgerError> {
        let Some(word) = row.maybe_text(at)? else { return Ok(None) };
        let why =
            || -> Result<String, LedgerError> { Ok(row.maybe_owned(at + 1)?.unwrap_or_default()) };
        Ok(Some(match word {
            "done" => Self::Done { remote_id: row.maybe_owned(at + 2)? },
            "failed" => Self::Failed { why: why()? },
            "unknown" => Self::Unknown { why: why()? },
            "skipped" => Self::Skipped { why: why()? },
            "stale" => Self::Stale { why: why()? },
            _ => return Err(LedgerError::Damaged { what: format!("an outcome `{word}`") }),
        }))
    }
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub intent: Intent,
    pub token: Token,
    pub intended_at: Timestamp,
    /// None while the request may be under way, or whoever sent it is no more.
    pub outcome: Option<Outcome>,
    pub concluded_at: Option<Timestamp>,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! intend {
    ($lock:literal) => {
        concat!(
            "INSERT INTO journal (run, step, attempt, token, kind, name, verb, marker, detail, \
             removals, privileged_grants, irreversible, customer, intended_at) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock.now \
             FROM lease, clock WHERE lease.id = 1 AND lease.token = $4 AND lease.state = 'held' \
             AND lease.until >= clock.now + $14 ",
            $lock,
            " ON CONFLICT (run, step, attempt) DO NOTHING RETURNING id"
        )
    };
}

/// The condition and the insert are one statement, and nobody takes the lease meanwhile.
const INTEND: Sql = Sql { sqlite: intend!(""), postgres: intend!("FOR SHARE OF lease") };

const CONCLUDE: &str = "UPDATE journal SET outcome = $1, why = $2, remote_id = $3, \
     concluded_at = (SELECT now FROM clock) \
     WHERE id = $4 AND (outcome IS NULL OR outcome = 'unknown')";

macro_rules! entries {
    ($where:literal) => {
        concat!(
            "SELECT id, run, step, attempt, token, kind, name, verb, marker, detail, removals, \
             privileged_grants, irreversible, customer, intended_at, outcome, why, remote_id, \
             concluded_at FROM journal WHERE ",
            $where,
            " ORDER BY id"
        )
    };
}

const OF_RUN: &str = entries!("run = $1");
const OPEN: &str = entries!("outcome IS NULL OR outcome = 'unknown'");
const OF_STEP: &str = entries!("run = $1 AND step = $2 AND attempt = $3");

/// What is open counts: it may have happened.
const SPENT: &str = "SELECT CAST(coalesce(sum(removals), 0) AS BIGINT), \
     CAST(coalesce(sum(privileged_grants), 0) AS BIGINT), \
     CAST(coalesce(sum(irreversible), 0) AS BIGINT), count(DISTINCT customer) \
     FROM journal WHERE intended_at > (SELECT now FROM clock) - 86400000 \
     AND (outcome IS NULL OR outcome IN ('done', 'unknown'))";

impl Ledger {
    /// Says what is about to be sent; once this returns it is durable, and the request may leave.
    ///
    /// Refused unless the lease is ours and outlives the request. Asking again for the same, after
    /// the store was away, gives the same entry.
    pub async fn intend(&self, lease: &Lease, intent: Intent) -> Result<EntryId, LedgerError> {
        let (token, timeout) = (lease.token, whole(lease.terms.request_timeout));
        self.call(Purpose::Write, async move |session| {
            if let Some(id) = insert(session, token, &intent, timeout).await? {
                return Ok(id);
            }
            let until = fence(session, token).await?;
            let values = [
                intent.run.as_str().into(),
                intent.step.as_str().into(),
                i64::from(intent.attempt).into(),
            ];
            match session.one(OF_STEP, &values, entry).await? {
                Some(known)
                    if known.intent == intent
                        && known.token == token
                        && known.outcome.is_none() =>
                {
                    Ok(known.id)
                }
                Some(_) => Err(LedgerError::Contradiction {
                    what: format!("attempt {} of step `{}`", intent.attempt, intent.step),
                }),
                None => Err(LedgerError::LeaseTooShort { until }),
            }
        })
        .await
    }

    /// Says what came of it, together with what is managed differently from now on.
    ///
    /// An outcome is final unless it is unknown; to say the same once more, after the store was away,
    /// changes nothing. Who lost the lease leaves the entry open for its successor, who looks it up.
    pub async fn conclude(
        &self,
        lease: &Lease,
        entry: EntryId,
        outcome: Outcome,
        changes: Vec<Change>,
    ) -> Result<(), LedgerError> {
        let token = lease.token;
        self.call(Purpose::Write, async move |session| {
            fence(session, token).await?;
            if is_concluded(session, entry, token, &outcome).await? {
                return Ok(());
            }
            conclude(session, entry, &outcome).await?;
            object::apply(session, &changes).await
        })
        .await
    }

    /// Records a step for which nothing was sent: skipped, or stale.
    pub async fn note(
        &self,
        lease: &Lease,
        intent: Intent,
        outcome: Outcome,
    ) -> Result<EntryId, LedgerError> {
        let token = lease.token;
        self.call(Purpose::Write, async move |session| {
            fence(session, token).await?;
            // Nothing is sent, so the lease need not outlive anything.
            let Some(id) = insert(session, token, &intent, i64::MIN / 4).await? else {
                let what = format!("attempt {} of step `{}`", intent.attempt, intent.step);
                return Err(LedgerError::Contradiction { what });
            };
            conclude(session, id, &outcome).await?;
            Ok(id)
        })
        .await
    }

    /// What may have been sent and nobody knows, of all runs, oldest first.
    pub async fn open_entries(&self) -> Result<Vec<Entry>, LedgerError> {
        self.call(Purpose::Read, async |session| session.all(OPEN, &[], entry).await).await
    }

    /// All of a run, oldest first.
    pub async fn entries(&self, run: String) -> Result<Vec<Entry>, LedgerError> {
        self.call(Purpose::Read, async move |session| {
            session.all(OF_RUN, &[run.as_str().into()], entry).await
        })
        .await
    }

    /// The steps that runs with a plan of this digest have done.
    pub async fn done_of(&self, digest: String) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT DISTINCT journal.step FROM journal JOIN history \
             ON history.run = journal.run AND history.event = 'started' \
             WHERE journal.outcome = 'done' AND history.body LIKE $1 ORDER BY journal.step";
        // Digests are hexadecimal, and no other member of a body holds one.
        let like = format!("%\"planDigest\":\"{digest}\"%");
        self.call(Purpose::Read, async move |session| {
            session.all(sql, &[like.as_str().into()], |row| row.owned(0)).await
        })
        .await
    }

    /// What was spent of the limits over the last 24 hours, by the database's time.
    pub async fn spent(&self) -> Result<Spent, LedgerError> {
        self.call(Purpose::Read, async |session| {
            let count = |row: &Row<'_>, at| -> Result<u64, LedgerError> {
                Ok(u64::try_from(row.integer(at)?).unwrap_or(0))
            };
            let read = |row: &Row<'_>| {
                Ok(Spent {
                    removals: count(row, 0)?,
                    privileged_grants: count(row, 1)?,
                    irreversible: count(row, 2)?,
                    customers_touched: count(row, 3)?,
                })
            };
            Ok(session.one(SPENT, &[], read).await?.unwrap_or_default())
        })
        .await
    }
}

async fn insert(
    session: &mut Session,
    token: Token,
    intent: &Intent,
    timeout: i64,
) -> Result<Option<EntryId>, LedgerError> {
    let Intent { run, step, attempt, object, verb, marker, detail, effect } = intent;
    let Effect { removals, privileged_grants, irreversible, customer } = effect;
    let values: [Value<'_>; 14] = [
        run.as_str().into(),
        step.as_str().into(),
        i64::from(*attempt).into(),
        token.0.into(),
        object.kind.kebab().into(),
        object.name.as_str().into(),
        verb.as_str().into(),
        marker.as_deref().into(),
        detail.as_ref().map(Json::as_str).into(),
        i64::from(*removals).into(),
        i64::from(*privileged_grants).into(),
        i64::from(*irreversible).into(),
        customer.as_deref().into(),
        timeout.into(),
    ];
    session.one(INTEND, &values, |row| Ok(EntryId(row.integer(0)?))).await
}

/// Whether this very holder said this already; what is managed was changed with it then.
async fn is_concluded(
    session: &mut Session,
    id: EntryId,
    token: Token,
    outcome: &Outcome,
) -> Result<bool, LedgerError> {
    let (word, why, remote_id) = outcome.parts();
    let known = session
        .one(
            "SELECT outcome, why, remote_id FROM journal WHERE id = $1 AND token = $2",
            &[id.0.into(), token.0.into()],
            |row| {
                Ok(row.maybe_text(0)? == Some(word)
                    && row.maybe_text(1)? == why
                    && row.maybe_text(2)? == remote_id)
            },
        )
        .await?;
    Ok(known.unwrap_or(false))
}

async fn conclude(
    session: &mut Session,
    id: EntryId,
    outcome: &Outcome,
) -> Result<(), LedgerError> {
    let (word, why, remote_id) = outcome.parts();
    let values = [word.into(), why.into(), remote_id.into(), id.0.into()];
    match session.change(CONCLUDE, &values).await? {
        0 => Err(LedgerError::Contradiction {
            what: format!("entry {id}, which has an outcome or is none"),
        }),
        _ => Ok(()),
    }
}

fn entry(row: &Row<'_>) -> Result<Entry, LedgerError> {
    let count = |at| {
        u32::try_from(row.integer(at)?)
            .map_err(|_| LedgerError::Damaged { what: "a count that is none".to_owned() })
    };
    let intent = Intent {
        run: row.owned(1)?,
        step: row.owned(2)?,
        attempt: count(3)?,
        object: object_key(row, 5, 6)?,
        verb: row.owned(7)?,
        marker: row.maybe_owned(8)?,
        detail: row.maybe_text(9)?.map(Json::stored),
        effect: Effect {
            removals: count(10)?,
            privileged_grants: count(11)?,
            irreversible: count(12)?,
            customer: row.maybe_owned(13)?,
        },
    };
    Ok(Entry {
        id: EntryId(row.integer(0)?),
        intent,
        token: Token(row.integer(4)?),
        intended_at: row.time(14)?,
        outcome: Outcome::read(row, 15)?,
        concluded_at: row.maybe_time(18)?,
    })
}
