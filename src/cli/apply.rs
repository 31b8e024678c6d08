use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::Path;

use super::applying::{Applying, How, Signals, Teller, live};
use super::output::Output;
use super::plan::{object, outcome};
use super::planning::{Asked, PlanningArgs};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::ledger::ObjectKey;
use crate::plan::file::{Plan, Why};
use crate::plan::guard;
use crate::plan::step::Step;
use crate::report::plan as report;

/// Make the tenant as the manifests declare it
///
/// Plans, shows the plan, asks, and does it. With a plan that was saved before, it does exactly
/// that: a step that would be another by now is refused before anything is sent.
#[derive(clap::Args, Debug)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    /// Apply only the plan with this digest, or with one that begins like this
    #[arg(long, value_name = "SHA")]
    digest: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only this, and what it needs; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    target: Vec<ObjectKey>,
    /// Bring back what somebody removed in the tenant; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    revive: Vec<ObjectKey>,
    /// How many steps at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    parallel: usize,
    /// Let a limit pass, up to this: removals=3; repeatable
    #[arg(long, value_name = "LIMIT=N", requires = "reason", value_parser = allowance)]
    allow: Vec<(String, u64)>,
    /// Why a limit may pass
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// How to tell what happens
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: a line of JSON for each step, then a summary
    Json,
}

pub(crate) fn allowance(text: &str) -> Result<(String, u64), String> {
    let wrong = || {
        "a limit and a number: removals=3, privilegedGrants=N, customersTouched=N, irreversible=N"
            .to_owned()
    };
    let (name, number) = text.split_once('=').ok_or_else(wrong)?;
    let known = ["removals", "privilegedGrants", "customersTouched", "irreversible"];
    if !known.contains(&name) {
        return Err(wrong());
    }
    Ok((name.to_owned(), number.parse().map_err(|_| wrong())?))
}

pub(crate) fn run(out: &Output, args: &ApplyArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let signals = Signals::listen();
        let saved = match args.planning.plan_file() {
            Some(path) => Some(read(&path)?),
            None => None,
        };
        let undoes = saved.as_ref().and_then(|plan| plan.parents.undoes.clone());
        let ready = match args.planning.prepare_for_plan(undoes.as_deref(), out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let begun = Box::pin(Applying::begin(out, &args.planning, ready, "apply", &signals));
        let applying = match begun.await? {
            Ok(applying) => applying,
            Err(outcome) => return Ok(outcome),
        };
        let came = Box::pin(held(out, args, saved, &applying, &signals)).await;
        applying.end(came).await
    })
}

fn read(path: &Path) -> Result<Plan, CommandError> {
    let bytes = std::fs::read(path).map_err(|source| {
        CommandError::failed(format!("reading the plan {}", path.display()), source)
    })?;
    Plan::read(&bytes)
        .map_err(|error| CommandError::NotAPlan(format!("{}: {error}", path.display())))
}

/// What is done while the lease is ours.
async fn held(
    out: &Output,
    args: &ApplyArgs,
    saved: Option<Plan>,
    applying: &Applying,
    signals: &Signals,
) -> Result<Outcome, CommandError> {
    let asked = Asked {
        targets: args.target.iter().cloned().collect::<BTreeSet<_>>(),
        revive: args.revive.iter().cloned().collect(),
    };
    let ready = &applying.ready;
    if let Some(past) = &ready.past {
        past.must_be_over()?;
    }
    let planned = ready.plan_or_undo(&asked);
    let bound = live(ready, &planned);
    let fresh = ready.file(planned)?;
    let is_saved = saved.is_some();
    let plan = match saved {
        Some(saved) => still(saved, &fresh)?,
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
    let going = Going {
        is_saved,
        yes: args.yes,
        parallel: args.parallel,
        allow: &args.allow,
        format: args.format,
        is_whole: args.target.is_empty(),
    };
    go(out, plan, &bound, &going, applying, signals).await
}

/// How somebody wants a plan carried out.
pub(crate) struct Going<'a> {
    /// It was shown before.
    pub(crate) is_saved: bool,
    pub(crate) yes: bool,
    pub(crate) parallel: usize,
    pub(crate) allow: &'a [(String, u64)],
    pub(crate) format: Format,
    /// Nothing of it was left out.
    pub(crate) is_whole: bool,
}

/// Shows a plan, asks, and carries it out.
pub(crate) async fn go(
    out: &Output,
    mut plan: Plan,
    bound: &[(ObjectKey, Option<String>)],
    going: &Going<'_>,
    applying: &Applying,
    signals: &Signals,
) -> Result<Outcome, CommandError> {
    allow(going.allow, &mut plan);
    if !going.is_saved {
        let style = out.style();
        out.narration(|to| report::write(&plan, report::Format::Text, style, to))?;
    }
    if !plan.refused.is_empty() {
        if going.is_saved {
            for refusal in &plan.refused {
                out.say(&format!("refused: {}\n  {}", refusal.message, refusal.remedy));
            }
        }
        return Ok(outcome(&plan, false));
    }
    if !plan.is_empty() && !going.yes && !agreed(out, &plan, signals).await? {
        out.say("nothing was sent");
        return Ok(signals.number().map_or(Outcome::Done, Outcome::Ended));
    }
    let teller = Teller::new(going.format == Format::Json, plan.steps.len());
    let how = How { parallel: going.parallel, teller: &teller, signals, is_whole: going.is_whole };
    let applied = applying.carry_out(&plan, bound, how).await?;
    teller.summary(out, &plan, &applied)?;
    let sealed = applying.sealed(&plan, &applied);
    if let Some(folder) = sealed.first().and_then(|file| file.parent()) {
        out.say(&format!(
            "one-time passwords sealed in {}: {}; `age --decrypt --identity KEY FILE` opens one",
            folder.display(),
            sealed.len()
        ));
    }
    if let Some(error) = &applied.ended_early {
        return Err(CommandError::because("keeping the journal", error));
    }
    Ok(match signals.number() {
        Some(number) if applied.was_stopped => Outcome::Ended(number),
        _ if applied.is_whole() => Outcome::Done,
        _ => Outcome::Partly,
    })
}

/// A saved plan, if each of its steps is still what the manifests and the tenant ask for.
fn still(saved: Plan, fresh: &Plan) -> Result<Plan, CommandError> {
    let (was, is) = (&saved.parents, &fresh.parents);
    for (what, was, is) in [
        ("the ledger", &was.ledger, &is.ledger),
        ("the tenant", &was.tenant, &is.tenant),
        ("the estate", &Some(was.estate.clone()), &Some(is.estate.clone())),
        ("the run that it undoes", &was.undoes, &is.undoes),
    ] {
        if was.is_some() && was != is {
            return Err(CommandError::Stale(format!("the plan was made for another: {what}")));
        }
    }
    let now: std::collections::HashMap<&str, &Step> =
        fresh.steps.iter().map(|step| (step.id.as_str(), step)).collect();
    let mut changed = Vec::new();
    let mut steps = Vec::new();
    for step in &saved.steps {
        match now.get(step.id.as_str()) {
            Some(found) if guard::is_same(step, found) => steps.push((*found).clone()),
            Some(_) => changed.push(format!("{}: it would be another step now", step.id)),
            None => {
                changed.push(format!("{}: it is not needed, or not possible, any more", step.id));
            }
        }
    }
    if !changed.is_empty() {
        return Err(CommandError::Stale(format!(
            "the plan is stale: nothing was sent\n{}",
            changed.join("\n")
        )));
    }
    let kept: BTreeSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    // Of what is refused by now, what belongs to these steps; guards and limits are of the whole.
    let refused = fresh
        .refused
        .iter()
        .filter(|refusal| refusal.step.as_deref().is_none_or(|step| kept.contains(step)));
    Ok(Plan {
        refused: refused.cloned().collect(),
        report: fresh.report.clone(),
        limits: fresh.limits.clone(),
        steps,
        ..saved
    })
}

/// Lets limits pass that somebody answers for.
fn allow(allowed: &[(String, u64)], plan: &mut Plan) {
    let limits = plan.limits.named();
    let passes = |name: &str| {
        allowed.iter().any(|(allowed, number)| {
            allowed == name
                && limits
                    .iter()
                    .any(|(limit, measured)| *limit == name && measured.planned <= *number)
        })
    };
    plan.refused.retain(|refusal| {
        refusal.why != Why::Limit
            || !limits
                .iter()
                .any(|(name, _)| refusal.message.contains(&format!("`{name}`")) && passes(name))
    });
}

/// Asks whoever sits at the terminal; the lease is kept alive meanwhile.
async fn agreed(out: &Output, plan: &Plan, signals: &Signals) -> Result<bool, CommandError> {
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::usage(
            "nobody is there to be asked\nadd `--yes`, or apply a plan that was reviewed",
        ));
    }
    let short: String = plan.digest.chars().take(8).collect();
    out.say(&format!("apply plan {short}? type yes: "));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        line = answer => {
            let line = line
                .map_err(std::io::Error::other)
                .flatten()
                .map_err(|source| CommandError::failed("reading the answer", source))?;
            Ok(line.trim().eq_ignore_ascii_case("yes"))
        }
        () = signals.first() => Ok(false),
    }
}
