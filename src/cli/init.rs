use super::output::Output;
use super::{CommandError, Outcome};
/// Init
#[derive(clap::Args, Debug)]
pub(crate) struct InitArgs {}
pub(crate) fn run(_: &Output, _: &InitArgs) -> Result<Outcome, CommandError> {
    Ok(Outcome::Done)
}
