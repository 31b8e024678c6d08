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

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cedar_policy::{Context, Effect, Policy, PolicyId, PolicySet, Request};

use super::access::{Access, Pairing, Refused, Side, Universe, Which, difference};
use super::judge::{Failing, Ruling};
use super::level::Level;
use super::rules::{Rule, Rules, named, set};
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
pub struct Breach {
    /// For whom it does not, by name; at least one.
    pub people: Vec<Broken>,
    /// How many triples of a principal, an action and a resource.
    pub count: u64,
}

/// For whom an invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub principal: Uid,
    /// The first of what they may do, or may not.
    pub action: Action,
    pub resource: Uid,
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
    pub fn broken(&self, rules: &Rules, world: &World) -> Result<Option<Breach>, Refused> {
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
        let id = PolicyId::new(self.id());
        let failing = self.failing(&id);
        let before = Side { failing, ..Side::new(&before, world) };
        let after = Side { failing, ..Side::new(&after, world) };
        let found = difference(&before, &after, &universe)?.lost;
        let firsts = firsts(&found);
        if firsts.is_empty() {
            return Ok(None);
        }
        let people = deciding(&judged, world, failing, firsts)?;
        Ok(Some(Breach { people, count: found.count() }))
    }

    /// What cannot be evaluated counts against it: a forbid does not see to `@never`, but is in the way
    /// of `@always`; and where it cannot be said what may never be, it may not.
    fn failing<'i>(&self, id: &'i PolicyId) -> Failing<'i> {
        match self.promise {
            Promise::Never => Failing::ForbidsIf(id),
            Promise::Always => Failing::Forbids,
        }
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

/// For each principal the first action and resource.
fn firsts(access: &Access<'_>) -> BTreeMap<Uid, (Action, Uid)> {
    let mut firsts: BTreeMap<Uid, (Action, Uid)> = BTreeMap::new();
    for rectangle in access.rectangles() {
        let Some(action) = rectangle.actions.first().copied() else { continue };
        // Two are enough to find one that is somebody else.
        let resources: Vec<Uid> = access.resources_of(rectangle).take(2).collect();
        for principal in access.principals_of(rectangle) {
            let resource = match rectangle.pairing {
                Pairing::All => resources.first().cloned(),
                Pairing::Others => resources.iter().find(|other| **other != principal).cloned(),
                Pairing::Same => Some(principal.clone()),
            };
            if let Some(resource) = resource {
                firsts.entry(principal).or_insert((action, resource));
            }
        }
    }
    firsts
}

/// The policies that decide each of these.
fn deciding(
    policies: &PolicySet,
    world: &World,
    failing: Failing<'_>,
    firsts: BTreeMap<Uid, (Action, Uid)>,
) -> Result<Vec<Broken>, Refused> {
    let refused = |error: &dyn fmt::Display| Refused::Cedar { what: error.to_string() };
    let uids = firsts.iter().flat_map(|(who, (_, what))| [who.clone(), what.clone()]);
    let named = named(policies.policies());
    let entities = world.entities_around(uids, &named).map_err(|error| refused(&error))?;
    let decided = firsts.into_iter().map(|(principal, (action, resource))| {
        let request = Request::new(
            principal.cedar(),
            action.cedar(),
            resource.cedar(),
            Context::empty(),
            None,
        )
        .map_err(|error| refused(&error))?;
        let ruling = Ruling::on(&request, policies, &entities, failing);
        let by = ruling.by.iter().map(ToString::to_string).collect();
        Ok(Broken { principal, action, resource, by })
    });
    decided.collect()
}

#[cfg(test)]
mod tests {
    use cedar_policy::{AuthorizationError, Authorizer, Decision, Response};

    use super::*;
    use crate::policy::tests::role_table_with as rules;
    use crate::policy::vocabulary::applies;

    /// Everybody, one after the other.
    fn naive(invariant: &Invariant, rules: &Rules, world: &World) -> (BTreeSet<Uid>, u64) {
        let entities = world.entities().unwrap();
        let (judged, matching) = (invariant.judged(rules), invariant.matching());
        let named = |types: &[Type]| -> Vec<Uid> {
            let of = |ty: &Type| {
                world
                    .of(*ty)
                    .iter()
                    .map(|(name, _)| Uid::new(*ty, name.clone()))
                    .collect::<Vec<_>>()
            };
            types.iter().flat_map(of).collect()
        };
        let (mut people, mut count) = (BTreeSet::new(), 0);
        for action in Action::ALL {
            let types = applies(*action);
            for who in named(&types.principals) {
                for what in named(&types.resources) {
                    let ask = |set: &PolicySet| {
                        let (who, action, what) = (who.cedar(), action.cedar(), what.cedar());
                        let request = Request::new(who, action, what, Context::empty(), None);
                        Authorizer::new().is_authorized(&request.unwrap(), set, &entities)
                    };
                    let (matched, judged) = (ask(&matching), ask(&judged));
                    let allows = |said: &Response| said.decision() == Decision::Allow;
                    let errs = |said: &Response, of: Effect| {
                        said.diagnostics().errors().any(
                            |AuthorizationError::PolicyEvaluationError(error)| {
                                let id = error.policy_id().to_string();
                                rules.by_id(&id).is_none_or(Rule::permits) == (of == Effect::Permit)
                            },
                        )
                    };
                    let is_broken = match invariant.promise {
                        Promise::Never => {
                            allows(&judged) && (allows(&matched) || errs(&matched, Effect::Permit))
                        }
                        Promise::Always => {
                            allows(&matched) && (!allows(&judged) || errs(&judged, Effect::Forbid))
                        }
                    };
                    if is_broken {
                        people.insert(who.clone());
                        count += 1;
                    }
                }
            }
        }
        (people, count)
    }

    #[test]
    fn an_invariant_is_broken_by_whom_cedar_says_and_by_nobody_else() {
        let (rules, world) = rules(
            r#"
@id("users") @never("nobody manages themselves")
permit (principal, action in Action::"users", resource) when { principal == resource };
@id("others") @never("nobody manages others")
permit (principal, action in Action::"users", resource is User) when { principal != resource };
@id("bills") @never("") permit (principal, action in Action::"billing", resource);
@id("nothing") @never("")
permit (principal in Role::"helpdesk-agent", action == Action::"sign-agreement", resource)
unless { principal in Role::"global-admin" };
@id("everything") @always("") permit (principal is User, action, resource);
@id("view") @always("") @level("overridable")
permit (principal, action == Action::"view-customer", resource)
when { resource.relationship == "reseller" };
@id("profile") @always("")
permit (principal in Role::"default-user", action == Action::"view-own-profile", resource)
when { principal is User && principal.enabled && !principal.expired };
@id("guard") @level("overridable")
forbid (principal, action == Action::"manage-billing", resource);
@id("paid") @always("")
permit (principal in Role::"global-admin", action == Action::"manage-billing", resource);
@id("unsaid") @never("what cannot be said of somebody who is not there")
permit (principal in Role::"helpdesk-agent", action == Action::"view-users", resource)
when { User::"nobody".enabled };
@id("doubted") forbid (principal, action == Action::"manage-devices", resource)
when { User::"nobody".enabled };
@id("doubt") @never("a forbid that cannot be evaluated does not see to it")
permit (principal in Role::"admin-agent", action == Action::"manage-devices", resource);
@id("doubts") @always("but it is in the way")
permit (principal in Role::"admin-agent", action == Action::"manage-devices", resource)
when { resource.relationship == "reseller" };
"#,
        );
        let mut broken = Vec::new();
        for invariant in rules.invariants() {
            let (people, count) = naive(invariant, &rules, &world);
            let found = invariant.broken(&rules, &world).unwrap();
            let told = found.as_ref().map_or((BTreeSet::new(), 0), |breach| {
                let people = breach.people.iter().map(|broken| broken.principal.clone());
                (people.collect(), breach.count)
            });
            assert_eq!(told, (people, count), "{}", invariant.id());
            for Broken { principal, resource, .. } in found.iter().flat_map(|found| &found.people) {
                match invariant.id() {
                    "users" => assert_eq!(principal, resource),
                    "others" => assert_ne!(principal, resource),
                    _ => {}
                }
            }
            broken.extend(found.is_some().then(|| invariant.id()));
        }
        let doubtful = ["unsaid", "doubt", "doubts"];
        assert_eq!(
            broken,
            [&["users", "others", "bills", "everything", "view", "paid"], &doubtful[..]].concat()
        );
    }
}
