use super::output::Output;
use super::{CommandError, Outcome};
/// Explain
#[derive(clap::Args, Debug)]
pub(crate) struct ExplainArgs {}
pub(crate) fn run(_: &Output, _: &ExplainArgs) -> Result<Outcome, CommandError> {
    Ok(Outcome::Done)
}
