//! A plan carried out: under the ledger's lease, in the name of the writing identity, with whatever
//! an earlier run left open looked up before.
//!
//! [`Applying::begin`] takes the lease, [`Applying::carry_out`] does what a plan says, and
//! [`Applying::end`] gives the lease back, whatever came of it. While it is ours it is renewed,
//! however long a person thinks.

mod bars;
pub(super) mod handover;
mod idle;
mod signals;
mod tell;
mod waiting;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::output::Output;
use super::planning::{PlanningArgs, Ready, latest_run, ledger_failed};
use super::tenant::{Known, WritingTenant, unanswered, unexpected};
use super::{CommandError, Outcome};
use crate::apply::{self, Applied, Came, Job, LEASE, REQUEST, Recovered, Recovery};
use crate::ledger::{Holder, Lease, Ledger, LedgerError, ObjectKey, Run, RunOutcome, Terms};
use crate::model::customer::Relationship;
use crate::model::name::Kind;
use crate::plan::file::Plan;
use crate::plan::{Binding, Planned, Remains, Verb};

pub(crate) use idle::is_idle;
pub(crate) use signals::Signals;
pub(crate) use tell::{Teller, counted, waited};

/// How often is looked whether a lease that is not ours is over.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often the lease is renewed: well before it no longer outlives a request.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A run that may change the tenant.
pub(crate) struct Applying {
    pub(crate) ready: Ready,
    ledger: Arc<Ledger>,
    tenant: WritingTenant,
    lease: Lease,
    heart: tokio::task::JoinHandle<()>,
}

/// How a plan is carried out.
pub(crate) struct How<'a> {
    pub(crate) parallel: usize,
    /// So many customers at a time.
    pub(crate) wave: Option<usize>,
    pub(crate) teller: &'a Teller,
    pub(crate) signals: &'a Signals,
    /// What is as declared is managed from now on, and what is gone from the manifests no longer is.
    pub(crate) is_whole: bool,
    /// Which limits somebody let pass, and why.
    pub(crate) allowed: Option<String>,
    /// Who approved of it, where approvals were required.
    pub(crate) approved_by: Vec<String>,
}

impl Applying {
    /// Takes the lease, and looks up what an earlier run left open; what may have changed since it was
    /// read is read again.
    pub(crate) async fn begin(
        out: &Output,
        planning: &PlanningArgs,
        ready: Ready,
        reason: &str,
        signals: &Signals,
    ) -> Result<Result<Self, Outcome>, CommandError> {
        Box::pin(Self::begin_or_wait(out, planning, ready, reason, false, signals)).await
    }

    /// The same; with `is_patient`, the lease of a run that is not renewed any more is waited for.
    pub(crate) async fn begin_or_wait(
        out: &Output,
        planning: &PlanningArgs,
        mut ready: Ready,
        reason: &str,
        is_patient: bool,
        signals: &Signals,
    ) -> Result<Result<Self, Outcome>, CommandError> {
        let ledger = Arc::new(planning.ledger.keep(&ready.context, &ready.home).await?);
        let tenant = WritingTenant::connect(&ready.context, &ready.policies.loaded, &ready.home)?;
        // Policy was asked for whoever was expected; from here on the token decides.
        if ready.acting.known != Known::Token {
            ready.acting = tenant.actor().await?;
        }
        let estate = &ready.policies.loaded.estate;
        if let Some((expected, found)) = unexpected(&ready.context, estate, &ready.acting) {
            out.say(&format!(
                "refused: changes would be made by {found}, and the context expects {expected}"
            ));
            out.say(&format!("  sign in as {expected}, or correct `actor` in the context"));
            return Ok(Err(Outcome::Denied));
        }
        let acting = ready.acting.clone();
        let mut held = acquire(&ledger, &ready, reason).await?;
        if let (Err(holder), true) = (&held, is_patient) {
            out.say(&format!("waiting for the lock of {holder}"));
            held = when_free(&ledger, &ready, reason, holder.clone(), signals).await?;
        }
        let lease = held.map_err(|holder| CommandError::Locked(holder.to_string()))?;
        let heart = tokio::spawn(beat(Arc::clone(&ledger), lease.clone()));
        let mut applying = Self { ready, ledger, tenant, lease, heart };
        match applying.read_again(out, planning, signals).await {
            Ok(None) => Ok(Ok(applying)),
            Ok(Some(Ok(ready))) => {
                applying.ready = ready;
                applying.ready.acting = acting;
                Ok(Ok(applying))
            }
            Ok(Some(Err(outcome))) => applying.end(out, Ok(Err(outcome))).await,
            Err(error) => applying.end(out, Err(error)).await,
        }
    }

    /// Looks up what an earlier run left open. What was read before the lease was ours is read again, if
    /// anybody was at work since; and everything, if a run died.
    async fn read_again(
        &self,
        out: &Output,
        planning: &PlanningArgs,
        signals: &Signals,
    ) -> Result<Option<Result<Ready, Outcome>>, CommandError> {
        let has_moved = latest_run(&self.ledger).await? != self.ready.latest;
        let undoes = self.undoes();
        if self.recover(out, signals).await? {
            return planning.prepare_anew(undoes.as_deref(), out).await.map(Some);
        }
        if has_moved {
            out.narrate("another run ended meanwhile: reading again");
            return planning.prepare_for_plan(undoes.as_deref(), out).await.map(Some);
        }
        Ok(None)
    }

    /// Gives the lease back. What came of the run is more important than how that went.
    pub(crate) async fn end<T>(
        self,
        out: &Output,
        came: Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        self.heart.abort();
        // The task holds the ledger until it is gone.
        let _ = self.heart.await;
        let released = self.ledger.release(&self.lease).await;
        if let Ok(ledger) = Arc::try_unwrap(self.ledger) {
            ledger.close().await;
        }
        if let Err(error) = released
            && !matches!(error, LedgerError::LeaseLost { .. })
            && came.is_ok()
        {
            // What came of it is no other for that: the lease ends by itself.
            out.say(&format!("the lock could not be given back, and lasts two minutes: {error}"));
        }
        came
    }

    fn undoes(&self) -> Option<String> {
        self.ready.past.as_ref().map(|past| past.run.id.clone())
    }

    async fn recover(&self, out: &Output, signals: &Signals) -> Result<bool, CommandError> {
        let estate = &self.ready.policies.loaded.estate;
        let account = estate.account.as_ref().map(|account| account.metadata.name.as_str());
        let reader = self.tenant.writer.reader();
        let handover = handover::of(&self.ready.policies.loaded, &self.ready.home, None)?;
        let recovered = apply::recover(Recovery {
            reader: &reader,
            ledger: &self.ledger,
            lease: &self.lease,
            estate,
            name: account.unwrap_or_default(),
            settle: self.ready.tenant.settle,
            handover: &handover,
            is_stopped: &|| signals.has_come(),
        })
        .await;
        let recovered = recovered.map_err(|error| match error {
            apply::RecoverError::Ledger(error) => ledger_failed(&error),
            apply::RecoverError::Tenant(error) => {
                unanswered("looking up what an earlier run left open", &error)
            }
        })?;
        for step in &recovered.happened {
            out.say(&format!("left open by an earlier run, and done: {step}"));
        }
        for step in &recovered.not {
            out.say(&format!("left open by an earlier run, and planned anew: {step}"));
        }
        Ok(recovered != Recovered::default())
    }

    /// The steps that earlier runs with this plan have done.
    pub(crate) async fn done_of(&self, digest: &str) -> Result<BTreeSet<String>, CommandError> {
        let read = self.ledger.done_of(digest.to_owned()).await;
        read.map(BTreeSet::from_iter).map_err(|error| ledger_failed(&error))
    }

    /// A plan that a run has carried out to its end is used up, and so are its approvals.
    pub(crate) async fn must_be_new(&self, plan: &Plan) -> Result<(), CommandError> {
        let runs = self.ledger.runs(u32::MAX).await.map_err(|error| ledger_failed(&error))?;
        let is_of_it = |run: &&Run| {
            run.id.starts_with(&runs_of(plan))
                && run.started.plan_digest == plan.digest
                && run.ended.as_ref().is_some_and(|(_, end)| end.outcome == RunOutcome::Applied)
        };
        runs.iter().find(is_of_it).map_or(Ok(()), |run| {
            Err(CommandError::Stale(format!(
                "the plan was approved once and carried out by the run {}: nothing was sent\nplan again, and have that approved",
                run.id
            )))
        })
    }

    /// Does what a plan says. `bound` is what is declared and there, with its id; what
    /// `remains` is remembered beside the steps. `alive` is told whenever anything moves.
    pub(crate) async fn carry_out(
        &self,
        plan: &Plan,
        bound: &[(ObjectKey, Option<String>)],
        remains: &Remains,
        alive: &(dyn Fn() + Sync),
        how: How<'_>,
    ) -> Result<Applied, CommandError> {
        let Self { ready, ledger, tenant, lease, heart: _ } = self;
        let handover = handover::of(&ready.policies.loaded, &ready.home, how.teller.bars())?;
        let objects = ledger.objects().await.map_err(|error| ledger_failed(&error))?;
        let tell = |event: apply::Event<'_>| {
            alive();
            how.teller.tell(event);
        };
        let job = Job {
            plan,
            estate: &ready.policies.loaded.estate,
            writer: &tenant.writer,
            ledger,
            lease: lease.clone(),
            objects,
            handover: &handover,
            run: run_id(plan),
            actor: ready.acting.user.clone().unwrap_or_default(),
            allowed: how.allowed,
            approved_by: how.approved_by,
            parallel: how.parallel,
            wave: how.wave,
            settle: ready.tenant.settle,
            bound,
            is_complete: ready.is_complete && how.is_whole,
            remains,
            tell: &tell,
            is_stopped: &|| how.signals.has_come(),
        };
        let applied = apply::apply(job).await.map_err(|error| ledger_failed(&error));
        how.teller.end();
        let mut applied = applied?;
        // Whom we wait for follows from manifests.
        if applied.ended_early.is_none() && plan.parents.undoes.is_none() {
            applied.ended_early = waiting::keep(ledger, lease, plan, how.is_whole).await.err();
        }
        Ok(applied)
    }
}

impl Applying {
    /// How many requests it has sent, and what it was prepared with.
    pub(crate) fn calls(&self) -> u64 {
        self.tenant.writer.reader().calls() + self.ready.tenant.reader.calls()
    }

    /// The files that a run sealed passwords in.
    pub(crate) fn sealed(&self, plan: &Plan, applied: &Applied) -> Vec<PathBuf> {
        let home = &self.ready.home;
        let Ok(handover) = handover::of(&self.ready.policies.loaded, home, None) else {
            return Vec::new();
        };
        let done = plan.steps.iter().filter(|step| {
            matches!(step.verb, Verb::Create | Verb::Reset)
                && applied.steps.get(&step.id) == Some(&Came::Done)
        });
        let files = done.filter_map(|step| handover.kept(&step.object.to_string(), &applied.run));
        let mut files: Vec<PathBuf> =
            files.map(|file| file.strip_prefix(home).map_or(file.clone(), Into::into)).collect();
        files.dedup();
        files
    }
}

async fn beat(ledger: Arc<Ledger>, lease: Lease) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        // Whether it is still ours is asked again before anything is sent.
        if let Err(error) = ledger.renew(&lease).await {
            tracing::debug!(%error, "the lease was not renewed");
        }
    }
}

async fn acquire(
    ledger: &Ledger,
    ready: &Ready,
    reason: &str,
) -> Result<Result<Lease, Box<Holder>>, CommandError> {
    let who = ready.acting.user.clone().unwrap_or_else(|| "an application".to_owned());
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let terms = Terms {
        holder: format!("{who} on {} (process {})", host.trim(), std::process::id()),
        reason: reason.to_owned(),
        duration: LEASE,
        request_timeout: REQUEST,
    };
    match ledger.acquire(terms).await {
        Ok(lease) => Ok(Ok(lease)),
        Err(LedgerError::Held(holder)) => Ok(Err(holder)),
        Err(error) => Err(ledger_failed(&error)),
    }
}

/// Waits until a lease is over that nobody renews; whose lease goes on is alive.
async fn when_free(
    ledger: &Ledger,
    ready: &Ready,
    reason: &str,
    mut holder: Box<Holder>,
    signals: &Signals,
) -> Result<Result<Lease, Box<Holder>>, CommandError> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = signals.first() => return Ok(Err(holder)),
        }
        match acquire(ledger, ready, reason).await? {
            Err(now) if now.until <= holder.until && now.since == holder.since => holder = now,
            other => return Ok(other),
        }
    }
}

/// Unique enough: when it was planned, what, and chance.
fn run_id(plan: &Plan) -> String {
    format!("{}{:04x}", runs_of(plan), rand::random::<u16>())
}

/// How the ids of all runs with a plan begin.
fn runs_of(plan: &Plan) -> String {
    let time = plan.observed_at.strftime("%Y%m%dT%H%M%SZ");
    let short: String = plan.digest.chars().take(8).collect();
    format!("{time}-{short}-")
}

/// What is declared and there, with its id.
pub(crate) fn live(ready: &Ready, planned: &Planned) -> Vec<(ObjectKey, Option<String>)> {
    let estate = &ready.policies.loaded.estate;
    let mut all = Vec::new();
    if let Some(account) = &estate.account {
        let key = ObjectKey::new(Kind::Account, account.metadata.name.as_str());
        all.push((key, ready.snapshot.tenant.map(|tenant| tenant.to_string())));
    }
    for (key, binding) in &planned.bound.users {
        if let Binding::Live(id) = binding {
            all.push((ObjectKey::new(Kind::User, key.as_str()), Some(id.to_string())));
        }
    }
    for (key, binding) in &planned.bound.roles {
        if let Binding::Live(id) = binding {
            all.push((ObjectKey::new(Kind::Role, key.as_str()), Some(id.to_string())));
        }
    }
    for (key, binding) in &planned.bound.customers {
        if let Binding::Live(id) = binding {
            all.push((ObjectKey::new(Kind::Customer, key.as_str()), Some(id.to_string())));
        }
    }
    let seats = planned.bound.delegated.iter();
    all.extend(seats.map(|(key, id)| (key.clone(), Some(id.0.clone()))));
    // A tie that is not to be, and is not, is as declared.
    for (name, declared) in &estate.customers {
        let key = ObjectKey::new(Kind::Customer, name.as_str());
        if declared.spec.relationship == Relationship::None
            && !matches!(planned.bound.customers.get(name), Some(Binding::Live(_)))
            && ready.record.object(&key).is_some()
        {
            all.push((key, None));
        }
    }
    for (key, declared) in &estate.partnerships {
        let tenant = declared.spec.tenant_id;
        let is_there = ready
            .snapshot
            .partnerships
            .iter()
            .any(|found| found.tenant == tenant && found.state == "active");
        if is_there {
            all.push((ObjectKey::new(Kind::Partnership, key.as_str()), Some(tenant.to_string())));
        }
    }
    all
}
