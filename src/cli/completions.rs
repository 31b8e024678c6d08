use clap_complete::Shell;

use super::output::Output;
use super::{CommandError, Outcome, command};

/// Write the completions of a shell
///
/// For instance: `partnerctl completions bash > ~/.local/share/bash-completion/completions/partnerctl`
#[derive(clap::Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete for
    shell: Shell,
}

pub(crate) fn run(out: &Output, args: &CompletionsArgs) -> Result<Outcome, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "partnerctl", &mut script);
    out.result(|to| to.write_all(&script))?;
    Ok(Outcome::Done)
}
