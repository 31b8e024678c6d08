//! What commands have in common that look back: the ledger of a context, and nothing of the tenant.

use super::CommandError;
use super::files::{Files, ProjectArgs};
use super::output::Output;
use super::tenant::{ContextArgs, Memory};
use crate::ledger::{Ledger, Run};

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
