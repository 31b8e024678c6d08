use std::path::PathBuf;

use super::output::Output;
use super::{CommandError, Outcome, saved, signing};
use crate::plan::approval::Role;
use crate::report::plan as report;

/// Approve of a saved plan: sign it with your key
///
/// Shows the plan, and writes a signature over it beside it, into the folder PLANFILE.approvals.
/// `apply --require-approvals` counts the people who signed. Needs neither the project nor the
/// tenant. The signature is OpenSSH's (`ssh-keygen -Y sign`, namespace partnerctl-plan); any changed
/// byte of the plan makes it worthless.
#[derive(clap::Args, Debug)]
pub(crate) struct ApproveArgs {
    /// The plan, as `plan --out` wrote it
    #[arg(value_name = "PLANFILE")]
    file: PathBuf,
    /// Your OpenSSH key, Ed25519; or its public half, and the ssh-agent signs
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    /// Write the signature to this file instead of beside the plan
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Who you are, for readers; the key's comment unless given. Whose a key is, the approvers' file says
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Sign as who made the plan, and do not approve of it
    #[arg(long)]
    author: bool,
}

pub(crate) fn run(out: &Output, args: &ApproveArgs) -> Result<Outcome, CommandError> {
    let plan = saved::read(&args.file)?;
    let style = out.style();
    out.narration(|to| report::write(&plan, report::Format::Text, style, to))?;
    let (role, done) = if args.author {
        (Role::Author, "signed by its author")
    } else {
        (Role::Approver, "approved")
    };
    let (name, to) = (args.name.as_deref(), args.out.as_deref());
    let path = signing::sign(&plan, &args.file, role, &args.key, name, to)?;
    out.result(|to| {
        let short: String = plan.digest.chars().take(8).collect();
        writeln!(to, "plan {short} is {done}: {}", path.display())
    })?;
    Ok(Outcome::Done)
}
