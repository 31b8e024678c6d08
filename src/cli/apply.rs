use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use super::applying::{Applying, Signals, is_idle, live};
use super::approvals::{ApprovalArgs, Judged};
use super::going::{GoingArgs, Part, Said, Went};
use super::output::Output;
use super::plan::object;
use super::planning::{Asked, PlanningArgs, Ready};
use super::saved::Saved;
use super::tenant::block_on;
use super::{CommandError, Outcome, saved};
use crate::ledger::ObjectKey;
use crate::plan::file::Plan;
use crate::plan::{State, Step};

/// Make the tenant as the manifests declare it
///
/// Plans, shows the plan, asks, and does it. With a plan that was saved before, it does exactly
/// that: a step that would be another by now is refused before anything is sent. Steps that an
/// earlier run with the same plan has done are passed over.
#[derive(clap::Args, Debug)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    #[command(flatten)]
    going: GoingArgs,
    #[command(flatten)]
    approvals: ApprovalArgs,
    /// Apply only the plan with this digest, or with one that begins like this
    #[arg(long, value_name = "SHA")]
    digest: Option<String>,
    /// Of a saved plan, apply what is still as it was planned, and leave out the rest
    #[arg(long)]
    partial: bool,
    /// Wait so long for people and go on when they have done their part: 30m, 2h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<Duration>,
    /// Take up what a run left that died: waits until its lock is over
    #[arg(long)]
    resume: bool,
    /// Only this, and what it needs; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    target: Vec<ObjectKey>,
    /// Bring back what somebody removed in the tenant; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    revive: Vec<ObjectKey>,
}

/// How often is looked whether somebody has done their part: soon at first, then less often.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_mins(1);

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "a duration is written 90s, 30m or 2h".to_owned())
}

pub(crate) fn run(out: &Output, args: &ApplyArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let signals = Signals::listen();
        let saved = match saved(out, args)? {
            Ok(saved) => saved,
            Err(outcome) => return Ok(outcome),
        };
        let is_saved = saved.is_some();
        let mut went = Box::pin(round(out, args, saved, &signals)).await?;
        let Some(wait) = args.wait else { return Ok(went.outcome) };
        let (until, mut pause) = (Instant::now() + wait, FIRST_PAUSE);
        while went.outcome == Outcome::Done && went.waiting > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                out.say(&format!("{} still wait for people", went.waiting));
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(pause.min(left)) => {}
                () = signals.first() => return Ok(ended(&signals)),
            }
            pause = pause.mul_f32(1.5).min(PAUSE_MAX);
            let before = went.waiting;
            went = match Box::pin(poll(out, args, is_saved, &signals)).await {
                // Somebody else is at work: they may wait for the same people.
                Err(CommandError::Locked(_)) => went,
                other => other?,
            };
            if went.waiting < before {
                out.say(&format!("{} came about, {} left", before - went.waiting, went.waiting));
                pause = FIRST_PAUSE;
            }
        }
        Ok(went.outcome)
    })
}

/// The plan that is to be carried out, if one was named, with who approved of it.
fn saved(out: &Output, args: &ApplyArgs) -> Result<Result<Option<Saved>, Outcome>, CommandError> {
    let path = args.planning.plan_file();
    let plan = path.as_deref().map(saved::read).transpose()?;
    let named = path.as_deref().zip(plan.as_ref());
    let approved_by = match args.approvals.judge(out, named)? {
        Judged::Approved(by) => by,
        Judged::Refused(outcome) => return Ok(Err(outcome)),
    };
    let is_for_once = args.approvals.are_required();
    Ok(Ok(plan.map(|plan| Saved { plan, approved_by, is_for_once })))
}

fn ended(signals: &Signals) -> Outcome {
    signals.number().map_or(Outcome::Done, Outcome::Ended)
}

/// Plans and applies once, under a lease of its own.
async fn round(
    out: &Output,
    args: &ApplyArgs,
    saved: Option<Saved>,
    signals: &Signals,
) -> Result<Went, CommandError> {
    let undoes = saved.as_ref().and_then(|saved| saved.plan.parents.undoes.clone());
    match args.planning.prepare_for_plan(undoes.as_deref(), out).await? {
        Ok(ready) => {
            if undoes.is_none() {
                ready.must_know(&args.asked())?;
            }
            started(out, args, ready, saved, Said::Now, signals).await
        }
        Err(outcome) => Ok(Went { outcome, waiting: 0 }),
    }
}

async fn started(
    out: &Output,
    args: &ApplyArgs,
    ready: Ready,
    saved: Option<Saved>,
    said: Said,
    signals: &Signals,
) -> Result<Went, CommandError> {
    let begun = Box::pin(Applying::begin_or_wait(
        out,
        &args.planning,
        ready,
        "apply",
        args.resume,
        signals,
    ));
    let applying = match begun.await? {
        Ok(applying) => applying,
        Err(outcome) => return Ok(Went { outcome, waiting: 0 }),
    };
    let came = Box::pin(held(out, args, saved, said, &applying, signals)).await;
    applying.end(out, came).await
}

/// Looks whom we wait for by now, and goes on where somebody has done their part. With a saved plan
/// nothing is sent: what people made possible was not reviewed.
async fn poll(
    out: &Output,
    args: &ApplyArgs,
    is_saved: bool,
    signals: &Signals,
) -> Result<Went, CommandError> {
    let ready = match args.planning.prepare_for_plan(None, out).await? {
        Ok(ready) => ready,
        Err(outcome) => return Ok(Went { outcome, waiting: 0 }),
    };
    let planned = ready.plan(&args.asked());
    let (bound, remains) = (live(&ready, &planned), planned.remains.clone());
    let plan = ready.file(planned)?;
    let waiting = plan.report.iter().filter(|one| one.state == State::Waiting).count();
    if is_saved && !plan.steps.is_empty() {
        out.say("more is possible by now: plan again to go on");
    }
    if is_saved || is_idle(&ready, &plan, &bound, &remains) {
        return Ok(Went { outcome: Outcome::Done, waiting });
    }
    started(out, args, ready, None, Said::IfAny, signals).await
}

impl ApplyArgs {
    fn asked(&self) -> Asked {
        Asked {
            targets: self.target.iter().cloned().collect(),
            revive: self.revive.iter().cloned().collect(),
        }
    }
}

impl ApplyArgs {
    /// All that there is to do, asked for or not: what of it is not done now is not as declared, and must
    /// not be remembered as if it were.
    fn all_steps(&self, ready: &Ready, fresh: &Plan) -> BTreeMap<String, ObjectKey> {
        let of = |step: &Step| (step.id.clone(), step.object.clone());
        if self.target.is_empty() {
            return fresh.steps.iter().map(of).collect();
        }
        let all = Asked { targets: BTreeSet::new(), ..self.asked() };
        ready.plan(&all).steps.iter().map(of).collect()
    }
}

/// What is done while the lease is ours.
async fn held(
    out: &Output,
    args: &ApplyArgs,
    saved: Option<Saved>,
    said: Said,
    applying: &Applying,
    signals: &Signals,
) -> Result<Went, CommandError> {
    let ready = &applying.ready;
    if let Some(past) = &ready.past {
        past.must_be_over()?;
    }
    let planned = ready.plan_or_undo(&args.asked());
    let (bound, mut remains) = (live(ready, &planned), planned.remains.clone());
    let fresh = ready.file(planned)?;
    let mut open = args.all_steps(ready, &fresh);
    let said = if saved.is_some() { Said::Before } else { said };
    let (mut stale, mut approved_by) = (Vec::new(), Vec::new());
    let plan = match saved {
        Some(saved) => {
            let done: BTreeSet<String> = applying.done_of(&saved.plan.digest).await?;
            let left = saved::left(saved.plan, &fresh, &done, &bound, args.partial)?;
            if saved.is_for_once && !left.plan.is_empty() {
                applying.must_be_new(&left.plan).await?;
            }
            approved_by = saved.approved_by;
            if !left.done.is_empty() {
                let count = left.done.len();
                out.say(&format!("{count} steps of this plan were done by an earlier run"));
            }
            stale = left.stale;
            left.plan
        }
        None => fresh,
    };
    if let Some(digest) = &args.digest
        && !plan.digest.starts_with(digest.as_str())
    {
        return Err(CommandError::Stale(format!(
            "the plan has the digest {}, not {digest}",
            plan.digest
        )));
    }
    for step in &stale {
        out.say(&format!("stale   {step}"));
    }
    for step in &plan.steps {
        open.remove(&step.id);
    }
    remains.open.extend(open.into_values());
    let is_whole = args.target.is_empty() && stale.is_empty();
    let mut plan = plan;
    // What is left out is not in the tenant as the commit has it.
    plan.parents.commit = plan.parents.commit.filter(|_| is_whole);
    let part = Part { said, is_whole, remains: &remains, approved_by: &approved_by };
    let went = args.going.go(out, plan, &bound, part, applying, signals).await?;
    Ok(if went.outcome == Outcome::Done && !stale.is_empty() {
        Went { outcome: Outcome::Partly, ..went }
    } else {
        went
    })
}
