mod page;

use std::collections::BTreeSet;

use super::can::{action_named, reference, unknown};
use super::files::ManifestArgs;
use super::live::LiveArgs;
use super::output::Output;
use super::policies::Policies;
use super::{CommandError, Outcome, clock};
use crate::model::action::Action;
use crate::model::name::{Kind, Reference};
use crate::model::time::Day;
use crate::policy::access::{self, Pairing, Side, Universe, Which, matrix};
use crate::policy::expect::{object, uid_of};
use crate::policy::world::{Type, Uid};
use crate::report::access::{self as report, Access, Format, Row};

/// Show who may do what on what, exactly
///
/// As the manifests declare it, or with --live as the tenant really has it; for everybody, every action and everything, or for those that are
/// named. What people may do to each other (reset a password, for one) is shown for the account as
/// a whole; name a user with --on to see it for that one.
#[derive(clap::Args, Debug)]
pub(crate) struct AccessArgs {
    #[command(flatten)]
    manifests: ManifestArgs,
    /// Only this user, or all who hold this role: user/NAME, role/NAME, partnership/NAME
    #[arg(long, value_name = "WHO")]
    who: Vec<String>,
    /// Only this action
    #[arg(long, value_name = "ACTION")]
    action: Vec<String>,
    /// Only on this customer
    #[arg(long, value_name = "NAME")]
    customer: Vec<String>,
    /// Only on this: customer/NAME, user/NAME, partnership/NAME, account/NAME
    #[arg(long, value_name = "WHAT")]
    on: Vec<String>,
    #[command(flatten)]
    live: LiveArgs,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Judge as of this day (UTC) instead of today
    #[arg(long, value_name = "DATE", value_parser = clock::parse_day)]
    as_of: Option<Day>,
}

pub(crate) fn run(out: &Output, args: &AccessArgs) -> Result<Outcome, CommandError> {
    let actions: Vec<Action> =
        args.action.iter().map(|word| action_named(word)).collect::<Result<_, _>>()?;
    let files = args.manifests.read(out)?;
    let policies = match Policies::read_either(files, args.as_of, &args.live, out)? {
        Ok(policies) => policies,
        Err(outcome) => return Ok(outcome),
    };
    for note in &policies.notes {
        out.say(note);
    }
    let universe = Universe {
        principals: principals(&policies, &args.who)?,
        actions: if actions.is_empty() {
            Action::ALL.iter().copied().collect()
        } else {
            actions.into_iter().collect()
        },
        resources: resources(&policies, args)?,
        ..Universe::default()
    };
    let set = policies.rules.set();
    let side = Side::new(&set, &policies.world);
    let found =
        matrix(&side, &universe).map_err(|refused| CommandError::Internal(refused.to_string()))?;
    let shown = shown(&policies, &universe, &found);
    let page = match args.format {
        Format::Html => Some(page::page(&policies, &universe, &shown)?),
        Format::Text | Format::Csv | Format::Json => None,
    };
    let width = out.style().width;
    out.result(|to| match (args.format, page) {
        (Format::Html, Some(page)) => report::html(&page, to),
        (Format::Csv, _) => report::csv(&shown, to),
        (Format::Json, _) => report::json(&shown, to),
        _ => report::text(&shown, width, to),
    })?;
    Ok(Outcome::Done)
}

/// Everybody, or those that are named: a role stands for its holders.
fn principals(policies: &Policies, named: &[String]) -> Result<Which, CommandError> {
    if named.is_empty() {
        return Ok(Which::Types(BTreeSet::from([Type::User, Type::Provider])));
    }
    let mut uids = BTreeSet::new();
    for text in named {
        let reference = reference(text, Kind::User)?;
        if let Reference::Document(Kind::Role, role) = &reference {
            let role = Uid::new(Type::Role, role.as_str());
            if !policies.world.contains(&role) {
                return Err(unknown(policies, &reference));
            }
            uids.extend(policies.world.holders(&role));
            continue;
        }
        match uid_of(&policies.loaded.estate, &reference) {
            Some(uid) if policies.world.contains(&uid) => uids.insert(uid),
            _ => return Err(unknown(policies, &reference)),
        };
    }
    Ok(Which::Listed(uids))
}

fn resources(policies: &Policies, args: &AccessArgs) -> Result<Which, CommandError> {
    if args.customer.is_empty() && args.on.is_empty() {
        let types = [Type::Customer, Type::Provider, Type::Reseller, Type::Account];
        return Ok(Which::Types(BTreeSet::from(types)));
    }
    let customers = args.customer.iter().map(|text| reference(text, Kind::Customer));
    let others = args.on.iter().map(|text| reference(text, Kind::Customer));
    let mut uids = BTreeSet::new();
    for reference in customers.chain(others) {
        let reference = reference?;
        match uid_of(&policies.loaded.estate, &reference) {
            Some(uid) if policies.world.contains(&uid) => uids.insert(uid),
            _ => return Err(unknown(policies, &reference)),
        };
    }
    Ok(Which::Listed(uids))
}

fn shown(policies: &Policies, universe: &Universe, found: &access::Access<'_>) -> Access {
    let objects = |uids: &mut dyn Iterator<Item = Uid>| uids.map(|uid| object(&uid)).collect();
    let mut rows = Vec::new();
    for rectangle in found.rectangles() {
        let actions: Vec<&'static str> =
            rectangle.actions.iter().map(|action| action.word()).collect();
        let policies: Vec<String> = rectangle.policies.iter().map(ToString::to_string).collect();
        let row = |principals: Vec<String>, resources: Vec<String>| Row {
            count: (principals.len() * actions.len() * resources.len()) as u64,
            principals,
            actions: actions.clone(),
            resources,
            policies: policies.clone(),
        };
        if rectangle.pairing == Pairing::All {
            let principals = objects(&mut found.principals_of(rectangle));
            rows.push(row(principals, objects(&mut found.resources_of(rectangle))));
        } else {
            // Not everybody meets everything: each pair for itself.
            for (principal, resource) in found.pairs_of(rectangle) {
                rows.push(row(vec![object(&principal)], vec![object(&resource)]));
            }
        }
    }
    let customers = match &universe.resources {
        Which::Types(_) => policies
            .world
            .of(Type::Customer)
            .iter()
            .map(|(name, _)| object(&Uid::new(Type::Customer, name.clone())))
            .collect(),
        Which::Listed(uids) => {
            uids.iter().filter(|uid| uid.ty == Type::Customer).map(object).collect()
        }
    };
    Access { heading: policies.heading.clone(), rows, customers }
}
