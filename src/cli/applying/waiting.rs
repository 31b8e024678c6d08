//! Whom we wait for, remembered between runs.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::try_join_all;

use crate::ledger::{Lease, Ledger, LedgerError, Waiting};
use crate::plan::State;
use crate::plan::file::Plan;

/// Whom we wait for is remembered, with since when; who has done it is not waited for any more. Only a
/// plan of the whole says who that is.
pub(super) async fn keep(
    ledger: &Ledger,
    lease: &Lease,
    plan: &Plan,
    is_whole: bool,
) -> Result<(), LedgerError> {
    let due: Vec<Waiting> = plan
        .report
        .iter()
        .filter(|report| report.state == State::Waiting)
        .filter_map(|report| {
            Some(Waiting {
                object: report.object.clone(),
                step: report.step.clone()?,
                awaiting: report.awaiting.clone().unwrap_or_default(),
                link: report.link.clone(),
                instructions: report.instructions.clone(),
                until: report.until,
            })
        })
        .collect();
    let known: Vec<Waiting> = ledger.waiting().await?.into_iter().map(|one| one.waiting).collect();
    let key = |waiting: &Waiting| (waiting.object.clone(), waiting.step.clone());
    let by_key: HashMap<_, _> = known.iter().map(|one| (key(one), one)).collect();
    let is_news = |one: &&Waiting| by_key.get(&key(one)) != Some(one);
    // All at once, so that they are flushed together: there may be thousands.
    let news = due.iter().filter(is_news).map(|one| ledger.wait_for(lease, one.clone()));
    try_join_all(news).await?;
    if !is_whole {
        return Ok(());
    }
    let due: BTreeSet<_> = due.iter().map(key).collect();
    let over = known.iter().map(key).filter(|key| !due.contains(key));
    try_join_all(over.map(|(object, step)| ledger.stop_waiting(lease, object, step))).await?;
    Ok(())
}
