//! Does what a plan says, and nothing else.
//!
//! Every step is written into the journal before its request leaves and after it is known what came
//! of it, under a lease that outlives the request. A step that fails fails alone: what needs it is
//! skipped, its neighbours go on. What takes something away waits for all that gives, so that nobody
//! is locked out by a step that failed before.

mod delegated;
mod execute;
mod gather;
pub mod handover;
mod journal;
mod look;
mod record;
mod recover;
mod register;
mod seats;
mod step;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use serde_json::Value;

use execute::{Made, Sender};
use handover::Handover;
use journal::patiently;
use record::{Keeping, Objects};
use step::Broken;

use crate::ledger::{
    Counts, Ended, Lease, Ledger, LedgerError, ObjectKey, Recorded, RunOutcome, Started,
};
use crate::model::estate::Estate;
use crate::model::name::Kind;
use crate::partner::Writer;
use crate::plan::Remains;
use crate::plan::file::Plan;
use crate::plan::step::{FieldChange, Step};

pub use record::{Known, is_settled};
pub use recover::{RecoverError, Recovered, Recovery, recover};

/// How long the lease is taken for; whoever took it renews it while the run lives.
pub const LEASE: Duration = Duration::from_mins(2);
/// How long one request may take at most, repeats and waits for the limits included.
pub const REQUEST: Duration = Duration::from_secs(90);
/// How often is told for what everybody waits.
const TELL: Duration = Duration::from_secs(1);

/// What is to be done, with what.
pub struct Job<'a> {
    pub plan: &'a Plan,
    pub estate: &'a Estate,
    pub writer: &'a Writer,
    pub ledger: &'a Ledger,
    pub lease: Lease,
    /// What is managed, as the ledger holds it.
    pub objects: Vec<Recorded>,
    pub handover: &'a Handover,
    pub run: String,
    pub actor: String,
    /// Which limits somebody let pass, and why.
    pub allowed: Option<String>,
    /// Who approved of the plan, where approvals were required.
    pub approved_by: Vec<String>,
    pub parallel: usize,
    /// So many customers at a time: those after them wait until all went well.
    pub wave: Option<usize>,
    /// How long the service may take to show what was written.
    pub settle: Duration,
    /// What is declared and there, with its id, once all is done.
    pub bound: &'a [(ObjectKey, Option<String>)],
    /// These were all the manifests there are.
    pub is_complete: bool,
    /// What there is to remember beside these steps: what is not as declared, whatever comes of them.
    pub remains: &'a Remains,
    /// Told of each step as it begins and ends.
    pub tell: &'a (dyn Fn(Event<'_>) + Sync),
    /// Whether somebody wants it to end.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("run", &self.run).finish_non_exhaustive()
    }
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    Began(&'a Step),
    Ended(&'a Step, &'a Came),
    /// For how long the service makes everybody wait, or that it no longer does.
    Paced(Option<Duration>),
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Done,
    Failed(String),
    Stale(String),
    Unknown(String),
    Skipped(String),
}

impl Came {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Stale(_) => "stale",
            Self::Unknown(_) => "unknown",
            Self::Skipped(_) => "skipped",
        }
    }

    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Failed(why) | Self::Stale(why) | Self::Unknown(why) | Self::Skipped(why) => {
                Some(why)
            }
        }
    }
}

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Applied {
    pub run: String,
    /// By the step's id.
    pub steps: BTreeMap<String, Came>,
    pub counts: Counts,
    /// Why it ended before everything was tried.
    pub ended_early: Option<LedgerError>,
    pub was_stopped: bool,
}

impl Applied {
    /// Whether anything was sent that the tenant may show.
    pub fn is_begun(&self) -> bool {
        self.steps.values().any(|came| !matches!(came, Came::Skipped(_) | Came::Stale(_)))
    }

    pub fn is_whole(&self) -> bool {
        self.ended_early.is_none()
            && !self.was_stopped
            && self.steps.values().all(|came| *came == Came::Done)
    }
}

/// Does it.
pub async fn apply(job: Job<'_>) -> Result<Applied, LedgerError> {
    let started = Started {
        estate: job.plan.parents.estate.clone(),
        actor: job.actor.clone(),
        commit: job.plan.parents.commit.clone(),
        plan_digest: job.plan.digest.clone(),
        undoes: job.plan.parents.undoes.clone(),
        allowed: job.allowed.clone(),
        approved_by: job.approved_by.clone(),
    };
    job.ledger.start_run(&job.lease, job.run.clone(), started).await?;
    let sender = Sender {
        writer: job.writer,
        handover: job.handover,
        made: Made::default(),
        run: job.run.clone(),
        enabled: std::sync::Mutex::default(),
        passwords: std::sync::Mutex::default(),
        looks: delegated::Looks::default(),
    };
    let keeping = Keeping { estate: job.estate, name: &job.plan.parents.estate, run: &job.run };
    let objects = Objects::new(keeping, &job.objects);
    let mut applied = Walk::new(&job, &sender, &objects).run().await;
    job.handover.settle();
    applied.run.clone_from(&job.run);
    applied.counts = counts(job.plan, &applied);
    if applied.ended_early.is_none() {
        // What was done is done, even if it cannot be written down that this was all.
        applied.ended_early = end(&job, &objects, &applied).await.err();
    }
    Ok(applied)
}

/// Remembers what is as declared, and that the run is over.
async fn end(job: &Job<'_>, objects: &Objects<'_>, applied: &Applied) -> Result<(), LedgerError> {
    // Who goes back has not made anything as it is declared.
    let goes_back = job.plan.parents.undoes.is_some();
    let last = if goes_back { Vec::new() } else { objects.at_the_end(job, applied) };
    if !last.is_empty() {
        patiently(async || job.ledger.record(&job.lease, last.clone()).await).await?;
    }
    let outcome = if applied.was_stopped {
        RunOutcome::Interrupted
    } else if applied.is_whole() {
        RunOutcome::Applied
    } else {
        RunOutcome::Partly
    };
    let ended = Ended { outcome, counts: applied.counts };
    patiently(async || {
        match job.ledger.end_run(&job.lease, job.run.clone(), ended.clone()).await {
            // Written the first time, when the answer was lost.
            Err(LedgerError::Contradiction { .. }) => Ok(()),
            other => other,
        }
    })
    .await
}

fn counts(plan: &Plan, applied: &Applied) -> Counts {
    let count = |word: &str| {
        let count = applied.steps.values().filter(|came| came.word() == word).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let waiting =
        plan.report.iter().filter(|report| report.state == crate::plan::State::Waiting).count();
    Counts {
        done: count("done"),
        failed: count("failed"),
        skipped: count("skipped"),
        stale: count("stale"),
        unknown: count("unknown"),
        waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
    }
}

/// The way through the steps.
struct Walk<'a> {
    job: &'a Job<'a>,
    sender: &'a Sender<'a>,
    objects: &'a Objects<'a>,
    waves: Waves,
    /// Steps that can go now, in the order of their phases and of the plan.
    ready: BTreeSet<(Phase, usize)>,
    /// How many others a step waits for.
    waits_for: HashMap<usize, usize>,
    leads_to: HashMap<usize, Vec<usize>>,
    applied: Applied,
    failed: Failed<'a>,
}

/// When a step's turn is: what takes away comes after all that gives, and customers come in waves.
type Phase = (bool, usize);

/// Which step comes in which wave.
struct Waves {
    of: Vec<Phase>,
    /// Steps that have not ended, by phase.
    left: BTreeMap<Phase, usize>,
    /// The first in which something did not come about.
    failed: Option<Phase>,
}

impl Waves {
    fn new(steps: &[Step], size: Option<usize>) -> Self {
        let mut customers: HashMap<&str, usize> = HashMap::new();
        let mut left = BTreeMap::new();
        let of: Vec<Phase> = steps
            .iter()
            .map(|step| {
                let wave = size.and_then(|size| {
                    let next = customers.len();
                    let at = *customers.entry(step.object.customer()?).or_insert(next);
                    // Whatever is nobody's comes before.
                    Some(1 + at / size.max(1))
                });
                (step.verb.takes_away(), wave.unwrap_or_default())
            })
            .collect();
        for phase in &of {
            *left.entry(*phase).or_default() += 1;
        }
        Self { of, left, failed: None }
    }

    fn of(&self, at: usize) -> Phase {
        self.of.get(at).copied().unwrap_or_default()
    }

    /// Whose turn it is.
    fn now(&self) -> Option<Phase> {
        self.left.keys().next().copied()
    }

    fn ended(&mut self, at: usize, is_done: bool) {
        let phase = self.of(at);
        if let Some(count) = self.left.get_mut(&phase) {
            *count -= 1;
            if *count == 0 {
                self.left.remove(&phase);
            }
        }
        if !is_done && phase.1 > 0 {
            // What is skipped for want of it may be of a later one, and is told first.
            self.failed = Some(self.failed.map_or(phase, |failed| failed.min(phase)));
        }
    }

    /// Whether a step is not to be begun, because one of an earlier wave did not come about.
    fn is_off(&self, at: usize) -> bool {
        let phase = self.of(at);
        phase.1 > 0 && self.failed.is_some_and(|failed| failed < phase)
    }
}

type Running<'a> = BoxFuture<'a, (usize, Result<Came, Broken>)>;

impl<'a> Walk<'a> {
    fn new(job: &'a Job<'a>, sender: &'a Sender<'a>, objects: &'a Objects<'a>) -> Self {
        let steps = &job.plan.steps;
        let by_id: HashMap<&str, usize> =
            steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let waves = Waves::new(steps, job.wave);
        let (mut ready, mut waits_for) = (BTreeSet::new(), HashMap::new());
        let mut leads_to: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            let needed: Vec<usize> =
                step.depends_on.iter().filter_map(|id| by_id.get(id.as_str()).copied()).collect();
            for needed in &needed {
                leads_to.entry(*needed).or_default().push(at);
            }
            if needed.is_empty() {
                ready.insert((waves.of(at), at));
            } else {
                waits_for.insert(at, needed.len());
            }
        }
        Self {
            job,
            sender,
            objects,
            waves,
            ready,
            waits_for,
            leads_to,
            applied: Applied::default(),
            failed: Failed::default(),
        }
    }

    async fn run(mut self) -> Applied {
        let mut running: FuturesUnordered<Running<'a>> = FuturesUnordered::new();
        let mut telling = tokio::time::interval(TELL);
        loop {
            self.begin(&mut running);
            self.job.ledger.expect(running.len());
            if running.is_empty() {
                break;
            }
            tokio::select! {
                ended = running.next() => {
                    let Some((at, came)) = ended else { continue };
                    match came {
                        Ok(came) => self.ended(at, came),
                        Err(Broken { came, error }) => {
                            self.ended(at, came);
                            self.applied.ended_early.get_or_insert(error);
                        }
                    }
                }
                _ = telling.tick() => (self.job.tell)(Event::Paced(self.job.writer.held_back())),
            }
        }
        self.leave();
        self.applied
    }

    /// Whether nothing more may be sent.
    fn is_over(&mut self) -> bool {
        if (self.job.is_stopped)() {
            self.applied.was_stopped = true;
        }
        self.applied.was_stopped || self.applied.ended_early.is_some()
    }

    fn begin(&mut self, running: &mut FuturesUnordered<Running<'a>>) {
        while running.len() < self.job.parallel.max(1) {
            if self.is_over() {
                return;
            }
            let Some(&(phase, at)) = self.ready.first() else { return };
            if self.waves.now().is_some_and(|now| now < phase) {
                return;
            }
            self.ready.pop_first();
            let Some(step) = self.job.plan.steps.get(at) else { continue };
            if self.waves.is_off(at) {
                let why = "not everything of an earlier wave came about";
                self.skip(at, why.to_owned());
                continue;
            }
            if self.failed.block(step) {
                let why = "something that was to be given before could not be";
                self.skip(at, why.to_owned());
                continue;
            }
            (self.job.tell)(Event::Began(step));
            let (job, sender, objects) = (self.job, self.sender, self.objects);
            running.push(Box::pin(async move {
                (at, step::carry_out(job, sender, objects, step).await)
            }));
        }
    }

    fn ended(&mut self, at: usize, came: Came) {
        let Some(step) = self.job.plan.steps.get(at) else { return };
        (self.job.tell)(Event::Ended(step, &came));
        let is_done = came == Came::Done;
        self.waves.ended(at, is_done);
        if !is_done && !step.verb.takes_away() {
            self.failed.add(step);
        }
        self.applied.steps.insert(step.id.clone(), came);
        for next in self.leads_to.remove(&at).unwrap_or_default() {
            if !is_done {
                self.skip(next, format!("`{}` did not come about", step.id));
            } else if let Some(count) = self.waits_for.get_mut(&next) {
                *count -= 1;
                if *count == 0
                    && let Some(step) = self.job.plan.steps.get(next)
                    && !self.applied.steps.contains_key(&step.id)
                {
                    self.ready.insert((self.waves.of(next), next));
                }
            }
        }
    }

    fn skip(&mut self, at: usize, why: String) {
        let Some(step) = self.job.plan.steps.get(at) else { return };
        if !self.applied.steps.contains_key(&step.id) {
            self.ready.remove(&(self.waves.of(at), at));
            self.ended(at, Came::Skipped(why));
        }
    }

    /// What was never tried.
    fn leave(&mut self) {
        let why = match (&self.applied.ended_early, self.applied.was_stopped) {
            (Some(error), _) => error.to_string(),
            (None, true) => "the run was ended".to_owned(),
            (None, false) => "what it needs did not come about".to_owned(),
        };
        for step in &self.job.plan.steps {
            if !self.applied.steps.contains_key(&step.id) {
                let came = Came::Skipped(why.clone());
                (self.job.tell)(Event::Ended(step, &came));
                self.applied.steps.insert(step.id.clone(), came);
            }
        }
    }
}

/// Whether what takes something away is not done if what gives something fails. Delegated access locks
/// nobody out of our own account: there, what goes from one group of a seat to another waits.
fn blocks(gift: &Step, taken: &Step) -> bool {
    if gift.verb.takes_away() || !taken.verb.takes_away() {
        return false;
    }
    if gift.object.kind != Kind::DelegatedAccess {
        return may_lock_out(taken);
    }
    gift.object == taken.object && {
        let given = roles(gift, |field| (&field.after, &field.before));
        let lost = roles(taken, |field| (&field.before, &field.after));
        !given.is_disjoint(&lost)
    }
}

/// The directory roles that stand in one value of a step's fields and not in the other.
fn roles<'s>(
    step: &'s Step,
    sides: impl Fn(&'s FieldChange) -> (&'s Value, &'s Value),
) -> HashSet<&'s str> {
    let words = |value: &'s Value| value.as_array().into_iter().flatten().filter_map(Value::as_str);
    let fields = step.fields.iter().map(sides);
    fields
        .flat_map(|(here, there)| {
            let others: HashSet<&str> = words(there).collect();
            words(here).filter(move |word| !others.contains(word))
        })
        .collect()
}

/// Steps that were to give something and could not.
#[derive(Default)]
pub(crate) struct Failed<'a> {
    /// One that is about our own account: it stands for all.
    own: Option<&'a Step>,
    by_seat: HashMap<&'a ObjectKey, Vec<&'a Step>>,
}

impl<'a> Failed<'a> {
    pub(crate) fn of(gifts: impl IntoIterator<Item = &'a Step>) -> Self {
        let mut failed = Self::default();
        for gift in gifts {
            failed.add(gift);
        }
        failed
    }

    fn add(&mut self, gift: &'a Step) {
        if gift.object.kind == Kind::DelegatedAccess {
            self.by_seat.entry(&gift.object).or_default().push(gift);
        } else {
            self.own = Some(gift);
        }
    }

    /// Whether something is not taken because of them.
    pub(crate) fn block(&self, taken: &Step) -> bool {
        let of_seat = self.by_seat.get(&taken.object).into_iter().flatten();
        self.own.iter().chain(of_seat).any(|gift| blocks(gift, taken))
    }
}

/// Whether somebody could be locked out by it.
fn may_lock_out(step: &Step) -> bool {
    use crate::plan::Change;
    matches!(
        step.change,
        Change::RemoveMember { .. }
            | Change::RemoveRole { .. }
            | Change::UpdateUser { .. }
            | Change::DeleteUser { .. }
            | Change::UpdateDelegation { .. }
            | Change::UpdateDelegated { .. }
            | Change::UnassignDelegated { .. }
            | Change::TerminateDelegation { .. }
    )
}
