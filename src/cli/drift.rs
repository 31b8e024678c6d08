use super::output::Output;
use super::plan::object;
use super::planning::{Asked, PlanningArgs};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::model::record::ObjectKey;
use crate::report::drift::{self, Drift};

/// Show what others changed in the tenant since the last apply
///
/// Reads only. What was never applied by partnerctl cannot have drifted: `plan` shows it as adopted.
#[derive(clap::Args, Debug)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    /// Exit with 9 if anything drifted or is gone
    #[arg(long)]
    exit_code: bool,
    /// Only this: user/NAME, role/NAME, customer/NAME; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = object)]
    target: Vec<ObjectKey>,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: drift::Format,
}

pub(crate) fn run(out: &Output, args: &DriftArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let asked = Asked { targets: args.target.iter().cloned().collect(), ..Asked::default() };
        let plan = ready.file(ready.plan(&asked))?;
        let found = Drift::of(&plan);
        let style = out.style();
        out.result(|to| drift::write(&found, args.format, style, to))?;
        Ok(if args.exit_code && !found.is_none() { Outcome::Drifted } else { Outcome::Done })
    })
}
