//! Whom we wait for, remembered between runs.

use std::collections::BTreeSet;

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
    let mut due = BTreeSet::new();
    for report in plan.report.iter().filter(|report| report.state == State::Waiting) {
        let Some(step) = &report.step else { continue };
        due.insert((report.object.clone(), step.clone()));
        let waiting = Waiting {
            object: report.object.clone(),
            step: step.clone(),
            awaiting: report.awaiting.clone().unwrap_or_default(),
            link: report.link.clone(),
            instructions: report.instructions.clone(),
            until: report.until,
        };
        ledger.wait_for(lease, waiting).await?;
    }
    if !is_whole {
        return Ok(());
    }
    for known in ledger.waiting().await? {
        let key = (known.waiting.object, known.waiting.step);
        if !due.contains(&key) {
            ledger.stop_waiting(lease, key.0, key.1).await?;
        }
    }
    Ok(())
}
