//! What would be done to the tenant: a plan that somebody made, or one made from what somebody saw.
//! Nobody is asked anything.

use std::collections::BTreeSet;
use std::path::Path;

use super::sides::Sides;
use crate::cli::CommandError;
use crate::cli::applying::handover;
use crate::cli::planning::digests;
use crate::cli::saved;
use crate::model::cloud::Cloud;
use crate::model::estate::Origin;
use crate::model::project::Endpoints as Replaced;
use crate::model::time::Day;
use crate::partner::auth::cloud::Endpoints;
use crate::partner::snapshot::file as snapshot_file;
use crate::plan::file::{FORMAT, Parents, Plan};
use crate::plan::step::Source;
use crate::plan::{self, Input, Planned, Record};

/// A saved plan, if it is one of the head.
pub(super) fn saved(path: &Path, sides: &Sides) -> Result<Plan, CommandError> {
    let plan = saved::read(path)?;
    let (manifests, policies) = digests(&sides.head.loaded.findings.sources);
    if plan.parents.manifests == manifests && plan.parents.policies == policies {
        return Ok(plan);
    }
    Err(CommandError::Stale(format!(
        "{} was planned from other files than the head's\nplan again from what is reviewed",
        path.display()
    )))
}

/// What the head would do to the tenant as somebody saw it, by the base's limits and guards.
pub(super) fn planned(path: &Path, sides: &Sides, today: Day) -> Result<Plan, CommandError> {
    let name = path.display();
    let bytes = std::fs::read(path)
        .map_err(|source| CommandError::failed(format!("reading the snapshot {name}"), source))?;
    let snapshot = snapshot_file::read(&bytes)
        .map_err(|error| CommandError::NotAPlan(format!("{name} is no snapshot\n{error}")))?;
    let head = &sides.head.loaded;
    let judge = sides.judged.as_ref().unwrap_or(&sides.head);
    // A project that is new has no rules but its own.
    let rules = if sides.is_new { &sides.head } else { &sides.base };
    let project = rules.loaded.project.clone().unwrap_or_default();
    let source_of =
        |origin: Origin| head.line_of(origin).map(|(file, line)| Source { file, line: Some(line) });
    let nothing = BTreeSet::new();
    // The cloud's own: no context is chosen, and a link is only shown.
    let cloud = head.estate.account.as_ref().map_or(Cloud::Global, |account| account.spec.cloud);
    let endpoints = Endpoints::new(cloud, &Replaced::default());
    let admin = endpoints.map(|endpoints| endpoints.admin).unwrap_or_default();
    let planned = plan::plan(&Input {
        estate: &head.estate,
        snapshot: &snapshot,
        record: &Record::default(),
        limits: &project.limits,
        guards: &project.guards,
        rules: &judge.rules,
        actor: None,
        admin: &admin,
        invitation: None,
        is_complete: true,
        hands_over: handover::is_possible(head),
        lags: false,
        now: snapshot.observed_at,
        today,
        targets: &nothing,
        revive: &nothing,
        source_of: &source_of,
    });
    let (manifests, policies) = digests(&head.findings.sources);
    let Planned { steps, report, refused, access, limits, forecast, .. } = planned;
    let account = head.estate.account.as_ref();
    Plan {
        format: FORMAT.to_owned(),
        digest: String::new(),
        parents: Parents {
            estate: account.map(|one| one.metadata.name.as_str().to_owned()).unwrap_or_default(),
            tenant: snapshot.tenant.map(|tenant| tenant.to_string()),
            manifests,
            policies,
            commit: sides.head_name.commit.clone(),
            ..Parents::default()
        },
        observed_at: snapshot.observed_at,
        steps,
        report,
        access,
        limits,
        forecast,
        refused,
    }
    .sealed()
    .map_err(|error| CommandError::Internal(format!("the plan cannot be written: {error}")))
}
