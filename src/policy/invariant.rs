//! Invariants: what must never, or always, be so, whatever the other policies say.
//!
//! One is written as a permit in a file of the project's policies, with `@never` or `@always` on
//! it: what it matches may never be permitted, or is always permitted. It decides nothing itself.
//!
//! Here it is held against the people and customers that there are, exactly, with nothing but
//! Cedar; [`prove`](super::prove::invariants) does so for every estate there could be. In either
//! case doubts count against it: `@never` means even if somebody answers for it, so an overridable
//! guardrail prevents nothing; `@always` means without anybody answering for it, so one is in its
//! way.

use std::collections::BTreeSet;
use std::fmt;

use cedar_policy::{Authorizer, Context, Effect, Policy, PolicyId, PolicySet, Request};

use super::access::{Refused, Side, Universe, Which, difference};
use super::level::Level;
use super::rules::{Rule, Rules, set};
use crate::model::action::Action;
use crate::policy::world::{Type, Uid, World};

/// What must never, or always, be so.
#[derive(Debug, Clone)]
pub struct Invariant {
    pub rule: Rule,
    pub promise: Promise,
}

/// What is promised of whatever an invariant matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// None of it is permitted.
    Never,
    /// All of it is permitted.
    Always,
}

/// Why a policy cannot be an invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Forbids,
    Both,
}

impl Wrong {
    pub const fn help(self) -> &'static str {
        match self {
            Self::Forbids => {
                "write `permit`: with `@never` it may not come about, with `@always` it must"
            }
            Self::Both => "write two invariants, each with an id of its own",
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forbids => "an invariant forbids nothing: it says what may be permitted, or must",
            Self::Both => "what is never so is not always so",
        })
    }
}

impl Promise {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Always => "always",
        }
    }

    /// What a policy's annotations promise, if anything.
    pub(crate) fn of(policy: &Policy) -> Result<Option<Self>, Wrong> {
        let says = |promise: Self| policy.annotation(promise.word()).map(|_| promise);
        let promise = match (says(Self::Never), says(Self::Always)) {
            (Some(_), Some(_)) => return Err(Wrong::Both),
            (never, always) => never.or(always),
        };
        if promise.is_some() && policy.effect() == Effect::Forbid {
            return Err(Wrong::Forbids);
        }
        Ok(promise)
    }

    /// How strict a forbid has to be to count.
    pub(crate) const fn strictness(self) -> Level {
        match self {
            Self::Never => Level::Hard,
            Self::Always => Level::Overridable,
        }
    }
}

/// That an invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The first for whom it does not, in a fixed order.
    pub principal: Uid,
    pub action: Action,
    pub resource: Uid,
    /// How many principals, and how many triples of a principal, an action and a resource.
    pub principals: usize,
    pub count: u64,
    /// The policies that permit it, or that forbid it; none if no policy permits it.
    pub by: Vec<String>,
}

impl Invariant {
    pub fn id(&self) -> &str {
        self.rule.id()
    }

    /// What it promises, in the words of who wrote it.
    pub fn says(&self) -> Option<&str> {
        let said = self.rule.policy.annotation(self.promise.word());
        said.filter(|said| !said.is_empty()).or_else(|| self.rule.reason())
    }

    /// Who can let it pass that it does not hold.
    pub fn level(&self) -> Level {
        self.rule.level.unwrap_or(Level::Hard)
    }

    /// What it is about that people do. Questions about the estate itself are guardrails' to judge.
    pub fn deeds(&self) -> BTreeSet<Action> {
        Action::ALL.iter().copied().filter(|action| self.rule.is_about(&action.cedar())).collect()
    }

    /// The policies that it is held against.
    pub(crate) fn judged(&self, rules: &Rules) -> PolicySet {
        let strictness = self.promise.strictness();
        let counted =
            rules.iter().filter(|rule| rule.permits() || Level::binds(rule.level, strictness));
        set(counted.map(|rule| &rule.policy))
    }

    /// What it matches, as a set of its own.
    pub(crate) fn matching(&self) -> PolicySet {
        set(std::iter::once(&self.rule.policy))
    }

    /// Whether it holds in a world; nothing if it does.
    pub fn broken(&self, rules: &Rules, world: &World) -> Result<Option<Broken>, Refused> {
        let judged = self.judged(rules);
        let (before, after) = match self.promise {
            // What a forbid in its words would take away is permitted, and matches.
            Promise::Never => (judged.clone(), self.forbidding(&judged)?),
            // What matches, and is not permitted.
            Promise::Always => (self.matching(), judged.clone()),
        };
        let types = || Which::Types(Type::ALL.into_iter().collect());
        let universe = Universe {
            principals: types(),
            actions: self.deeds(),
            resources: types(),
            contexts: vec![Context::empty()],
        };
        let sides = [&before, &after].map(|policies| Side { policies, world });
        let found = difference(&sides[0], &sides[1], &universe)?.lost;
        let Some((rectangle, (principal, resource))) = found
            .rectangles()
            .iter()
            .find_map(|rectangle| Some((rectangle, found.pairs_of(rectangle).next()?)))
        else {
            return Ok(None);
        };
        let Some(action) = rectangle.actions.first().copied() else { return Ok(None) };
        let people: BTreeSet<Uid> = found
            .rectangles()
            .iter()
            .flat_map(|rectangle| found.principals_of(rectangle))
            .collect();
        let by = deciding(&judged, world, &principal, action, &resource);
        let count = found.count();
        Ok(Some(Broken { principal, action, resource, principals: people.len(), count, by }))
    }

    /// The policies, and one more that forbids all that this matches.
    fn forbidding(&self, policies: &PolicySet) -> Result<PolicySet, Refused> {
        let refused = |error: &dyn fmt::Display| Refused::Cedar { what: error.to_string() };
        let mut json = self.rule.policy.to_json().map_err(|error| refused(&error))?;
        if let Some(policy) = json.as_object_mut() {
            policy.insert("effect".to_owned(), "forbid".into());
        }
        let id = PolicyId::new(self.id());
        let forbid = Policy::from_json(Some(id), json).map_err(|error| refused(&error))?;
        let mut set = policies.clone();
        set.add(forbid).map_err(|error| refused(&error))?;
        Ok(set)
    }
}

/// The policies that decide a question.
fn deciding(
    policies: &PolicySet,
    world: &World,
    principal: &Uid,
    action: Action,
    resource: &Uid,
) -> Vec<String> {
    let Ok(entities) = world.entities_around([principal.clone(), resource.clone()]) else {
        return Vec::new();
    };
    let request =
        Request::new(principal.cedar(), action.cedar(), resource.cedar(), Context::empty(), None);
    let Ok(request) = request else { return Vec::new() };
    let response = Authorizer::new().is_authorized(&request, policies, &entities);
    let mut ids: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
    ids.sort_unstable();
    ids
}
