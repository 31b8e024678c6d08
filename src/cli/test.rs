use super::files::ManifestArgs;
use super::output::Output;
use super::policies::{Policies, Stands};
use super::{CommandError, Outcome, clock};
use crate::manifest::draft::{On, Where, way};
use crate::manifest::finding::Place;
use crate::model::time::Day;
use crate::policy::expect;
use crate::report::tested::{self, Failed, Line, Tests};

/// Run the access tests: what people and roles may and may not do
///
/// Each line of each `AccessTest` is asked of the policies, as the manifests declare the world.
/// Exit code 3 if a line does not hold. Says also which policies no test touches.
#[derive(clap::Args, Debug)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    manifests: ManifestArgs,
    /// How to write what came of them
    #[arg(long, value_enum, default_value_t)]
    format: tested::Format,
    /// Name every policy that no test touches, the built-in ones too
    #[arg(long)]
    coverage: bool,
    /// Judge as of this day (UTC) instead of today
    #[arg(long, value_name = "DATE", value_parser = clock::parse_day)]
    as_of: Option<Day>,
}

pub(crate) fn run(out: &Output, args: &TestArgs) -> Result<Outcome, CommandError> {
    let policies = match Policies::read(args.manifests.read(out)?, args.as_of, out)? {
        Ok(policies) => policies,
        Err(outcome) => return Ok(outcome),
    };
    let outcome = expect::run(&policies.loaded.estate, &policies.world, &policies.rules)
        .map_err(|broken| CommandError::Internal(broken.to_string()))?;
    let tests = shown(&policies, outcome);
    out.result(|to| match args.format {
        tested::Format::Text => tested::text(&tests, args.coverage, to),
        tested::Format::Junit => tested::junit(&tests, to),
        tested::Format::Json => tested::json(&tests, to),
    })?;
    Ok(if tests.failed() == 0 { Outcome::Done } else { Outcome::Invalid })
}

fn shown(policies: &Policies, outcome: expect::Outcome) -> Tests {
    let place =
        |origin, path| policies.loaded.place_of(&Where::Field { origin, path, on: On::Value });
    let lines = outcome
        .tests
        .into_iter()
        .map(|test| {
            let Place { file, region } = place(test.origin, way!["spec", test.index]);
            let failures = test.failures.into_iter().map(|failure| {
                let Place { file, region } = place(test.origin, failure.path);
                Failed {
                    message: failure.message,
                    file,
                    line: region.map(|region| region.line),
                    column: region.map(|region| region.column),
                }
            });
            Line {
                document: test.document.to_string(),
                says: test.says,
                file,
                line: region.map(|region| region.line),
                failures: failures.collect(),
            }
        })
        .collect();
    let untouched = outcome.untouched.into_iter().filter_map(|id| {
        let Stands { built_in, .. } = policies.stands(policies.rules.by_id(&id)?);
        Some((id, built_in))
    });
    Tests { lines, policies: outcome.policies, untouched: untouched.collect() }
}
