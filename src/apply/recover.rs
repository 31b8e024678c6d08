//! What an earlier run left open: a request that may have arrived is looked up before anything else
//! is sent.

use std::time::Duration;

use crate::ledger::{
    Change, Entry, Lease, Ledger, LedgerError, Managed, Origin, Outcome, Recorded,
};
use crate::model::estate::Estate;
use crate::partner::{Error, Reader};
use crate::plan::step::Step;
use crate::plan::{Change as Sent, applied};

/// Why an open entry came to nothing: a creation was not found; of anything else nobody knows, because
/// doing it again does no harm.
pub const PLANNED_ANEW: &str = "looked up afterwards: it is not there, or is planned anew";

/// What was left open, and what is known of it now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// It had happened.
    pub happened: Vec<String>,
    /// It had not, or doing it again does no harm: it is planned anew.
    pub not: Vec<String>,
}

/// Looks up all open entries of earlier runs.
///
/// `settle` is how long the service may take to show what was written: only then "not there" is
/// believed.
pub async fn recover(
    reader: &Reader,
    ledger: &Ledger,
    lease: &Lease,
    estate: &Estate,
    name: &str,
    settle: Duration,
) -> Result<Recovered, RecoverError> {
    let open = ledger.open_entries().await?;
    let mut recovered = Recovered::default();
    let known = ledger.objects().await?;
    for entry in open {
        let step: Option<Step> = entry.intent.detail.as_ref().and_then(|detail| detail.read().ok());
        let found = match &step {
            Some(step) => look(reader, step, settle).await?,
            None => None,
        };
        if let (Some(id), Some(step)) = (found, step) {
            let changes = made(estate, name, &entry, &step, &id, &known);
            let outcome = Outcome::Done { remote_id: Some(id) };
            ledger.conclude(lease, entry.id, outcome, changes).await?;
            recovered.happened.push(step.id);
        } else {
            let why = PLANNED_ANEW.to_owned();
            recovered.not.push(entry.intent.step.clone());
            ledger.conclude(lease, entry.id, Outcome::Failed { why }, Vec::new()).await?;
        }
    }
    end_dead_runs(ledger, lease).await?;
    Ok(recovered)
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

/// The id of what a creation made, if it made anything. Everything else is safe to plan anew.
async fn look(reader: &Reader, step: &Step, settle: Duration) -> Result<Option<String>, Error> {
    let first = once(reader, step).await?;
    if first.is_some() || settle.is_zero() || !is_creation(step) {
        return Ok(first);
    }
    tokio::time::sleep(settle).await;
    once(reader, step).await
}

fn is_creation(step: &Step) -> bool {
    matches!(
        step.change,
        Sent::CreateUser { .. } | Sent::CreateGroup { .. } | Sent::CreateCustomer { .. }
    )
}

async fn once(reader: &Reader, step: &Step) -> Result<Option<String>, Error> {
    Ok(match &step.change {
        Sent::CreateUser { sign_in_name, .. } => {
            reader.user_named(sign_in_name).await?.map(|(id, _)| id.to_string())
        }
        Sent::CreateGroup { mail_nickname, .. } => reader
            .groups_with_alias(mail_nickname)
            .await?
            .into_iter()
            .next()
            .map(|(id, _)| id.to_string()),
        Sent::CreateCustomer { domain, .. } => reader
            .search_customers(crate::partner::read::SearchBy::Domain, domain)
            .await?
            .into_iter()
            .find(|(_, customer)| customer.domain == *domain)
            .map(|(id, _)| id.to_string()),
        _ => None,
    })
}

/// What was made in a run that died is managed, and was made here.
fn made(
    estate: &Estate,
    name: &str,
    entry: &Entry,
    step: &Step,
    id: &str,
    known: &[Recorded],
) -> Vec<Change> {
    if known.iter().any(|known| known.managed.key == step.object) {
        return Vec::new();
    }
    let mut what = applied(estate, &step.object, None).unwrap_or_default();
    for set in ["spec.agent", "spec.admin", "spec.roles"] {
        if what.fields.contains_key(set) {
            what.fields.insert(set.to_owned(), serde_json::Value::Array(Vec::new()));
        }
    }
    let Ok(spec) = what.to_json() else { return Vec::new() };
    vec![Change::Put(Box::new(Managed {
        key: step.object.clone(),
        estate: name.into(),
        remote_id: Some(id.into()),
        origin: Origin::Made,
        spec,
        exchanges: std::collections::BTreeMap::new(),
        is_protected: false,
        formerly: Vec::new(),
        run: Some(entry.intent.run.as_str().into()),
    }))]
}

/// Runs that began and did not end: whoever holds the lease now knows that they are dead.
async fn end_dead_runs(ledger: &Ledger, lease: &Lease) -> Result<(), LedgerError> {
    for run in ledger.unfinished_runs().await? {
        let ended = crate::ledger::Ended {
            outcome: crate::ledger::RunOutcome::Abandoned,
            counts: crate::ledger::Counts::default(),
        };
        ledger.end_run(lease, run.id, ended).await?;
    }
    Ok(())
}
