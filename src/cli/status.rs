use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::output::Output;
use super::planning::{Asked, PlanningArgs, Ready};
use super::tenant::block_on;
use super::{CommandError, Outcome};
use crate::model::metadata::Metadata;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::model::time::Day;
use crate::plan::{Ending, Fate, Plan, State};
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
        let planned = ready.plan(&Asked::default());
        let endings = planned.endings.clone();
        let plan = ready.file(planned)?;
        let mut items = waiting(&plan);
        items.extend(ending(&ready, &endings, plan.observed_at, args.within));
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

/// Delegated access that ends soon, and what becomes of it then.
fn ending(ready: &Ready, endings: &[Ending], now: Timestamp, within: u16) -> Vec<Item> {
    let account = ready.policies.loaded.estate.account.as_ref();
    let account = account.map_or("account", |account| account.metadata.name.as_str());
    let soon = now.checked_add(SignedDuration::from_hours(24 * i64::from(within)));
    let soon = soon.unwrap_or(Timestamp::MAX);
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let near = endings.iter().filter_map(|one| Some((one, one.ends_at.filter(|at| *at <= soon)?)));
    near.map(|(one, at)| {
        let renewed = |from: Option<Timestamp>| {
            from.map(|from| format!("; the next one is asked for from {} on", day(from)))
        };
        let (awaiting, what) = match one.fate {
            Fate::Extends => ("nobody", " and extends itself by 180 days".to_owned()),
            Fate::RenewNow => (
                "whoever applies",
                " and is to be renewed now: the customer needs time to approve".to_owned(),
            ),
            Fate::Renewed => ("the customer", " and the next one is asked for".to_owned()),
            Fate::Ends { from } => ("nobody yet", renewed(from).unwrap_or_default()),
            Fate::CannotExtend { from } => (
                "nobody yet",
                format!(
                    " and cannot extend itself, because of Global Administrator{}",
                    renewed(from).unwrap_or_default()
                ),
            ),
            Fate::Declined => (
                "whoever asks the customer",
                ", and the customer declined the next one: it is asked for anew with `--revive`"
                    .to_owned(),
            ),
            Fate::Empty => {
                ("nobody", ", and nobody has anything by it: its roles have expired".to_owned())
            }
            Fate::Unseen => {
                ("whoever keeps the manifests", ", and no manifest declares it".to_owned())
            }
        };
        let object =
            one.object.as_ref().map_or_else(|| format!("account/{account}"), ToString::to_string);
        Item {
            object,
            step: None,
            state: Standing::Expires,
            awaiting: awaiting.to_owned(),
            message: format!("{} with {} ends on {}{what}", one.name, one.customer, day(at)),
            link: None,
            instructions: None,
            since: now.to_string(),
            until: Some(at.to_string()),
        }
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
