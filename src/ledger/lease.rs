//! Who may send: one run at a time, by the database's time.
//!
//! The remote services know no fencing. So a run that lost its lease must be known to have nothing
//! under way: the next one waits until the lease and the longest request after it are over, and
//! each send is preceded by a journal entry that asks for a lease which outlives the request.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::Ledger;
use super::error::LedgerError;
use super::history::{self, Event};
use super::session::{Purpose, Row, Session, Sql};
use crate::model::record::Json;

/// Grows with every holder, so that an earlier one is known by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub(super) i64);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What somebody wants the lease for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Person and machine, for whoever finds it held.
    pub holder: String,
    pub reason: String,
    /// Until when it is ours, if it is not renewed.
    pub duration: Duration,
    /// How long a request of ours may take at most.
    pub request_timeout: Duration,
}

/// The lease, while it is ours. Not a proof: the database decides each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub token: Token,
    pub since: Timestamp,
    pub until: Timestamp,
    pub terms: Terms,
}

/// Who has the lease, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub holder: String,
    pub reason: String,
    pub since: Timestamp,
    pub until: Timestamp,
    /// From when on somebody else may have it.
    pub free_at: Timestamp,
    pub state: LeaseState,
    /// The database's time when it was asked.
    pub now: Timestamp,
}

impl Holder {
    /// Whether somebody has it who still renews it.
    pub fn is_living(&self) -> bool {
        self.state == LeaseState::Held && self.until > self.now
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseState {
    /// Given back, or never taken.
    Free,
    Held,
    /// Taken away from a dead holder, whose last requests may still be under way.
    Broken,
}

impl LeaseState {
    fn parse(text: &str) -> Result<Self, LedgerError> {
        match text {
            "free" => Ok(Self::Free),
            "held" => Ok(Self::Held),
            "broken" => Ok(Self::Broken),
            _ => Err(LedgerError::Damaged { what: format!("a lease that is `{text}`") }),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holder, reason, since, until, free_at, state, now: _ } = self;
        write!(f, "{holder} ({reason}), since {since}, until {until}")?;
        if *state == LeaseState::Broken {
            write!(f, ", broken")?;
        }
        write!(f, "; free from {free_at}")
    }
}

const HOLDER: &str = "SELECT lease.holder, lease.reason, lease.since, lease.until, lease.free_at, \
     lease.state, clock.now FROM lease, clock WHERE lease.id = 1";

const ACQUIRE: &str = "UPDATE lease SET token = lease.token + 1, state = 'held', holder = $1, \
     reason = $2, since = clock.now, until = clock.now + $3, free_at = clock.now + $3 + $4 \
     FROM clock WHERE lease.id = 1 AND lease.free_at <= clock.now \
     RETURNING token, since, until";

/// A lease that has run out and that nobody took is still ours.
const RENEW: &str = "UPDATE lease SET until = clock.now + $1, free_at = clock.now + $1 + $2 \
     FROM clock WHERE lease.id = 1 AND lease.token = $3 AND lease.state = 'held' \
     RETURNING until";

const RELEASE: &str = "UPDATE lease SET state = 'free', free_at = 0 \
     WHERE id = 1 AND token = $1 AND state = 'held'";

/// The token grows, so that the dead cannot come back; `free_at` stays.
const BREAK: &str = "UPDATE lease SET token = lease.token + 1, state = 'broken' FROM clock \
     WHERE lease.id = 1 AND lease.state = 'held' AND lease.until <= clock.now \
     RETURNING token";

/// Keeps others from taking the lease until what is written under it is written.
const FENCE: Sql = Sql {
    sqlite: "SELECT until FROM lease WHERE id = 1 AND token = $1 AND state = 'held'",
    postgres: "SELECT until FROM lease WHERE id = 1 AND token = $1 AND state = 'held' FOR SHARE",
};

impl Ledger {
    /// Takes the lease, or says who has it.
    pub async fn acquire(&self, terms: Terms) -> Result<Lease, LedgerError> {
        let (duration, timeout) = (whole(terms.duration), whole(terms.request_timeout));
        self.call(Purpose::Write, async move |session| {
            let values = [
                terms.holder.as_str().into(),
                terms.reason.as_str().into(),
                duration.into(),
                timeout.into(),
            ];
            let taken = session
                .one(ACQUIRE, &values, |row| {
                    Ok((Token(row.integer(0)?), row.time(1)?, row.time(2)?))
                })
                .await?;
            match taken {
                Some((token, since, until)) => {
                    Ok(Lease { token, since, until, terms: terms.clone() })
                }
                None => Err(LedgerError::Held(Box::new(holder(session).await?))),
            }
        })
        .await
    }

    /// Moves the end of the lease to its duration from now.
    pub async fn renew(&self, lease: &Lease) -> Result<Lease, LedgerError> {
        let lease = lease.clone();
        self.call(Purpose::Write, async move |session| {
            let (duration, timeout) =
                (whole(lease.terms.duration), whole(lease.terms.request_timeout));
            let values = [duration.into(), timeout.into(), lease.token.0.into()];
            match session.one(RENEW, &values, |row| row.time(0)).await? {
                Some(until) => Ok(Lease { until, ..lease.clone() }),
                None => Err(lost(session).await?),
            }
        })
        .await
    }

    /// Whether a request that is sent now is surely over before the lease ends.
    pub async fn may_send(&self, lease: &Lease) -> Result<(), LedgerError> {
        let (token, timeout) = (lease.token, whole(lease.terms.request_timeout));
        self.call(Purpose::Write, async move |session| {
            let until = fence(session, token).await?;
            let now = session.now().await?;
            let ends = now.as_millisecond().saturating_add(timeout);
            if until.as_millisecond() < ends {
                return Err(LedgerError::LeaseTooShort { until });
            }
            Ok(())
        })
        .await
    }

    /// Gives the lease back. Who calls this has nothing under way any more.
    pub async fn release(&self, lease: &Lease) -> Result<(), LedgerError> {
        let token = lease.token;
        self.call(Purpose::Write, async move |session| {
            match session.change(RELEASE, &[token.0.into()]).await? {
                0 => Err(lost(session).await?),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Who has the lease, or had it last.
    pub async fn holder(&self) -> Result<Holder, LedgerError> {
        self.call(Purpose::Read, async |session| holder(session).await).await
    }

    /// Takes the lease away from a holder who no longer renews it, and remembers who did and why;
    /// returns whose it was, if anybody's. A living one is refused.
    pub async fn break_lease(
        &self,
        by: String,
        reason: String,
    ) -> Result<Option<Holder>, LedgerError> {
        self.call(Purpose::Write, async move |session| {
            let before = holder(session).await?;
            if session.one(BREAK, &[], |row| row.integer(0)).await?.is_none() {
                return match before.state {
                    LeaseState::Held => Err(LedgerError::Held(Box::new(holder(session).await?))),
                    LeaseState::Free | LeaseState::Broken => Ok(None),
                };
            }
            let body = Json::of(&history::Broken {
                by: by.clone(),
                reason: reason.clone(),
                holder: before.holder.clone(),
            })?;
            history::append(session, Event::Broken, "", &body).await?;
            Ok(Some(before))
        })
        .await
    }
}

/// Stands before everything that only the holder may write.
pub(super) async fn fence(session: &mut Session, token: Token) -> Result<Timestamp, LedgerError> {
    match session.one(FENCE, &[token.0.into()], |row| row.time(0)).await? {
        Some(until) => Ok(until),
        None => Err(lost(session).await?),
    }
}

/// What to say to somebody whose lease it is not.
async fn lost(session: &mut Session) -> Result<LedgerError, LedgerError> {
    let holder = holder(session).await?;
    let now = (holder.state == LeaseState::Held).then(|| Box::new(holder));
    Ok(LedgerError::LeaseLost { now })
}

async fn holder(session: &mut Session) -> Result<Holder, LedgerError> {
    let read = |row: &Row<'_>| {
        Ok(Holder {
            holder: row.owned(0)?,
            reason: row.owned(1)?,
            since: row.time(2)?,
            until: row.time(3)?,
            free_at: row.time(4)?,
            state: LeaseState::parse(row.text(5)?)?,
            now: row.time(6)?,
        })
    };
    session
        .one(HOLDER, &[], read)
        .await?
        .ok_or_else(|| LedgerError::Damaged { what: "the lease is gone".to_owned() })
}

/// In milliseconds, rounded up: a lease is rather too long.
pub(super) fn whole(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(i64::MAX / 4)
}
