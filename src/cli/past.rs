//! What commands have in common that look back: the ledger of a context, runs by their names, and what
//! one of them did. Nothing of the tenant.

use super::CommandError;
use super::files::{Files, ProjectArgs};
use super::output::Output;
use super::planning::ledger_failed;
use super::tenant::{ContextArgs, Memory};
use crate::ledger::{Entry, Ledger, Outcome as Came, Run};
use crate::plan::{Deed, Step};

/// Whose ledger
#[derive(clap::Args, Debug)]
pub(crate) struct PastArgs {
    #[command(flatten)]
    context: ContextArgs,
    #[command(flatten)]
    project: ProjectArgs,
}

impl PastArgs {
    /// The ledger, if there is one. Manifests may be as wrong as they like.
    pub(crate) async fn open(&self, out: &Output) -> Result<Option<Ledger>, CommandError> {
        let files = match self.project.read_if_any(out)? {
            Some(files) => files,
            None => Files::none()?,
        };
        if files.project.has_errors() {
            // Which ledger is meant is not guessed.
            return Err(CommandError::usage(
                "the project file has errors: see `partnerctl validate`",
            ));
        }
        let context = self.context.choose(files.project.project.as_ref(), out)?;
        Ok(match Memory::if_any(&context, &files.home()?).await? {
            Memory::Kept(ledger) => Some(ledger),
            Memory::Nothing => None,
        })
    }
}

/// A run that is to be undone, and what it did.
#[derive(Debug)]
pub(crate) struct Undoing {
    pub(crate) run: Run,
    pub(crate) deeds: Vec<Deed>,
    /// Steps of which nobody knows whether they came about.
    open: Vec<String>,
}

impl Undoing {
    /// What the ledger knows of a run of this estate.
    pub(crate) async fn find(
        memory: &Memory,
        beginning: &str,
        estate: &str,
    ) -> Result<Self, CommandError> {
        let Memory::Kept(ledger) = memory else {
            return Err(CommandError::usage("there is no ledger, and so no run to undo"));
        };
        let runs = ledger.runs(u32::MAX).await.map_err(|error| ledger_failed(&error))?;
        let run = named(&runs, beginning)?.clone();
        if run.started.estate != estate {
            return Err(CommandError::usage(format!(
                "the run {} is of another estate, `{}`",
                run.id, run.started.estate
            )));
        }
        let entries =
            ledger.entries(run.id.clone()).await.map_err(|error| ledger_failed(&error))?;
        let (mut deeds, mut open) = (Vec::new(), Vec::new());
        for entry in &entries {
            match deed(entry) {
                Ok(deed) => deeds.extend(deed),
                Err(step) => open.push(step),
            }
        }
        Ok(Self { run, deeds, open })
    }

    /// Refuses a run of which something is still open.
    pub(crate) fn must_be_over(&self) -> Result<(), CommandError> {
        let id = &self.run.id;
        let why = if self.run.ended.is_none() {
            format!("the run {id} goes on, or died and nobody has cleared up after it")
        } else if !self.open.is_empty() {
            format!("of the run {id} it is not known what came of {}", self.open.join(", "))
        } else {
            return Ok(());
        };
        Err(CommandError::failed(
            "undoing",
            std::io::Error::other(format!("{why}: `partnerctl apply` looks that up first")),
        ))
    }
}

/// What an entry did, if it did anything; or the step that is open.
fn deed(entry: &Entry) -> Result<Option<Deed>, String> {
    let intent = &entry.intent;
    let remote_id = match &entry.outcome {
        None | Some(Came::Unknown { .. }) => return Err(intent.step.clone()),
        Some(Came::Done { remote_id }) => remote_id.clone(),
        Some(Came::Failed { .. } | Came::Skipped { .. } | Came::Stale { .. }) => return Ok(None),
    };
    let step: Option<Step> = intent.detail.as_ref().and_then(|detail| detail.read().ok());
    match step {
        Some(step) => Ok(Some(Deed { step, remote_id })),
        None => Err(format!("{} (written by another version)", intent.step)),
    }
}

/// The run that is meant by the beginning of its id.
pub(crate) fn named<'r>(runs: &'r [Run], beginning: &str) -> Result<&'r Run, CommandError> {
    if let Some(run) = runs.iter().find(|run| run.id == beginning) {
        return Ok(run);
    }
    let mut fitting = runs.iter().filter(|run| run.id.starts_with(beginning));
    match (fitting.next(), fitting.next()) {
        (Some(run), None) => Ok(run),
        (Some(one), Some(other)) => Err(CommandError::usage(format!(
            "several runs begin with {beginning}: {}, {} and maybe more\ngive more of the id",
            one.id, other.id
        ))),
        (None, _) => {
            let latest = runs.first().map_or_else(
                || "there was none yet".to_owned(),
                |run| format!("the latest is {}; `partnerctl history` lists them", run.id),
            );
            Err(CommandError::usage(format!("there is no run {beginning}\n{latest}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Started;

    fn run(id: &str) -> Run {
        Run {
            id: id.to_owned(),
            started_at: "2026-11-20T12:00:00Z".parse().unwrap(),
            started: Started {
                estate: "fabrikam".to_owned(),
                actor: "aiko".to_owned(),
                commit: None,
                plan_digest: "00".to_owned(),
                undoes: None,
                allowed: None,
                approved_by: Vec::new(),
            },
            ended: None,
        }
    }

    #[test]
    fn a_run_is_named_by_any_beginning_that_is_its_own() {
        let runs = [run("20261120-ab"), run("20261120-abc"), run("20261119-cd")];
        assert_eq!(named(&runs, "20261119").unwrap().id, "20261119-cd");
        // A whole id is meant even where others begin with it.
        assert_eq!(named(&runs, "20261120-ab").unwrap().id, "20261120-ab");
        for wrong in ["20261120", "2027", "20261120-abcd"] {
            assert!(matches!(named(&runs, wrong), Err(CommandError::Usage(_))), "{wrong}");
        }
    }
}
