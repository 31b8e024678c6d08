use super::output::Output;
use super::{CommandError, Outcome};
/// Schema
#[derive(clap::Args, Debug)]
pub(crate) struct SchemaArgs {}
pub(crate) fn run(_: &Output, _: &SchemaArgs) -> Result<Outcome, CommandError> {
    Ok(Outcome::Done)
}
