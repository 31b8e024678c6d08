use std::fs;
use std::path::PathBuf;

use super::output::Output;
use super::{CommandError, Outcome};
use crate::plan::Plan;
use crate::report::plan::{Format, write};

/// Show a saved plan, in any format
///
/// Needs neither the project nor the tenant: the file holds all that is shown. A file that was
/// changed since it was written, or that is no plan of a known version, is refused with exit code 6.
#[derive(clap::Args, Debug)]
pub(crate) struct ShowArgs {
    /// The plan, as `plan --out` wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(out: &Output, args: &ShowArgs) -> Result<Outcome, CommandError> {
    let name = args.file.display();
    let bytes = fs::read(&args.file)
        .map_err(|source| CommandError::failed(format!("reading {name}"), source))?;
    let plan = Plan::read(&bytes).map_err(|error| {
        CommandError::NotAPlan(format!("{name} is no plan that can be used\n{error}"))
    })?;
    let style = out.style();
    out.result(|to| write(&plan, args.format, style, to))?;
    Ok(Outcome::Done)
}
