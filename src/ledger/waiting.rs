//! What people are asked to do, and what they said they did.

use super::Ledger;
use super::error::LedgerError;
use super::lease::{Lease, fence};
use super::object::object_key;
use super::session::{Purpose, Row};
use crate::model::record::{Confirmation, ConfirmedAt, ObjectKey, Waiting, WaitingSince};

/// Another link is another invitation, and begins to wait anew.
const WAIT: &str = "INSERT INTO waiting (kind, name, step, awaiting, link, instructions, since, until) \
     SELECT $1, $2, $3, $4, $5, $6, clock.now, $7 FROM clock WHERE true \
     ON CONFLICT (kind, name, step) DO UPDATE SET awaiting = excluded.awaiting, \
     link = excluded.link, instructions = excluded.instructions, until = excluded.until, \
     since = CASE WHEN coalesce(waiting.link, '') = coalesce(excluded.link, '') \
     THEN waiting.since ELSE excluded.since END";

const CONFIRM: &str = "INSERT INTO confirmation (kind, name, step, what, who, at) \
     SELECT $1, $2, $3, $4, $5, clock.now FROM clock";

const LATEST: &str = "SELECT kind, name, step, what, who, at FROM confirmation WHERE id IN \
     (SELECT max(id) FROM confirmation GROUP BY kind, name, step) ORDER BY kind, name, step";

impl Ledger {
    /// Remembers that somebody is waited for; since when is kept while the link stays.
    pub async fn wait_for(&self, lease: &Lease, waiting: Waiting) -> Result<(), LedgerError> {
        let token = lease.token;
        self.call(Purpose::Write, async move |session| {
            fence(session, token).await?;
            let Waiting { object, step, awaiting, link, instructions, until } = &waiting;
            let values = [
                object.kind.kebab().into(),
                object.name.as_str().into(),
                step.as_str().into(),
                awaiting.as_str().into(),
                link.as_deref().into(),
                instructions.as_deref().into(),
                (*until).into(),
            ];
            session.change(WAIT, &values).await?;
            Ok(())
        })
        .await
    }

    /// Nobody is waited for any more: it happened, or it is no longer wanted.
    pub async fn stop_waiting(
        &self,
        lease: &Lease,
        object: ObjectKey,
        step: String,
    ) -> Result<(), LedgerError> {
        let token = lease.token;
        self.call(Purpose::Write, async move |session| {
            fence(session, token).await?;
            let sql = "DELETE FROM waiting WHERE kind = $1 AND name = $2 AND step = $3";
            let values =
                [object.kind.kebab().into(), object.name.as_str().into(), step.as_str().into()];
            session.change(sql, &values).await?;
            Ok(())
        })
        .await
    }

    /// All that waits, sorted by object and step.
    pub async fn waiting(&self) -> Result<Vec<WaitingSince>, LedgerError> {
        let sql = "SELECT kind, name, step, awaiting, link, instructions, until, since \
             FROM waiting ORDER BY kind, name, step";
        self.call(Purpose::Read, async move |session| session.all(sql, &[], waiting).await).await
    }

    /// A person says that a step is done. Needs no lease: nothing is sent.
    pub async fn confirm(&self, confirmation: Confirmation) -> Result<(), LedgerError> {
        self.call(Purpose::Write, async move |session| {
            let Confirmation { object, step, what, who } = &confirmation;
            let values = [
                object.kind.kebab().into(),
                object.name.as_str().into(),
                step.as_str().into(),
                what.as_str().into(),
                who.as_str().into(),
            ];
            session.change(CONFIRM, &values).await?;
            Ok(())
        })
        .await
    }

    /// The last word on each step, sorted by object and step.
    pub async fn confirmations(&self) -> Result<Vec<ConfirmedAt>, LedgerError> {
        self.call(Purpose::Read, async |session| session.all(LATEST, &[], confirmed).await).await
    }
}

fn waiting(row: &Row<'_>) -> Result<WaitingSince, LedgerError> {
    let waiting = Waiting {
        object: object_key(row, 0, 1)?,
        step: row.owned(2)?,
        awaiting: row.owned(3)?,
        link: row.maybe_owned(4)?,
        instructions: row.maybe_owned(5)?,
        until: row.maybe_time(6)?,
    };
    Ok(WaitingSince { waiting, since: row.time(7)? })
}

fn confirmed(row: &Row<'_>) -> Result<ConfirmedAt, LedgerError> {
    let confirmation = Confirmation {
        object: object_key(row, 0, 1)?,
        step: row.owned(2)?,
        what: row.owned(3)?,
        who: row.owned(4)?,
    };
    Ok(ConfirmedAt { confirmation, at: row.time(5)? })
}
