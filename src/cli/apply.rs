use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::output::Output;
use super::plan::{object, outcome};
use super::planning::{Asked, PlanningArgs, Ready, ledger_failed};
use super::tenant::{WritingTenant, block_on, unanswered};
use super::{CommandError, Outcome};
use crate::apply::handover::Handover;
use crate::apply::{self, Applied, Came, Event, Job, LEASE, REQUEST, Recovered};
use crate::ledger::{Lease, Ledger, LedgerError, ObjectKey, Terms, Waiting};
use crate::manifest::Loaded;
use crate::model::name::Kind;
use crate::plan::file::{Plan, Why};
use crate::plan::guard;
use crate::plan::step::Step;
use crate::plan::{Binding, Planned, State};
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
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: a line of JSON for each step, then a summary
    Json,
}

fn allowance(text: &str) -> Result<(String, u64), String> {
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
        let saved = match args.planning.plan_file() {
            Some(path) => Some(read(&path)?),
            None => None,
        };
        let ready = match args.planning.prepare_for_plan(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let ledger = args.planning.ledger.keep(&ready.context, &ready.home).await?;
        let tenant = WritingTenant::connect(&ready.context, &ready.policies.loaded, &ready.home)?;
        let lease = acquire(&ledger, &ready).await?;
        let came = held(out, args, saved, ready, &ledger, &tenant, &lease).await;
        let released = ledger.release(&lease).await;
        ledger.close().await;
        let came = came?;
        match released {
            Ok(()) | Err(LedgerError::LeaseLost { .. }) => Ok(came),
            Err(error) => Err(ledger_failed(&error)),
        }
    })
}

fn read(path: &Path) -> Result<Plan, CommandError> {
    let bytes = std::fs::read(path).map_err(|source| {
        CommandError::failed(format!("reading the plan {}", path.display()), source)
    })?;
    Plan::read(&bytes)
        .map_err(|error| CommandError::NotAPlan(format!("{}: {error}", path.display())))
}

async fn acquire(ledger: &Ledger, ready: &Ready) -> Result<Lease, CommandError> {
    let who = ready.acting.user.clone().unwrap_or_else(|| "an application".to_owned());
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let terms = Terms {
        holder: format!("{who} on {} (process {})", host.trim(), std::process::id()),
        reason: "apply".to_owned(),
        duration: LEASE,
        request_timeout: REQUEST,
    };
    ledger.acquire(terms).await.map_err(|error| match error {
        LedgerError::Held(holder) => CommandError::Locked(holder.to_string()),
        error => ledger_failed(&error),
    })
}

/// What is done while the lease is ours.
async fn held(
    out: &Output,
    args: &ApplyArgs,
    saved: Option<Plan>,
    mut ready: Ready,
    ledger: &Ledger,
    tenant: &WritingTenant,
    lease: &Lease,
) -> Result<Outcome, CommandError> {
    let settle = ready.tenant.settle;
    let estate = &ready.policies.loaded.estate;
    let name = estate.account.as_ref().map(|account| account.metadata.name.as_str().to_owned());
    let name = name.unwrap_or_default();
    let reader = tenant.writer.reader();
    let recovered = apply::recover(&reader, ledger, lease, estate, &name, settle).await;
    let recovered = recovered.map_err(|error| match error {
        apply::RecoverError::Ledger(error) => ledger_failed(&error),
        apply::RecoverError::Tenant(error) => {
            unanswered("looking up what an earlier run left open", &error)
        }
    })?;
    if recovered != Recovered::default() {
        for step in &recovered.happened {
            out.say(&format!("left open by an earlier run, and done: {step}"));
        }
        for step in &recovered.not {
            out.say(&format!("left open by an earlier run, and planned anew: {step}"));
        }
        ready = match args.planning.prepare_for_plan(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
    }
    let asked = Asked {
        targets: args.target.iter().cloned().collect::<BTreeSet<_>>(),
        revive: args.revive.iter().cloned().collect(),
    };
    let planned = ready.plan(&asked);
    let bound = live(&ready, &planned);
    let fresh = ready.file(planned)?;
    let is_saved = saved.is_some();
    let mut plan = match saved {
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
    allow(args, &mut plan);
    if !is_saved {
        let style = out.style();
        out.narration(|to| report::write(&plan, report::Format::Text, style, to))?;
    }
    if !plan.refused.is_empty() {
        if is_saved {
            for refusal in &plan.refused {
                out.say(&format!("refused: {}\n  {}", refusal.message, refusal.remedy));
            }
        }
        return Ok(outcome(&plan, false));
    }
    if !plan.is_empty() && !args.yes && !agreed(out, &plan)? {
        out.say("nothing was sent");
        return Ok(Outcome::Done);
    }
    execute(out, args, &ready, &plan, ledger, tenant, lease, &bound).await
}

/// A saved plan, if each of its steps is still what the manifests and the tenant ask for.
fn still(saved: Plan, fresh: &Plan) -> Result<Plan, CommandError> {
    let (was, is) = (&saved.parents, &fresh.parents);
    for (what, was, is) in [
        ("the ledger", &was.ledger, &is.ledger),
        ("the tenant", &was.tenant, &is.tenant),
        ("the estate", &Some(was.estate.clone()), &Some(is.estate.clone())),
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
fn allow(args: &ApplyArgs, plan: &mut Plan) {
    let limits = plan.limits.named();
    let passes = |name: &str| {
        args.allow.iter().any(|(allowed, number)| {
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

fn agreed(out: &Output, plan: &Plan) -> Result<bool, CommandError> {
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::usage(
            "nobody is there to be asked\nadd `--yes`, or apply a plan that was reviewed",
        ));
    }
    let short: String = plan.digest.chars().take(8).collect();
    out.say(&format!("apply plan {short}? type yes: "));
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|source| CommandError::failed("reading the answer", source))?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}

/// What is declared and there, with its id.
fn live(ready: &Ready, planned: &Planned) -> Vec<(ObjectKey, Option<String>)> {
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

#[expect(clippy::too_many_arguments, reason = "each is a part of the run")]
async fn execute(
    out: &Output,
    args: &ApplyArgs,
    ready: &Ready,
    plan: &Plan,
    ledger: &Ledger,
    tenant: &WritingTenant,
    lease: &Lease,
    bound: &[(ObjectKey, Option<String>)],
) -> Result<Outcome, CommandError> {
    let handover = handover(&ready.policies.loaded, &ready.home)?;
    let stopped = Arc::new(AtomicBool::new(false));
    let signal = stop_on_signals(Arc::clone(&stopped));
    let is_json = args.format == Format::Json;
    let run = run_id(plan);
    let tell = |event: Event<'_>| told(is_json, event);
    let objects = ledger.objects().await.map_err(|error| ledger_failed(&error))?;
    let job = Job {
        plan,
        estate: &ready.policies.loaded.estate,
        writer: &tenant.writer,
        ledger,
        lease: lease.clone(),
        objects,
        handover: &handover,
        run,
        actor: ready.acting.user.clone().unwrap_or_default(),
        parallel: args.parallel,
        shows_at_once: ready.tenant.settle.is_zero(),
        bound: &|| bound.to_vec(),
        is_complete: ready.is_complete && args.target.is_empty(),
        tell: &tell,
        is_stopped: &|| stopped.load(Ordering::Relaxed),
    };
    let applied = apply::apply(job).await.map_err(|error| ledger_failed(&error))?;
    signal.abort();
    keep_waiting(ledger, lease, plan).await.map_err(|error| ledger_failed(&error))?;
    summary(out, is_json, plan, &applied)?;
    if let Some(error) = &applied.ended_early {
        return Err(CommandError::because("keeping the journal", error));
    }
    Ok(if applied.is_whole() { Outcome::Done } else { Outcome::Partly })
}

/// Unique enough: when it was planned, what, and chance.
fn run_id(plan: &Plan) -> String {
    let time = plan.observed_at.strftime("%Y%m%dT%H%M%SZ");
    let short: String = plan.digest.chars().take(8).collect();
    format!("{time}-{short}-{:04x}", rand::random::<u16>())
}

fn handover(loaded: &Loaded, home: &Path) -> Result<Handover, CommandError> {
    let declared = loaded.project.as_ref().and_then(|project| project.handover.as_ref());
    if let Some(handover) = declared.filter(|handover| !handover.age.is_empty()) {
        let recipients = handover
            .age
            .iter()
            .map(|recipient| {
                recipient.as_str().parse().map_err(|error: &str| {
                    CommandError::usage(format!("`handover.age`: {}: {error}", recipient.as_str()))
                })
            })
            .collect::<Result<_, _>>()?;
        let folder = handover.directory.as_ref().map_or("handover", |folder| folder.as_str());
        return Ok(Handover::Sealed { recipients, folder: home.join(folder) });
    }
    if std::io::stderr().is_terminal() {
        return Ok(Handover::Shown(Box::new(|name, password| {
            use secrecy::ExposeSecret;
            let mut err = std::io::stderr().lock();
            drop(writeln!(
                err,
                "{}: one-time password {}",
                crate::report::clean::line(name),
                password.expose_secret()
            ));
        })));
    }
    Ok(Handover::Nowhere)
}

/// The first signal ends the run when what is under way has ended; the second ends it at once.
fn stop_on_signals(stopped: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        for _ in 0..2 {
            let number = tokio::select! {
                _ = interrupt.recv() => 2,
                _ = terminate.recv() => 15,
            };
            if stopped.swap(true, Ordering::Relaxed) {
                std::process::exit(128 + number);
            }
        }
    })
}

fn told(is_json: bool, event: Event<'_>) {
    let (step, came) = match event {
        Event::Began(step) => (step, None),
        Event::Ended(step, came) => (step, Some(came)),
    };
    if is_json {
        let line = json!({
            "format": "partnerctl/apply/v1",
            "step": step.id,
            "object": step.object.to_string(),
            "verb": step.verb.word(),
            "state": came.map_or("running", Came::word),
            "why": came.and_then(Came::why),
        });
        drop(writeln!(std::io::stdout().lock(), "{line}"));
    } else if let Some(came) = came {
        let why = came.why().map(|why| format!(": {}", crate::report::clean::line(why)));
        drop(writeln!(
            std::io::stderr().lock(),
            "{:<7} {}{}",
            came.word(),
            crate::report::clean::line(&step.summary),
            why.unwrap_or_default()
        ));
    }
}

/// Whom we wait for is remembered, with since when; who has done it is not waited for any more.
async fn keep_waiting(ledger: &Ledger, lease: &Lease, plan: &Plan) -> Result<(), LedgerError> {
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
    for known in ledger.waiting().await? {
        let key = (known.waiting.object, known.waiting.step);
        if !due.contains(&key) {
            ledger.stop_waiting(lease, key.0, key.1).await?;
        }
    }
    Ok(())
}

fn summary(
    out: &Output,
    is_json: bool,
    plan: &Plan,
    applied: &Applied,
) -> Result<(), CommandError> {
    let counts = applied.counts;
    if is_json {
        let line = json!({
            "format": "partnerctl/apply/v1",
            "summary": {
                "done": counts.done,
                "failed": counts.failed,
                "skipped": counts.skipped,
                "stale": counts.stale,
                "unknown": counts.unknown,
                "waiting": counts.waiting,
            },
        });
        return out.result(|to| writeln!(to, "{line}"));
    }
    out.result(|to| {
        for report in plan.report.iter().filter(|report| report.state == State::Waiting) {
            writeln!(
                to,
                "waiting {}: {}",
                report.object,
                crate::report::clean::line(&report.message)
            )?;
            for (name, text) in [("for", &report.awaiting), ("link", &report.link)] {
                if let Some(text) = text {
                    writeln!(to, "  {name:<5} {}", crate::report::clean::line(text))?;
                }
            }
        }
        let mut parts = vec![format!("{} done", counts.done)];
        for (count, word) in [
            (counts.failed, "failed"),
            (counts.stale, "stale"),
            (counts.unknown, "of unknown outcome"),
            (counts.skipped, "skipped"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        if counts.waiting > 0 {
            parts.push(format!("{} wait for people", counts.waiting));
        }
        writeln!(to, "{}", parts.join(", "))
    })
}
