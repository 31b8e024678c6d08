use jiff::Timestamp;
use jiff::ToSpan;
use jiff::tz::TimeZone;

use super::output::Output;
use super::planning::{Asked, PlanningArgs, Ready};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::model::metadata::Metadata;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::model::time::Day;
use crate::plan::{Plan, State};
use crate::report::status::{self, FORMAT, Item, Standing, Status};

/// Show who is waited for, with links, and what expires
#[derive(clap::Args, Debug)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    /// What expires within so many days
    #[arg(long, value_name = "DAYS", default_value = "30d", value_parser = days)]
    within: u16,
    /// Exit with 8 if anything waits or expires
    #[arg(long)]
    exit_code: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: status::Format,
}

fn days(text: &str) -> Result<u16, String> {
    let number = text.strip_suffix('d').unwrap_or(text);
    number.parse().map_err(|_| "a number of days is written 30d".to_owned())
}

pub(crate) fn run(out: &Output, args: &StatusArgs) -> Result<Outcome, CommandError> {
    block_on(async {
        let ready = match args.planning.prepare(out).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let plan = ready.file(ready.plan(&Asked::default()))?;
        let mut items = waiting(&plan);
        items.extend(expiring(&ready, plan.observed_at, args.within));
        items.sort();
        let found = Status {
            format: FORMAT.to_owned(),
            observed_at: plan.observed_at.to_string(),
            items,
            pending: plan.steps.len() as u64,
        };
        let style = out.style();
        out.result(|to| status::write(&found, args.format, style, to))?;
        let has_any = !found.items.is_empty();
        Ok(if args.exit_code && has_any { Outcome::Waiting } else { Outcome::Done })
    })
}

fn waiting(plan: &Plan) -> Vec<Item> {
    plan.report
        .iter()
        .filter(|report| report.state == State::Waiting)
        .map(|report| Item {
            object: report.object.to_string(),
            step: report.step.clone(),
            state: Standing::Waiting,
            awaiting: report.awaiting.clone().unwrap_or_else(|| "somebody".to_owned()),
            message: report.message.clone(),
            link: report.link.clone(),
            instructions: report.instructions.clone(),
            // What nobody applied yet waits from now on.
            since: report.since.unwrap_or(plan.observed_at).to_string(),
            until: report.until.map(|until| until.to_string()),
        })
        .collect()
}

/// Documents whose last day is near, or over.
fn expiring(ready: &Ready, now: Timestamp, within: u16) -> Vec<Item> {
    let estate = &ready.policies.loaded.estate;
    let today = now.to_zoned(TimeZone::UTC).date();
    let soon = today.saturating_add(i64::from(within).days());
    let mut items = Vec::new();
    let mut look = |kind: Kind, metadata: &Metadata, until: Option<Day>, what: &str| {
        let Some(until) = until.filter(|until| until.0 <= soon) else { return };
        let over = until.0 < today;
        items.push(Item {
            object: ObjectKey::new(kind, metadata.name.as_str()).to_string(),
            step: None,
            state: if over { Standing::Expired } else { Standing::Expires },
            awaiting: "whoever keeps the manifests".to_owned(),
            message: if over {
                format!("{what} ended on {until}")
            } else {
                format!("{what} ends on {until}")
            },
            link: None,
            instructions: None,
            since: until.to_string(),
            until: Some(until.to_string()),
        });
    };
    let mut documents = |kind: Kind, metadata: &Metadata| {
        look(kind, metadata, metadata.expires, "what it declares");
    };
    estate.users.values().for_each(|one| documents(Kind::User, &one.metadata));
    estate.roles.values().for_each(|one| documents(Kind::Role, &one.metadata));
    estate.partnerships.values().for_each(|one| documents(Kind::Partnership, &one.metadata));
    estate.customers.values().for_each(|one| documents(Kind::Customer, &one.metadata));
    estate
        .delegated_access
        .values()
        .for_each(|one| documents(Kind::DelegatedAccess, &one.metadata));
    for waiver in estate.waivers.values() {
        look(Kind::Waiver, &waiver.metadata, Some(waiver.spec.until), "the waiver");
    }
    items
}
