//! Who may do what that they could not, and the other way round: exactly, by Cedar.
//!
//! Asked are the base's policies about the base's estate, and the head's about the head's. Where
//! policies differ a second question tells their part: both about the estate of the head.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::place::{At, Side as Of, of_rule};
use super::privilege::is_privileged;
use super::renamed::Renames;
use super::rules::Subject;
use super::{Compared, Input, Review};
use crate::policy::access::{self, Access, Pairing, Side, Universe, Which, difference};
use crate::policy::compile::{DELEGATED_ACCESS, ROLE};
use crate::policy::expect::object;
use crate::policy::rules::{Placed, Rule};
use crate::policy::world::{Type, Uid, World};

/// So many names stand in a list; the others are counted.
const NAMES_MAX: usize = 1_000;
/// So many objects are named as what a difference comes of.
const CAUSES_MAX: usize = 20;

/// Some names, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Names {
    pub count: u64,
    /// How many of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// The first thousand of them.
    pub names: Vec<String>,
}

impl Names {
    pub(super) fn of(all: impl Iterator<Item = Uid>) -> Self {
        let mut names = Self::default();
        for uid in all {
            names.count += 1;
            if names.names.len() < NAMES_MAX {
                names.names.push(object(&uid));
            }
            let kind = kind(uid.ty);
            match names.kinds.get_mut(kind) {
                Some(count) => *count += 1,
                None => {
                    names.kinds.insert(kind.to_owned(), 1);
                }
            }
        }
        names
    }
}

/// As manifests refer to it.
const fn kind(ty: Type) -> &'static str {
    match ty {
        Type::User => "user",
        Type::Application => "application",
        Type::Role => "role",
        Type::Customer => "customer",
        Type::Provider | Type::Reseller => "partnership",
        Type::Account => "account",
    }
}

/// What the pull request touches, by which a difference can be explained.
struct Changed {
    uids: HashMap<Uid, String>,
    /// Documents that policies are made of, as `kind/name`, and policies, by id.
    documents: HashSet<String>,
    policies: HashSet<String>,
}

impl Changed {
    fn of(review: &Review) -> Self {
        let mut changed =
            Self { uids: HashMap::new(), documents: HashSet::new(), policies: HashSet::new() };
        for change in &review.changes {
            let Some((kind, name)) = change.object.split_once('/') else { continue };
            let types: &[Type] = match kind {
                "user" => &[Type::User],
                "customer" => &[Type::Customer],
                "account" => &[Type::Account],
                "partnership" => &[Type::Provider, Type::Reseller],
                "role" => &[Type::Role],
                _ => &[],
            };
            if matches!(kind, "role" | "delegated-access") {
                changed.documents.insert(change.object.clone());
            }
            let uids = types.iter().map(|ty| (Uid::new(*ty, name), change.object.clone()));
            changed.uids.extend(uids);
        }
        let policies = review.rules.iter().filter(|one| one.subject == Subject::Policy);
        changed.policies.extend(policies.map(|one| one.name.clone()));
        changed
    }

    /// What of it has a part in a rectangle.
    fn causes(&self, access: &Access<'_>, rectangle: &access::Rectangle) -> Vec<String> {
        let mut causes = BTreeSet::new();
        if !self.uids.is_empty() {
            let both = access.principals_of(rectangle).chain(access.resources_of(rectangle));
            let touched = both.filter_map(|uid| self.uids.get(&uid).cloned());
            causes.extend(touched.take(CAUSES_MAX));
        }
        for id in &rectangle.policies {
            let id: &str = id.as_ref();
            if self.policies.contains(id) {
                causes.insert(format!("policy {id}"));
            }
            causes.extend(document_of(id).filter(|document| self.documents.contains(document)));
        }
        causes.into_iter().collect()
    }
}

/// The document that a policy was made of, as `kind/name`.
fn document_of(id: &str) -> Option<String> {
    [(ROLE, "role"), (DELEGATED_ACCESS, "delegated-access")].into_iter().find_map(
        |(prefix, kind)| {
            let (name, _) = id.strip_prefix(prefix)?.split_once('.')?;
            Some(format!("{kind}/{name}"))
        },
    )
}

/// Which of the people meet which of the things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Meet {
    /// Everybody, everything.
    All,
    /// Everybody, everything but themselves.
    Others,
    /// Everybody, themselves alone.
    Same,
}

/// These people, these actions, these things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rectangle {
    pub principals: Names,
    pub actions: Vec<String>,
    pub resources: Names,
    pub meet: Meet,
    /// How many triples.
    pub count: u64,
    /// The ids of the policies that decide, each for some of them at least.
    pub policies: Vec<String>,
    /// What of the pull request has a part in it: objects that it changes, among these people and
    /// things or as the role that decides, and policies. The first of them.
    pub causes: Vec<String>,
    /// One of the actions gives power over people, customers' tenants or money.
    pub privileged: bool,
    /// How many of the people, and of the things, the other side does not know.
    pub new_principals: u64,
    pub new_resources: u64,
}

impl Rectangle {
    /// Whether somebody meets something that was there before: what a new customer brings with it
    /// is no reach that anybody gained.
    pub const fn is_reach(&self) -> bool {
        self.resources.count > self.new_resources
    }
}

/// What differs in who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessChange {
    /// What matters most first.
    pub gained: Vec<Rectangle>,
    pub lost: Vec<Rectangle>,
    /// Triples of a person, an action and a thing.
    pub gained_count: u64,
    pub lost_count: u64,
}

/// A policy that decides, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decider {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub permits: bool,
    /// It comes with partnerctl.
    pub built_in: bool,
    pub at: At,
}

/// Works it out, with the policies that decide.
pub(super) fn compare(input: &Input<'_>, renames: &Renames, review: &mut Review) {
    let renamed = renames.world(input.base.world);
    let before = renamed.as_ref().unwrap_or(input.base.world);
    let after = input.head.world;
    let policies = [renames.policies(input.base.rules), input.head.rules.set()];
    let [base_set, head_set] = &policies;
    let sides = [Side::new(base_set, before), Side::new(head_set, after)];
    let changed = Changed::of(review);
    let mut part = HashMap::new();
    match asked(&sides, &changed, Some(&mut part)) {
        Ok(access) => review.access = access,
        Err(refused) => {
            review.access_unknown = Some(refused.to_string());
            return;
        }
    }
    for change in &mut review.changes {
        change.gains = part.get(&change.object).copied().unwrap_or_default();
    }
    if let Some(judged) = input.judged {
        let set = judged.rules.set();
        if set != *head_set {
            let before = Side::new(&set, after);
            let after = Side::new(head_set, after);
            review.by_policies = asked(&[before, after], &changed, None).ok();
        }
    }
    review.policies = deciders(input, renames, review);
}

/// The difference; `part` gets how much of the gain each object has a part in.
fn asked(
    sides: &[Side<'_>; 2],
    changed: &Changed,
    part: Option<&mut HashMap<String, u64>>,
) -> Result<AccessChange, access::Refused> {
    let universe =
        Universe { principals: Which::Types(BTreeSet::from(Type::ALL)), ..Universe::default() };
    let [before, after] = sides;
    let found = difference(before, after, &universe)?;
    if let Some(part) = part {
        count_parts(&found.gained, part);
    }
    Ok(AccessChange {
        gained: rectangles(&found.gained, before.world, changed),
        lost: rectangles(&found.lost, after.world, changed),
        gained_count: found.gained.count(),
        lost_count: found.lost.count(),
    })
}

/// For each object, how many pairs of an action and an other end it gains.
fn count_parts(gained: &Access<'_>, part: &mut HashMap<String, u64>) {
    let mut counts: HashMap<Uid, u64> = HashMap::new();
    let mut documents: HashMap<String, u64> = HashMap::new();
    for rectangle in gained.rectangles() {
        let actions = rectangle.actions.len() as u64;
        let other = |count: u64| match rectangle.pairing {
            Pairing::All => actions * count,
            Pairing::Others => actions * count.saturating_sub(1),
            Pairing::Same => actions,
        };
        for uid in gained.principals_of(rectangle) {
            *counts.entry(uid).or_default() += other(rectangle.resources);
        }
        if rectangle.pairing != Pairing::Same {
            for uid in gained.resources_of(rectangle) {
                *counts.entry(uid).or_default() += other(rectangle.principals);
            }
        }
        // What a role permits is its document's doing.
        let deciding: HashSet<String> =
            rectangle.policies.iter().filter_map(|id| document_of(id.as_ref())).collect();
        for document in deciding {
            *documents.entry(document).or_default() += rectangle.count;
        }
    }
    part.extend(counts.into_iter().map(|(uid, count)| (object(&uid), count)));
    for (document, count) in documents {
        *part.entry(document).or_default() += count;
    }
}

fn rectangles(access: &Access<'_>, other: &World, changed: &Changed) -> Vec<Rectangle> {
    let mut all: Vec<Rectangle> = access
        .rectangles()
        .iter()
        .map(|rectangle| {
            let side = |uids: &mut dyn Iterator<Item = Uid>| {
                let mut unknown = 0;
                let names = Names::of(uids.inspect(|uid| {
                    unknown += u64::from(!other.contains(uid));
                }));
                (names, unknown)
            };
            let (principals, new_principals) = side(&mut access.principals_of(rectangle));
            let (resources, new_resources) = side(&mut access.resources_of(rectangle));
            let mut actions = rectangle.actions.clone();
            actions.sort_by_key(|action| !is_privileged(*action));
            Rectangle {
                principals,
                actions: actions.iter().map(|action| action.word().to_owned()).collect(),
                resources,
                meet: match rectangle.pairing {
                    Pairing::All => Meet::All,
                    Pairing::Others => Meet::Others,
                    Pairing::Same => Meet::Same,
                },
                count: rectangle.count,
                policies: rectangle.policies.iter().map(ToString::to_string).collect(),
                causes: changed.causes(access, rectangle),
                privileged: rectangle.actions.iter().any(|action| is_privileged(*action)),
                new_principals,
                new_resources,
            }
        })
        .collect();
    // Reach that is gained by people who were there comes before what new ones bring with them.
    all.sort_by(|a, b| {
        let key = |one: &Rectangle| {
            let is_old = one.principals.count > one.new_principals;
            (!(one.privileged && one.is_reach()), !one.is_reach(), !is_old, !one.privileged)
        };
        (key(a), std::cmp::Reverse(a.count), &a.actions, &a.principals.names, &a.resources.names)
            .cmp(&(
                key(b),
                std::cmp::Reverse(b.count),
                &b.actions,
                &b.principals.names,
                &b.resources.names,
            ))
    });
    all
}

/// The policies that decide, each once: as the head has them, else as the base had.
fn deciders(input: &Input<'_>, renames: &Renames, review: &Review) -> Vec<Decider> {
    let changes = [Some(&review.access), review.by_policies.as_ref()];
    let ids: BTreeSet<&str> = changes
        .into_iter()
        .flatten()
        .flat_map(|change| change.gained.iter().chain(&change.lost))
        .flat_map(|rectangle| rectangle.policies.iter().map(String::as_str))
        .collect();
    let base: BTreeMap<String, &Rule> =
        input.base.rules.iter().map(|rule| (renames.policy_id(rule), rule)).collect();
    ids.into_iter()
        .filter_map(|id| {
            let (side, of, rule) = match input.head.rules.by_id(id) {
                Some(rule) => (&input.head, Of::Head, rule),
                None => (&input.base, Of::Base, *base.get(id)?),
            };
            Some(decider(id, side, of, rule))
        })
        .collect()
}

fn decider(id: &str, side: &Compared<'_>, of: Of, rule: &Rule) -> Decider {
    let (at, built_in) = match (&rule.place, of_rule(side.loaded, rule)) {
        (Placed::Library { file, line }, _) => {
            (At { line: Some(*line), ..At::file(of, (*file).to_owned()) }, true)
        }
        (_, Some(place)) => (At::of(of, place), false),
        (_, None) => (At::file(of, String::new()), false),
    };
    let reason = rule.reason().map(str::to_owned);
    Decider { id: id.to_owned(), reason, permits: rule.permits(), built_in, at }
}
