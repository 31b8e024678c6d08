//! One round: read, plan, do what a machine may.
//!
//! Where nothing is to be done, and nothing to be remembered, no lease is taken: another run may have
//! the ledger. Otherwise it is as `apply` does it, with a part of the plan.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::life::Life;
use crate::apply::Applied;
use crate::cli::applying::{Applying, How, Signals, Teller, is_idle, live};
use crate::cli::output::Output;
use crate::cli::plan::outcome;
use crate::cli::planning::{Asked, PlanningArgs, Ready};
use crate::cli::{CommandError, Outcome};
use crate::ledger::{Counts, ObjectKey};
use crate::plan::file::{AccessChange, Plan};
use crate::plan::timid::{Timid, Why};
use crate::plan::{Remains, Report, State};

/// What a round came to.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) came: Came,
    /// The tenant's own time, where it was read.
    pub(super) at: Option<Timestamp>,
    /// People's steps that are waited for.
    pub(super) waiting: usize,
    /// Steps that are left, by why.
    pub(super) left: BTreeMap<Why, usize>,
    /// Requests, without those for tokens.
    pub(super) calls: u64,
}

#[derive(Debug)]
pub(super) enum Came {
    /// Nothing was to be done.
    Quiet,
    Tried(Counts),
    /// The plan must not be applied.
    Refused {
        outcome: Outcome,
        why: String,
        others: usize,
    },
    /// The manifests or the policies are wrong, which was shown.
    Invalid,
    /// Somebody ended it while it read.
    Stopped,
}

impl Round {
    fn without_plan(came: Came) -> Self {
        Self { came, at: None, waiting: 0, left: BTreeMap::new(), calls: 0 }
    }
}

/// What all rounds have in common.
pub(super) struct Rounds<'a> {
    pub(super) out: &'a Output,
    pub(super) planning: &'a PlanningArgs,
    pub(super) parallel: usize,
    pub(super) signals: &'a Signals,
    pub(super) life: &'a Life,
}

impl Rounds<'_> {
    pub(super) async fn go(&self) -> Result<Round, CommandError> {
        let ready = tokio::select! {
            ready = self.planning.prepare(self.out) => ready?,
            // Whoever only reads can be ended at any time.
            () = self.signals.first() => return Ok(Round::without_plan(Came::Stopped)),
        };
        let Ok(ready) = ready else { return Ok(Round::without_plan(Came::Invalid)) };
        let part = Part::of(&ready)?;
        let calls = ready.tenant.reader.calls();
        if let Some(refused) = part.refused() {
            return Ok(part.came(refused, calls));
        }
        if is_idle(&ready, &part.plan, &part.bound, &part.remains) {
            return Ok(part.came(Came::Quiet, calls));
        }
        let (out, planning, signals) = (self.out, self.planning, self.signals);
        let begun = Box::pin(Applying::begin(out, planning, ready, "reconcile", signals)).await?;
        let applying = match begun {
            Ok(applying) => applying,
            // What stands against it was said.
            Err(outcome @ Outcome::Denied) => {
                let why = "the token is somebody else's than the context expects".to_owned();
                return Ok(Round::without_plan(Came::Refused { outcome, why, others: 0 }));
            }
            Err(_) => return Ok(Round::without_plan(Came::Invalid)),
        };
        let came = Box::pin(self.held(&applying)).await;
        applying.end(out, came).await
    }

    /// What is done while the lease is ours.
    async fn held(&self, applying: &Applying) -> Result<Round, CommandError> {
        let part = Part::of(&applying.ready)?;
        if let Some(refused) = part.refused() {
            return Ok(part.came(refused, applying.calls()));
        }
        for left in &part.timid.left {
            let why: Vec<&str> = left.why.iter().map(|why| why.said(1)).collect();
            self.out.narrate(&format!("left: {} ({})", left.step.summary, why.join(", ")));
        }
        let teller = Teller::new(false, part.plan.steps.len());
        let how = How {
            parallel: self.parallel,
            wave: None,
            teller: &teller,
            signals: self.signals,
            is_whole: true,
            allowed: None,
            approved_by: Vec::new(),
        };
        let alive = || self.life.moves();
        let carried = applying.carry_out(&part.plan, &part.bound, &part.remains, &alive, how);
        let Applied { counts, ended_early, .. } = carried.await?;
        if let Some(error) = ended_early {
            return Err(CommandError::because("keeping the journal", &error));
        }
        // Only what is managed was written down.
        let came = if part.plan.is_empty() { Came::Quiet } else { Came::Tried(counts) };
        Ok(part.came(came, applying.calls()))
    }
}

/// The part of a plan that is done alone, and what was planned.
struct Part {
    /// With these steps alone.
    plan: Plan,
    timid: Timid,
    /// What is declared and there, with its id.
    bound: Vec<(ObjectKey, Option<String>)>,
    /// What is not as declared, and stays so for now; and what is remembered of it.
    remains: Remains,
}

impl Part {
    fn of(ready: &Ready) -> Result<Self, CommandError> {
        let planned = ready.plan(&Asked::default());
        let (bound, mut remains) = (live(ready, &planned), planned.remains.clone());
        let mut plan = ready.file(planned)?;
        let mut timid = Timid::of(std::mem::take(&mut plan.steps));
        plan.steps = std::mem::take(&mut timid.alone);
        if !timid.left.is_empty() {
            // Who gains what was told of the whole, and would be untrue of the part.
            plan.access = AccessChange::default();
            // Nor is the tenant then as the commit has it.
            plan.parents.commit = None;
            plan = plan.sealed().map_err(|error| {
                CommandError::Internal(format!("the plan cannot be written: {error}"))
            })?;
        }
        remains.open.extend(timid.open());
        Ok(Self { plan, timid, bound, remains })
    }

    fn refused(&self) -> Option<Came> {
        let first = self.plan.refused.first()?;
        Some(Came::Refused {
            outcome: outcome(&self.plan, false),
            why: first.message.clone(),
            others: self.plan.refused.len() - 1,
        })
    }

    fn waiting(&self) -> impl Iterator<Item = &Report> {
        self.plan.report.iter().filter(|report| report.state == State::Waiting)
    }

    fn came(&self, came: Came, calls: u64) -> Round {
        Round {
            came,
            at: Some(self.plan.observed_at),
            waiting: self.waiting().count(),
            left: self.timid.reasons(),
            calls,
        }
    }
}
