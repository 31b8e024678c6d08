//! One step, with its journal: written down, sent, looked at, written down.

use super::execute::{Failure, Sender, Sent};
use super::journal::{self, Leave};
use super::look::{self, Patience, Seen};
use super::record::Objects;
use super::{Came, Job};
use crate::ledger::{Effect, Intent, Json, LedgerError, Outcome};
use crate::plan::Change;
use crate::plan::step::Step;

/// So often is something sent of which it was seen that it did not arrive.
const ATTEMPTS_MAX: u32 = 3;
/// So often may the service make a step wait until its time is over.
const PROLONGED_MAX: u32 = 20;

/// What one attempt came to.
enum Attempt {
    Came(Came, Outcome, Sent),
    /// It was seen not to have happened: it may be sent again.
    NotSo(String),
}

/// A step whose journal could not be kept.
#[derive(Debug)]
pub(super) struct Broken {
    /// What is known of it all the same.
    pub(super) came: Came,
    pub(super) error: LedgerError,
}

impl Broken {
    /// It could not be written down before, and so it was not sent.
    fn unsent(error: LedgerError) -> Self {
        Self { came: Came::Skipped(error.to_string()), error }
    }

    /// What came of it could not be written down: what was done is open for whoever comes next.
    fn open(came: Came, error: LedgerError) -> Self {
        let came = match came {
            Came::Done => Came::Unknown(format!("it was done, and not written down: {error}")),
            other => other,
        };
        Self { came, error }
    }
}

pub(super) async fn carry_out(
    job: &Job<'_>,
    sender: &Sender<'_>,
    objects: &Objects<'_>,
    step: &Step,
) -> Result<Came, Broken> {
    let conclude = async |leave: Leave, outcome, changes| {
        let now = |change: &_| objects.as_it_is(change);
        journal::conclude(job.ledger, &job.lease, leave.entry, outcome, changes, now).await
    };
    let mut attempt = 1;
    loop {
        let intent = intent(&job.run, step, attempt).map_err(Broken::unsent)?;
        let intended = journal::intend(job.ledger, &job.lease, &intent).await;
        let mut leave = intended.map_err(Broken::unsent)?;
        let mut prolonged = 0;
        let sent = loop {
            match sender.send(step, leave.until).await {
                Err(Failure::TooLate(_)) if prolonged < PROLONGED_MAX && !(job.is_stopped)() => {
                    prolonged += 1;
                    let more = journal::prolong(job.ledger, &job.lease, leave).await;
                    leave = more.map_err(Broken::unsent)?;
                }
                other => break other,
            }
        };
        match seen(job, sender, step, attempt, sent).await {
            Attempt::Came(came, outcome, sent) => {
                let changes =
                    if came == Came::Done { objects.done(step, &sent) } else { Vec::new() };
                return match conclude(leave, outcome, changes).await {
                    Ok(()) => Ok(came),
                    Err(error) => Err(Broken::open(came, error)),
                };
            }
            Attempt::NotSo(why) => {
                let outcome = Outcome::Failed { why: why.clone() };
                let is_last = attempt == ATTEMPTS_MAX || (job.is_stopped)();
                let changes = if is_last { objects.in_doubt(step) } else { Vec::new() };
                let came = Came::Failed(why);
                if let Err(error) = conclude(leave, outcome, changes).await {
                    return Err(Broken::open(came, error));
                }
                if is_last {
                    return Ok(came);
                }
                attempt += 1;
            }
        }
    }
}

/// Whether there may be something of the same name that is not ours.
fn makes_something(step: &Step) -> bool {
    matches!(
        step.change,
        Change::CreateUser { .. }
            | Change::CreateGroup { .. }
            | Change::CreateCustomer { .. }
            | Change::RequestDelegation { .. }
    )
}

fn intent(run: &str, step: &Step, attempt: u32) -> Result<Intent, LedgerError> {
    let cost = &step.cost;
    Ok(Intent {
        run: run.to_owned(),
        step: step.id.clone(),
        attempt,
        object: step.object.clone(),
        verb: step.verb.word().to_owned(),
        marker: step.guard.absent.clone(),
        detail: Some(Json::of(step)?),
        effect: Effect {
            removals: cost.removals,
            privileged_grants: cost.privileged_grants,
            irreversible: cost.irreversible,
            customer: cost.customer.clone(),
        },
    })
}

/// What is seen of what was sent: an answer of yes is believed when the tenant shows it, and of what
/// was not answered the tenant is asked.
async fn seen(
    job: &Job<'_>,
    sender: &Sender<'_>,
    step: &Step,
    attempt: u32,
    sent: Result<Sent, Failure>,
) -> Attempt {
    let failed = |why: String| {
        Attempt::Came(Came::Failed(why.clone()), Outcome::Failed { why }, Sent::default())
    };
    let unknown = |why: String| {
        Attempt::Came(Came::Unknown(why.clone()), Outcome::Unknown { why }, Sent::default())
    };
    let stale = |why: String| {
        Attempt::Came(Came::Stale(why.clone()), Outcome::Stale { why }, Sent::default())
    };
    let done = |sent: Sent| {
        let outcome = Outcome::Done { remote_id: sent.remote_id.clone() };
        Attempt::Came(Came::Done, outcome, sent)
    };
    let open = match sent {
        Ok(sent) if sent.is_proof => return done(sent),
        Ok(_) => None,
        // Sent twice, because nobody answered the first time, and refused the second: it is so.
        Err(Failure::Failed(why)) if !makes_something(step) => {
            let reader = job.writer.reader();
            return match look::once(&reader, step, &sender.made, None).await {
                Ok(Seen::So(sent)) => done(sent),
                Ok(_) | Err(_) => failed(why),
            };
        }
        Err(Failure::Failed(why) | Failure::TooLate(why)) => return failed(why),
        // What is there by now may be what an earlier attempt made after all.
        Err(Failure::Stale(why)) if attempt > 1 => Some(why),
        Err(Failure::Stale(why)) => return stale(why),
        Err(Failure::Unknown(why)) => Some(why),
    };
    if let (Change::ResetPassword { .. }, Some(why)) = (&step.change, &open) {
        // Nobody can see whether it arrived; sent again, it is the same password.
        return Attempt::NotSo(why.clone());
    }
    let reader = job.writer.reader();
    let patience = Patience { settle: job.settle, is_stopped: job.is_stopped };
    match (look::wait(&reader, step, &sender.made, None, patience).await, open) {
        (Ok(Seen::So(mut sent)), _) => {
            sender.remember(step, &sent);
            // The first administrator's password came with the answer that was lost.
            sent.owes_password = matches!(step.change, Change::CreateCustomer { .. });
            done(sent)
        }
        (Ok(Seen::Theirs(why)), _) => stale(why),
        (Ok(Seen::NotSo), None) => {
            failed("the service said yes and did nothing: it is as it was".to_owned())
        }
        (Ok(Seen::NotSo), Some(why)) => Attempt::NotSo(why),
        // Whoever ends a run does not wait out the lag.
        (Ok(Seen::NotYet), why) => unknown(
            why.unwrap_or_else(|| "the service said yes, and does not show it yet".to_owned()),
        ),
        (Err(error), None) => {
            unknown(format!("the service said yes, and it could not be looked at: {error}"))
        }
        (Err(error), Some(why)) => {
            unknown(format!("{why}; and it could not be looked up: {error}"))
        }
    }
}
