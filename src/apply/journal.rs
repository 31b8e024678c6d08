//! What is written before a request leaves and after, with a ledger that may be away for a moment.
//!
//! A database that is restarted is waited for; nothing is sent meanwhile, because what was not written
//! is not sent.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::REQUEST;
use crate::ledger::{Change, EntryId, Intent, Lease, Ledger, LedgerError, Outcome};

/// How long a ledger may be away.
const AWAY_MAX: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// The leave to send, until a moment that lies before the end of the lease.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leave {
    pub(super) entry: EntryId,
    pub(super) until: Instant,
}

/// Says what is about to be sent. The lease outlives what is sent before `until`.
pub(super) async fn intend(
    ledger: &Ledger,
    lease: &Lease,
    intent: &Intent,
) -> Result<Leave, LedgerError> {
    renewing(ledger, lease, async || {
        let asked = Instant::now();
        let entry = ledger.intend(lease, intent.clone()).await?;
        Ok(Leave { entry, until: asked + REQUEST })
    })
    .await
}

/// Asks, and once more with a lease that was renewed, if it had become too short: whoever renews it may
/// have been late.
async fn renewing<T, F: Future<Output = Result<T, LedgerError>>>(
    ledger: &Ledger,
    lease: &Lease,
    ask: impl Fn() -> F,
) -> Result<T, LedgerError> {
    match patiently(&ask).await {
        Err(LedgerError::LeaseTooShort { .. }) => {
            patiently(async || ledger.renew(lease).await).await?;
            patiently(ask).await
        }
        other => other,
    }
}

/// More time for what was not sent yet.
pub(super) async fn prolong(
    ledger: &Ledger,
    lease: &Lease,
    leave: Leave,
) -> Result<Leave, LedgerError> {
    renewing(ledger, lease, async || {
        let asked = Instant::now();
        ledger.may_send(lease).await?;
        Ok(Leave { until: asked + REQUEST, ..leave })
    })
    .await
}

/// Says what came of it. What is managed may have moved on while the ledger was away: then it is as it
/// is `now`, because another step's conclusion was written meanwhile.
pub(super) async fn conclude(
    ledger: &Ledger,
    lease: &Lease,
    entry: EntryId,
    outcome: Outcome,
    changes: Vec<Change>,
    now: impl Fn(&Change) -> Change,
) -> Result<(), LedgerError> {
    let first = std::sync::atomic::AtomicBool::new(true);
    patiently(async || {
        let changes = if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            changes.clone()
        } else {
            changes.iter().map(&now).collect()
        };
        ledger.conclude(lease, entry, outcome.clone(), changes).await
    })
    .await
}

/// Asks again while the ledger cannot be reached, for a while.
pub(super) async fn patiently<T, F: Future<Output = Result<T, LedgerError>>>(
    ask: impl Fn() -> F,
) -> Result<T, LedgerError> {
    let started = Instant::now();
    loop {
        match ask().await {
            Err(LedgerError::Unavailable { place, cause }) if started.elapsed() < AWAY_MAX => {
                tracing::debug!(place, %cause, "the ledger is away");
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}
