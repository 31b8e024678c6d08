//! Whether a saved plan has the approvals that are required: looked at before anything else is, the
//! tenant included.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::output::Output;
use super::signing::{folder_of, read_short};
use super::{CommandError, Outcome, clock};
use crate::plan::Plan;
use crate::plan::approval::{
    Approval, Counted, Found, Malformed, NotAnApproval, Question, Revoked, Signers, count,
};

/// Who has to approve of a plan
#[derive(clap::Args, Debug)]
pub(crate) struct ApprovalArgs {
    /// Apply only if so many people approve of the saved plan, not counting who made it
    #[arg(long, value_name = "N", requires = "approvers")]
    require_approvals: Option<NonZeroUsize>,
    /// Whose key is whose: the file that OpenSSH and git call `allowed_signers`
    #[arg(long, value_name = "FILE", requires = "require_approvals")]
    approvers: Option<PathBuf>,
    /// An approval that does not stand beside the plan, in PLANFILE.approvals; repeatable
    #[arg(long, value_name = "FILE", requires = "require_approvals")]
    approval: Vec<PathBuf>,
    /// Who made the plan, or the change that it comes from, and cannot approve of it; repeatable
    #[arg(long, value_name = "NAME", requires = "require_approvals")]
    author: Vec<String>,
    /// Who is none of the approvers, so that as an author they may be missing in that file; repeatable
    #[arg(long, value_name = "NAME", requires = "require_approvals")]
    no_approver: Vec<String>,
    /// Keys that do not count any more, a public key to a line
    #[arg(long, value_name = "FILE", requires = "require_approvals")]
    revoked: Option<PathBuf>,
}

/// Whether it may be applied.
pub(crate) enum Judged {
    /// By these; nobody, where nobody has to.
    Approved(Vec<String>),
    Refused(Outcome),
}

impl ApprovalArgs {
    pub(crate) const fn are_required(&self) -> bool {
        self.require_approvals.is_some()
    }

    /// Judges a plan that was read from a file.
    pub(crate) fn judge(
        &self,
        out: &Output,
        plan: Option<(&Path, &Plan)>,
    ) -> Result<Judged, CommandError> {
        let (Some(needed), Some(approvers)) = (self.require_approvals, &self.approvers) else {
            return Ok(Judged::Approved(Vec::new()));
        };
        let Some((file, plan)) = plan else {
            return Err(CommandError::usage(
                "`--require-approvals` is about a saved plan\nname it: `partnerctl plan --out FILE`, then `partnerctl apply FILE`",
            ));
        };
        must_be_as_written(file, plan)?;
        let signers = understood(approvers, Signers::read)?;
        let revoked = match &self.revoked {
            Some(path) => understood(path, Revoked::read)?,
            None => Revoked::default(),
        };
        let found = self.found(file)?;
        let question = Question {
            plan,
            signers: &signers,
            revoked: &revoked,
            authors: &self.author,
            no_approvers: &self.no_approver,
            now: clock::now(),
        };
        tell(out, count(question, &found), needed.get())
    }

    /// What stands beside the plan, and what was named.
    fn found(&self, plan: &Path) -> Result<Vec<Found>, CommandError> {
        let mut paths = self.approval.clone();
        if let Some(missing) = paths.iter().find(|path| !path.is_file()) {
            return Err(CommandError::usage(format!("there is no file {}", missing.display())));
        }
        let folder = folder_of(plan);
        let failed = |source| CommandError::failed(format!("reading {}", folder.display()), source);
        match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(failed)?;
                    // A pipe would be waited for; a link is nothing that `approve` makes.
                    if entry.file_type().map_err(failed)?.is_file() {
                        paths.push(entry.path());
                    }
                }
            }
        }
        paths.sort();
        let found = paths.into_iter().map(|path| {
            let read = read_short(&path)
                .map_err(|error| NotAnApproval::Malformed(error.to_string()))
                .and_then(|text| Approval::read(text.as_bytes()));
            Found { file: path.display().to_string(), read }
        });
        Ok(found.collect())
    }
}

/// The digest leaves out when the tenant was observed, and does not see how the file is laid out; who
/// approves of a file approves of that, too.
fn must_be_as_written(file: &Path, plan: &Plan) -> Result<(), CommandError> {
    let read = fs::read(file).map_err(|source| {
        CommandError::failed(format!("reading the plan {}", file.display()), source)
    })?;
    if plan.to_bytes().is_ok_and(|bytes| bytes == read) {
        return Ok(());
    }
    Err(CommandError::NotAPlan(format!(
        "{}: it is not as `plan --out` wrote it\nwhere approvals are required, not even a space may be another",
        file.display()
    )))
}

fn understood<T>(
    path: &Path,
    read: impl FnOnce(&str) -> Result<T, Malformed>,
) -> Result<T, CommandError> {
    if !path.is_file() {
        return Err(CommandError::usage(format!("there is no file {}", path.display())));
    }
    let text = read_short(path)?;
    read(&text).map_err(|error| CommandError::usage(format!("{}, {error}", path.display())))
}

fn tell(out: &Output, counted: Counted, needed: usize) -> Result<Judged, CommandError> {
    let Counted { approvers, is_author_known, strangers, uncounted } = counted;
    for one in &uncounted {
        out.say(&format!("does not count: {}: {}", one.file, one.why));
    }
    if !strangers.is_empty() {
        let all: Vec<String> = strangers.iter().map(|name| format!("`{name}`")).collect();
        out.say(&format!(
            "refused: the approvers' file has nobody called {}, so anybody who approves could be the author",
            all.join(", ")
        ));
        out.say("  add the name to the line of whoever it is, or say that it is none of them: `--no-approver NAME`");
        return Ok(Judged::Refused(Outcome::Denied));
    }
    let is_enough = approvers.len() >= needed;
    if is_enough && is_author_known {
        out.say(&format!("approved by {}", approvers.join(", ")));
        return Ok(Judged::Approved(approvers));
    }
    if uncounted.iter().any(|one| one.is_of_another) {
        return Err(CommandError::NotAPlan(format!(
            "what was signed is not this plan: {} of {needed} approvals are of it\nit was changed, or made anew, since; whoever approved has to look again",
            approvers.len()
        )));
    }
    if !is_author_known {
        out.say("refused: nobody knows who made the plan, so anybody who approves could have");
        out.say("  make it with `plan --sign KEY`, a key that the approvers' file has, or say who it was: `--author NAME`");
        return Ok(Judged::Refused(Outcome::Denied));
    }
    let have = match approvers.as_slice() {
        [] => "nobody approves".to_owned(),
        some => format!("only {} approved", some.join(", ")),
    };
    out.say(&format!("refused: {needed} must approve of this plan, and {have}"));
    out.say("  `partnerctl approve PLANFILE --key KEY` is how, by somebody else than who made it");
    Ok(Judged::Refused(Outcome::Denied))
}
