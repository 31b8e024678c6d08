use super::output::Output;
use super::{CommandError, Outcome};
/// Fmt
#[derive(clap::Args, Debug)]
pub(crate) struct FmtArgs {}
pub(crate) fn run(_: &Output, _: &FmtArgs) -> Result<Outcome, CommandError> {
    Ok(Outcome::Done)
}
