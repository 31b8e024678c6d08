//! What the page of access is made of: the answers, the roles, the policies that decided.

use std::collections::BTreeMap;

use super::Policies;
use crate::cli::CommandError;
use crate::cli::explain::meaning;
use crate::model::action::Action;
use crate::model::estate::Estate;
use crate::model::label::Labels;
use crate::model::role::{MARKETPLACE_ROLES, is_built_in};
use crate::policy::access::{Side, Universe, Which, matrix};
use crate::policy::expect::object;
use crate::policy::vocabulary::{applies, groups_of};
use crate::policy::world::{Type, Uid};
use crate::report::Cited;
use crate::report::access::{self, Access, Cell, Page, Policy, Rectangle, Role, Row};

/// Makes the page of what was found.
pub(super) fn page(
    policies: &Policies,
    universe: &Universe,
    found: &Access,
) -> Result<Page, CommandError> {
    let estate = &policies.loaded.estate;
    let people = Numbered::of(&uids(policies, &universe.principals));
    let things = Numbered::of(&uids(policies, &universe.resources));
    let actions: Vec<Action> = universe.actions.iter().copied().collect();
    let cited = policies.cited(ids(&found.rows));
    let by: BTreeMap<&str, usize> =
        cited.iter().enumerate().map(|(at, policy)| (policy.id.as_str(), at)).collect();
    let word_at: BTreeMap<&str, usize> =
        actions.iter().enumerate().map(|(at, action)| (action.word(), at)).collect();
    let rectangles = found.rows.iter().map(|row| Rectangle {
        people: people.numbers(&row.principals),
        actions: row.actions.iter().filter_map(|word| word_at.get(word).copied()).collect(),
        things: things.numbers(&row.resources),
        by: row.policies.iter().filter_map(|id| by.get(id.as_str()).copied()).collect(),
    });
    Ok(Page {
        title: title(estate),
        heading: found.heading.clone(),
        labels: labels(estate, people.all.iter().chain(&things.all)),
        actions: actions
            .iter()
            .map(|action| access::Action {
                name: action.word().to_owned(),
                meaning: meaning(*action).to_owned(),
                group: groups_of(*action).next().unwrap_or_default(),
            })
            .collect(),
        roles: roles(policies, universe, &actions, &people)?,
        rectangles: rectangles.collect(),
        policies: cited.iter().map(told).collect(),
        people: people.all,
        things: things.all,
    })
}

fn title(estate: &Estate) -> String {
    match &estate.account {
        Some(account) => {
            format!("Who may do what at {}", account.spec.legal.company_name.as_str())
        }
        None => "Who may do what".to_owned(),
    }
}

/// Names, and the number of each.
struct Numbered {
    all: Vec<String>,
    number: BTreeMap<String, usize>,
}

impl Numbered {
    fn of(uids: &[Uid]) -> Self {
        let all: Vec<String> = uids.iter().map(object).collect();
        let number = all.iter().cloned().enumerate().map(|(at, name)| (name, at)).collect();
        Self { all, number }
    }

    fn numbers(&self, names: &[String]) -> Vec<usize> {
        names.iter().filter_map(|name| self.number.get(name).copied()).collect()
    }
}

/// Everybody, or everything, that was asked about.
fn uids(policies: &Policies, which: &Which) -> Vec<Uid> {
    match which {
        Which::Listed(uids) => uids.iter().cloned().collect(),
        Which::Types(types) => types
            .iter()
            .flat_map(|ty| {
                policies.world.of(*ty).iter().map(|(name, _)| Uid::new(*ty, name.clone()))
            })
            .collect(),
    }
}

/// The policies that decided, each once, in the order of their ids.
fn ids(rows: &[Row]) -> Vec<&String> {
    let mut ids: Vec<&String> = rows.iter().flat_map(|row| &row.policies).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn told(policy: &Cited) -> Policy {
    let line = policy.line.map_or_else(String::new, |line| format!(":{line}"));
    let built_in = if policy.built_in { " (built in)" } else { "" };
    Policy {
        id: policy.id.clone(),
        reason: policy.reason.clone().unwrap_or_default(),
        place: format!("{}{line}{built_in}", policy.file),
    }
}

fn labels<'a>(
    estate: &Estate,
    names: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let labels_of = |name: &str| -> Option<&Labels> {
        let (kind, name) = name.split_once('/')?;
        match kind {
            "user" => Some(&estate.users.get(name)?.metadata.labels),
            "customer" => Some(&estate.customers.get(name)?.metadata.labels),
            "partnership" => Some(&estate.partnerships.get(name)?.metadata.labels),
            _ => None,
        }
    };
    names
        .filter_map(|name| {
            let labels = labels_of(name).filter(|labels| !labels.is_empty())?;
            let pairs = labels.iter().map(|(k, v)| (k.as_str().to_owned(), v.as_str().to_owned()));
            Some((name.clone(), pairs.collect()))
        })
        .collect()
}

/// What each role gives to whoever holds it and nothing else.
fn roles(
    policies: &Policies,
    universe: &Universe,
    actions: &[Action],
    people: &Numbered,
) -> Result<Vec<Role>, CommandError> {
    let named: Vec<Uid> = policies
        .world
        .of(Type::Role)
        .iter()
        .filter(|(name, _)| !MARKETPLACE_ROLES.contains(&name.as_str()))
        .map(|(name, _)| Uid::new(Type::Role, name.clone()))
        .collect();
    let things = uids(policies, &universe.resources);
    let mut world = policies.world.clone();
    let holders: BTreeMap<Uid, usize> = named
        .iter()
        .enumerate()
        .map(|(at, role)| (world.suppose_holder(role.name.as_str()), at))
        .collect();
    let asked = Universe {
        principals: Which::Listed(holders.keys().cloned().collect()),
        ..universe.clone()
    };
    let set = policies.rules.set();
    let found = matrix(&Side::new(&set, &world), &asked)
        .map_err(|refused| CommandError::Internal(refused.to_string()))?;
    let mut cells: Vec<BTreeMap<usize, Cell>> = vec![BTreeMap::new(); named.len()];
    let of: Vec<usize> = actions.iter().map(|action| about(*action, &things)).collect();
    for rectangle in found.rectangles() {
        let allowed = usize::try_from(rectangle.resources).unwrap_or(usize::MAX);
        let here: Vec<usize> =
            found.principals_of(rectangle).filter_map(|uid| holders.get(&uid).copied()).collect();
        for action in &rectangle.actions {
            let Some(at) = actions.iter().position(|asked| asked == action) else { continue };
            for role in &here {
                let Some(row) = cells.get_mut(*role) else { continue };
                let of = of.get(at).copied().unwrap_or_default();
                row.entry(at).or_insert(Cell { allowed: 0, of }).allowed += allowed;
            }
        }
    }
    let roles = named.iter().zip(cells).map(|(role, cells)| Role {
        name: role.name.to_string(),
        built_in: is_built_in(role.name.as_str()),
        holders: policies
            .world
            .holders(role)
            .filter_map(|uid| people.number.get(&object(&uid)).copied())
            .collect(),
        cells,
    });
    Ok(roles.collect())
}

/// How many of the things an action is about.
fn about(action: Action, things: &[Uid]) -> usize {
    things.iter().filter(|thing| applies(action).resources.contains(&thing.ty)).count()
}
