//! What an earlier run left open: a request that may have arrived is looked up before anything else
//! is sent.

use std::time::Duration;

use tokio::time::Instant;

use super::execute::{Made, Sent};
use super::handover::Handover;
use super::look::{self, Patience, Seen};
use super::record::{Keeping, Objects};
use crate::ledger::{Counts, Ended, Entry, Lease, Ledger, LedgerError, Outcome, Run, RunOutcome};
use crate::model::estate::Estate;
use crate::partner::{Error, Reader};
use crate::plan::Change;
use crate::plan::step::Step;

/// How often whoever waits looks whether somebody wants it to end.
const TICK: Duration = Duration::from_millis(250);

/// What was left open, and what is known of it now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// It had happened.
    pub happened: Vec<String>,
    /// It had not: it is planned anew.
    pub not: Vec<String>,
    /// A run died: what was seen of the tenant before may be older than what that run did.
    pub is_late: bool,
}

/// With what is looked up, and for whom.
#[derive(Clone, Copy)]
pub struct Recovery<'a> {
    pub reader: &'a Reader,
    pub ledger: &'a Ledger,
    pub lease: &'a Lease,
    pub estate: &'a Estate,
    /// The estate's name.
    pub name: &'a str,
    /// How long the service may take to show what was written: only then "not there" is believed.
    pub settle: Duration,
    /// Where the passwords of earlier runs would be, if they were kept.
    pub handover: &'a Handover,
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Recovery<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recovery").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Looks up all open entries of earlier runs, oldest first.
pub async fn recover(with: Recovery<'_>) -> Result<Recovered, RecoverError> {
    let dead = with.ledger.unfinished_runs().await?;
    let open = with.ledger.open_entries().await?;
    let mut recovered = Recovered::default();
    let made = Made::default();
    // All of them were sent before now: the lag is waited out once.
    let settled = Instant::now() + lag(with, &dead, &open).await?;
    for entry in open {
        if (with.is_stopped)() {
            return Ok(recovered);
        }
        let step = entry.intent.step.clone();
        match one(with, &entry, &made, settled).await? {
            Some(true) => recovered.happened.push(step),
            Some(false) => recovered.not.push(step),
            // It stays open: somebody wants an end.
            None => return Ok(recovered),
        }
    }
    if !dead.is_empty() {
        recovered.is_late = true;
        // What it wrote last was seen by nobody: a plan is made from what shows it.
        pause(settled, with.is_stopped).await;
        if (with.is_stopped)() {
            return Ok(recovered);
        }
    }
    for run in &dead {
        miss(with, run).await?;
    }
    end(dead, with.ledger, with.lease).await?;
    Ok(recovered)
}

/// Whoever a dead run made, and whose sealed password is not to be found: it is owed. What is sealed
/// becomes durable at the end of a run, and that run had none.
async fn miss(with: Recovery<'_>, run: &Run) -> Result<(), RecoverError> {
    let known = with.ledger.objects().await?;
    let mut changes = Vec::new();
    for entry in with.ledger.entries(run.id.clone()).await? {
        let is_done = matches!(entry.outcome, Some(Outcome::Done { .. }));
        let step: Option<Step> = entry.intent.detail.as_ref().and_then(|one| one.read().ok());
        if let Some(step) = step.filter(|_| is_done)
            && matches!(step.change, Change::CreateUser { .. })
            && with.handover.seals()
            && owes_password(with.handover, &entry, &step)
        {
            let keeping = Keeping { estate: with.estate, name: with.name, run: &run.id };
            changes.extend(Objects::new(keeping, &known).owing(&step));
        }
    }
    if !changes.is_empty() {
        with.ledger.record(with.lease, changes).await?;
    }
    Ok(())
}

/// For how long what was sent last may not show yet.
async fn lag(with: Recovery<'_>, dead: &[Run], open: &[Entry]) -> Result<Duration, RecoverError> {
    let mut last = open.iter().map(|entry| entry.intended_at).max();
    for run in dead {
        let entries = with.ledger.entries(run.id.clone()).await?;
        let of_run =
            entries.iter().map(|entry| entry.concluded_at.unwrap_or(entry.intended_at)).max();
        last = last.max(of_run);
    }
    let Some(last) = last else { return Ok(Duration::ZERO) };
    // Both are the database's time.
    let age = Duration::try_from(with.lease.since.duration_since(last)).unwrap_or_default();
    Ok(with.settle.saturating_sub(age))
}

async fn pause(until: Instant, is_stopped: &(dyn Fn() -> bool + Sync)) {
    while Instant::now() < until && !is_stopped() {
        tokio::time::sleep_until(until.min(Instant::now() + TICK)).await;
    }
}

/// Whether it had happened, if that can be said yet.
async fn one(
    with: Recovery<'_>,
    entry: &Entry,
    made: &Made,
    settled: Instant,
) -> Result<Option<bool>, RecoverError> {
    let Recovery { reader, ledger, lease, estate, name, is_stopped, .. } = with;
    let step: Option<Step> = entry.intent.detail.as_ref().and_then(|detail| detail.read().ok());
    let known = ledger.objects().await?;
    made.know(&known);
    let mut changes = Vec::new();
    let outcome = match step {
        None => Outcome::Failed { why: "nothing is known of what was sent".to_owned() },
        Some(step) if matches!(step.change, Change::ResetPassword { .. }) => {
            let keeping = Keeping { estate, name, run: &entry.intent.run };
            changes = Objects::new(keeping, &known).in_doubt(&step);
            Outcome::Failed {
                why: "whether it happened cannot be seen: it is done anew".to_owned(),
            }
        }
        Some(step) => {
            let settle = settled.saturating_duration_since(Instant::now());
            let patience = Patience { settle, is_stopped };
            match look::wait(reader, &step, made, Some(entry.intended_at), patience).await? {
                Seen::So(sent) => {
                    let owes_password = owes_password(with.handover, entry, &step);
                    let sent = Sent { owes_password, ..sent };
                    let keeping = Keeping { estate, name, run: &entry.intent.run };
                    changes = Objects::new(keeping, &known).done(&step, &sent);
                    Outcome::Done { remote_id: sent.remote_id }
                }
                Seen::Theirs(why) => Outcome::Stale { why },
                Seen::NotYet => return Ok(None),
                Seen::NotSo => {
                    // Of another step on somebody whom the same run made, it is their password.
                    if matches!(step.change, Change::CreateUser { .. }) {
                        with.handover.discard(&step.object.to_string(), &entry.intent.run);
                    }
                    Outcome::Failed { why: "it was looked up: it did not happen".to_owned() }
                }
            }
        }
    };
    let happened = matches!(outcome, Outcome::Done { .. });
    ledger.conclude(lease, entry.id, outcome, changes).await?;
    Ok(Some(happened))
}

/// Whether somebody was made whose password nobody may have. One that was sealed before it was sent
/// is where it was put, if that was on this machine; what was to be shown was not, for all we know.
fn owes_password(handover: &Handover, entry: &Entry, step: &Step) -> bool {
    match &step.change {
        Change::CreateUser { .. } | Change::CreateCustomer { .. } => {
            handover.kept(&step.object.to_string(), &entry.intent.run).is_none()
        }
        _ => false,
    }
}

/// Why it could not be looked up.
#[derive(Debug)]
pub enum RecoverError {
    Ledger(LedgerError),
    Tenant(Error),
}

impl From<LedgerError> for RecoverError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<Error> for RecoverError {
    fn from(error: Error) -> Self {
        Self::Tenant(error)
    }
}

/// Runs that began and did not end: whoever holds the lease now knows that they are dead.
async fn end(dead: Vec<Run>, ledger: &Ledger, lease: &Lease) -> Result<(), LedgerError> {
    for run in dead {
        let ended = Ended { outcome: RunOutcome::Abandoned, counts: Counts::default() };
        ledger.end_run(lease, run.id, ended).await?;
    }
    Ok(())
}
