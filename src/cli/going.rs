//! A plan shown, asked about and carried out: what commands have in common that change the tenant.

use std::io::IsTerminal;
use std::num::NonZeroUsize;

use super::applying::{Applying, How, Signals, Teller};
use super::output::Output;
use super::plan::outcome;
use super::{CommandError, Outcome};
use crate::ledger::ObjectKey;
use crate::plan::Remains;
use crate::plan::State;
use crate::plan::file::{Plan, Why};
use crate::report::plan as report;

/// How a plan is carried out
#[derive(clap::Args, Debug)]
pub(crate) struct GoingArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// How many steps at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    parallel: usize,
    /// Change so many customers at a time; those after them wait until all went well
    #[arg(long, value_name = "N")]
    wave: Option<NonZeroUsize>,
    /// Let a limit pass, up to this: removals=3; repeatable
    #[arg(long, value_name = "LIMIT=N", requires = "reason", value_parser = allowance)]
    allow: Vec<(String, u64)>,
    /// Why a limit may pass; kept in the history
    #[arg(long, value_name = "TEXT", requires = "allow")]
    reason: Option<String>,
    /// How to tell what happens
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
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

/// What is said of a plan before it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// All of it is shown now.
    Now,
    /// It was shown before.
    Before,
    /// Shown only if there is something in it.
    IfAny,
}

/// Which part of what could be planned this is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) said: Said,
    /// Nothing of it was left out.
    pub(crate) is_whole: bool,
    /// What more is to be done about than this part does, and what is remembered of it.
    pub(crate) remains: &'a Remains,
    /// Who approved of it, where approvals were required.
    pub(crate) approved_by: &'a [String],
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Went {
    pub(crate) outcome: Outcome,
    /// Whom we wait for now.
    pub(crate) waiting: usize,
}

impl GoingArgs {
    /// Which limits may pass, and why.
    fn allowed(&self) -> Option<String> {
        let limits: Vec<String> =
            self.allow.iter().map(|(name, number)| format!("{name}={number}")).collect();
        self.reason.as_ref().map(|reason| format!("{}: {reason}", limits.join(", ")))
    }

    /// Shows a plan, asks, and carries it out.
    pub(crate) async fn go(
        &self,
        out: &Output,
        mut plan: Plan,
        bound: &[(ObjectKey, Option<String>)],
        part: Part<'_>,
        applying: &Applying,
        signals: &Signals,
    ) -> Result<Went, CommandError> {
        let waiting = plan.report.iter().filter(|one| one.state == State::Waiting).count();
        let went = |outcome| Ok(Went { outcome, waiting });
        allow(&self.allow, &mut plan);
        let is_quiet = part.said == Said::IfAny && plan.is_empty() && plan.refused.is_empty();
        if part.said != Said::Before && !is_quiet {
            let style = out.style();
            out.narration(|to| report::write(&plan, report::Format::Text, style, to))?;
        }
        if !plan.refused.is_empty() {
            if part.said == Said::Before {
                for refusal in &plan.refused {
                    out.say(&format!("refused: {}", refusal.message));
                    out.say(&format!("  {}", refusal.remedy));
                }
            }
            return went(outcome(&plan, false));
        }
        if !plan.is_empty() && !self.yes && !agreed(out, &plan, signals).await? {
            out.say("nothing was sent");
            return went(signals.number().map_or(Outcome::Done, Outcome::Ended));
        }
        let teller = Teller::new(self.format == Format::Json, plan.steps.len());
        let how = How {
            parallel: self.parallel,
            wave: self.wave.map(NonZeroUsize::get),
            teller: &teller,
            signals,
            is_whole: part.is_whole,
            allowed: self.allowed(),
            approved_by: part.approved_by.to_vec(),
        };
        let applied = applying.carry_out(&plan, bound, part.remains, &|| (), how).await?;
        if !is_quiet {
            teller.summary(out, &plan, &applied)?;
        }
        if let Some(error) = &applied.ended_early {
            let failed = CommandError::because("keeping the journal", error);
            if !applied.is_begun() {
                return Err(failed);
            }
            out.complain(&failed.to_string());
            out.say("  run it again: what is open is looked up before anything is sent");
        }
        went(match signals.number() {
            Some(number) if applied.was_stopped => Outcome::Ended(number),
            _ if applied.is_whole() => Outcome::Done,
            _ => Outcome::Partly,
        })
    }
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
