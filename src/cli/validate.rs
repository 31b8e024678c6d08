use super::files::ManifestArgs;
use super::output::Output;
use super::prover::Proving;
use super::{CommandError, Outcome, clock};
use crate::manifest::code::Severity;
use crate::model::time::Day;
use crate::report;

/// Check manifests and show everything that is wrong with them
///
/// Reads the project's manifests, all of them, and reports every problem at once: syntax, shape,
/// references, and the rules of the domain. Needs no credentials and no network.
#[derive(clap::Args, Debug)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    manifests: ManifestArgs,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t)]
    format: report::Format,
    /// Let warnings count as errors
    #[arg(long, value_name = "LEVEL", value_parser = ["warnings"])]
    deny: Option<String>,
    /// Prove the project's invariants and policies for every estate there could be; needs cvc5
    ///
    /// Invariants are held against the estate in any case. With this, a solver looks whether some
    /// other estate would break them, and which policies can do nothing or fail. It is the
    /// executable that `CVC5` names, or the `cvc5` in `PATH`. With `-f` it needs `--complete`.
    #[arg(long)]
    prove: bool,
    /// Judge as of this day (UTC) instead of today
    #[arg(long, value_name = "DATE", value_parser = clock::parse_day)]
    as_of: Option<Day>,
}

pub(crate) fn run(out: &Output, args: &ValidateArgs) -> Result<Outcome, CommandError> {
    let files = args.manifests.read(out)?;
    let today = clock::today(args.as_of);
    if args.prove && files.is_part() {
        return Err(CommandError::usage(
            "`--prove` is about the whole estate, and `-f` names a part of it\nleave out `-f`, or add `--complete` if it names all manifests",
        ));
    }
    let loaded = if args.prove {
        let proving = Proving::new()?;
        let loaded = files.load_with(&proving, today, None);
        out.say(&proving.sentence());
        loaded
    } else {
        files.load(today)
    };
    out.result(|to| report::findings(args.format, &loaded.findings, out.style(), to))?;
    let denied = args.deny.is_some() && loaded.findings.count(Severity::Warning) > 0;
    let outcome = if loaded.has_errors() || denied { Outcome::Invalid } else { Outcome::Done };
    // The process is about to end: to take an estate of 100 000 documents apart first helps nobody.
    std::mem::forget(loaded);
    Ok(outcome)
}
