//! What is said while a plan is carried out: bars or lines for people, lines of JSON for programs.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use indicatif::MultiProgress;
use serde_json::{Value, json};

use super::bars::Bars;
use crate::apply::{Applied, Came, Event};
use crate::cli::CommandError;
use crate::cli::output::Output;
use crate::ledger::Counts;
use crate::plan::file::Plan;
use crate::plan::step::Step;
use crate::plan::{Change, State};
use crate::report::clean;

/// Says what happens.
#[derive(Debug)]
pub(crate) enum Teller {
    /// A line for each step that ended, on standard error.
    Lines,
    /// Bars, on a terminal.
    Bars(Bars),
    /// A line of JSON for each step that begins or ends, on standard output.
    Json,
}

impl Teller {
    /// As whoever reads it can take it in.
    pub(crate) fn new(is_json: bool, steps: usize) -> Self {
        if is_json {
            Self::Json
        } else if std::io::stderr().is_terminal() && steps > 0 {
            Self::Bars(Bars::new(steps))
        } else {
            Self::Lines
        }
    }

    /// The bars, where there are some.
    pub(super) fn bars(&self) -> Option<MultiProgress> {
        match self {
            Self::Bars(bars) => Some(bars.all()),
            Self::Lines | Self::Json => None,
        }
    }

    pub(super) fn end(&self) {
        if let Self::Bars(bars) = self {
            bars.end();
        }
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        match (self, event) {
            (Self::Json, Event::Began(step)) => json_line(&state(step, "running", None)),
            (Self::Json, Event::Ended(step, came)) => {
                json_line(&state(step, came.word(), came.why()));
            }
            (Self::Lines, Event::Ended(step, came)) => {
                drop(writeln!(std::io::stderr().lock(), "{}", line(step, came)));
            }
            (Self::Bars(bars), Event::Began(step)) => bars.began(&step.id, &step.summary),
            (Self::Bars(bars), Event::Ended(step, came)) => {
                let shown = (*came != Came::Done).then(|| line(step, came));
                bars.ended(&step.id, shown.as_deref());
            }
            (Self::Bars(bars), Event::Paced(wait)) => {
                let why = wait.map(|wait| {
                    format!("the service wants it slower: {} s", wait.as_secs().max(1))
                });
                bars.paced(why.as_deref().unwrap_or_default());
            }
            (Self::Lines, Event::Began(_)) | (Self::Lines | Self::Json, Event::Paced(_)) => {}
        }
    }

    /// How it ended, and whom we wait for.
    pub(crate) fn summary(
        &self,
        out: &Output,
        plan: &Plan,
        applied: &Applied,
    ) -> Result<(), CommandError> {
        let counts = applied.counts;
        if matches!(self, Self::Json) {
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
            let mut waiting = plan.report.iter().filter(|one| one.state == State::Waiting);
            for report in waiting.by_ref().take(WAITING_MAX) {
                writeln!(to, "waiting {}: {}", report.object, clean::line(&report.message))?;
                for (name, text) in [("for", &report.awaiting), ("link", &report.link)] {
                    if let Some(text) = text {
                        writeln!(to, "  {name:<5} {}", clean::line(text))?;
                    }
                }
            }
            match waiting.count() {
                0 => {}
                more => writeln!(to, "waiting … and {more} more: `partnerctl status` has each, with its link")?,
            }
            for (template, count) in asked(plan, applied) {
                let customers = if count == 1 { "customer is" } else { "customers are" };
                writeln!(
                    to,
                    "{count} {customers} to approve by now: `partnerctl invite delegated-access/{template}` writes the mails"
                )?;
            }
            let mut parts = counted(&counts);
            parts.extend(waited(counts.waiting.into()));
            writeln!(to, "{}", parts.join(", "))?;
            remedies(&counts).try_for_each(|remedy| writeln!(to, "  {remedy}"))
        })
    }
}

/// Of how many waiting is told in full.
const WAITING_MAX: usize = 20;

/// How many customers were asked to approve something, by template.
fn asked(plan: &Plan, applied: &Applied) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for step in &plan.steps {
        let is_asked =
            matches!(step.change, Change::RequestDelegation { .. } | Change::LockDelegation { .. });
        if is_asked && applied.steps.get(&step.id) == Some(&Came::Done) {
            let template = step.object.name.split('/').next().unwrap_or_default();
            *asked.entry(template.to_owned()).or_default() += 1;
        }
    }
    asked
}

fn state(step: &Step, state: &str, why: Option<&str>) -> Value {
    json!({
        "format": "partnerctl/apply/v1",
        "step": step.id,
        "object": step.object.to_string(),
        "verb": step.verb.word(),
        "state": state,
        "why": why,
    })
}

fn json_line(line: &Value) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

fn line(step: &Step, came: &Came) -> String {
    let why = came.why().map(|why| format!(": {}", clean::line(why)));
    format!("{:<7} {}{}", came.word(), clean::line(&step.summary), why.unwrap_or_default())
}

/// How many steps ended how.
pub(crate) fn counted(counts: &Counts) -> Vec<String> {
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
    parts
}

/// What to do about what did not come about.
fn remedies(counts: &Counts) -> impl Iterator<Item = &'static str> {
    [
        (
            counts.failed,
            "failed: mend what is said above and apply again; what is done is not done twice",
        ),
        (counts.stale, "stale: somebody changed it in the tenant meanwhile; plan again"),
        (
            counts.unknown,
            "unknown: nobody answered; the next run looks it up before it sends anything",
        ),
        (counts.skipped, "skipped: it goes on with the next run, once what it needs is there"),
    ]
    .into_iter()
    .filter_map(|(count, remedy)| (count > 0).then_some(remedy))
}

/// How many wait for people, if any do.
pub(crate) fn waited(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 waits for people".to_owned()),
        many => Some(format!("{many} wait for people")),
    }
}
