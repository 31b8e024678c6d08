//! Policies that are right, but do nothing, or may fail: what a solver can see and nobody else.
//!
//! Only policies of the project's files and roles are looked at, among all that hold. Each is judged among those
//! forbids that are at least as strict as it is: a hard forbid is not superfluous because an
//! advisory one says the same, and a permit is not idle because a guardrail is against it that
//! somebody can answer for.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Policy, PolicyId, PolicySet};
use cedar_policy_symcc::{
    CompiledPolicy, CompiledPolicySet, disjoint_asserts, equivalent_asserts, never_errors_asserts,
    never_matches_asserts,
};

use super::Unproved;
use super::compare::compile;
use super::environment::{Book, Entry, Environment, Page};
use super::prover::{Prover, Solvers, unproved};
use crate::policy::level::Level;
use crate::policy::rules::{Placed, Rule, Rules};
use crate::policy::vocabulary;

/// What is the matter with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// No request in any estate matches it.
    Vacuous,
    /// A permit, and whatever it matches is forbidden.
    Overridden,
    /// Without it, and without those that were found so before, the same is permitted.
    Redundant,
    /// It ends in an error for some request, and then counts for nothing.
    CanFail,
}

/// What came of looking at the policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linted {
    /// By id, in the order of the policies.
    pub defects: Vec<(String, Defect)>,
    /// For those that are redundant because of one other policy: which.
    pub instead: BTreeMap<String, String>,
    /// Policies of which something is not known, and why.
    pub unproved: Vec<(String, Unproved)>,
    /// How many policies there were to look at.
    pub looked_at: usize,
}

/// Looks at all policies of a project.
pub async fn lint<S: Solvers>(rules: &Rules, prover: &mut Prover<'_, S>) -> Linted {
    let mut linted = Linted::default();
    let mut shelf = Shelf::default();
    let mut superfluous = BTreeSet::new();
    // What templates of delegated access give overlaps as it does in tenants.
    let own = rules
        .iter()
        .filter(|rule| matches!(rule.place, Placed::Role { .. } | Placed::Project { .. }));
    for rule in own {
        linted.looked_at += 1;
        let id = || rule.id().to_owned();
        let strictness =
            if rule.permits() { Level::Hard } else { rule.level.unwrap_or(Level::Hard) };
        let book = Book::of(rules, strictness).without(&superfluous);
        let mut look = Look { rule, strictness, book: &book, shelf: &mut shelf };
        match look.fails(prover).await {
            Ok(true) => linted.defects.push((id(), Defect::CanFail)),
            Ok(false) => {}
            Err(why) => linted.unproved.push((id(), why)),
        }
        match look.idle(prover).await {
            Ok(Some(defect)) => {
                if defect == Defect::Redundant {
                    // Where nobody knows, nobody is named.
                    if let Ok(Some(other)) = look.instead(prover).await {
                        linted.instead.insert(id(), other);
                    }
                    superfluous.insert(id());
                    shelf.clear();
                }
                linted.defects.push((id(), defect));
            }
            Ok(None) => {}
            Err(why) => linted.unproved.push((id(), why)),
        }
    }
    linted.unproved.dedup_by(|one, other| one.0 == other.0);
    linted
}

/// What was compiled of all policies together.
type Shelf = BTreeMap<(Level, &'static Environment), Result<CompiledPolicySet, Unproved>>;

/// A look at one policy among all.
struct Look<'l, 'a> {
    rule: &'a Rule,
    strictness: Level,
    book: &'l Book<'a>,
    shelf: &'l mut Shelf,
}

impl Look<'_, '_> {
    fn environments(&self) -> Vec<&'static Environment> {
        Environment::all().filter(|here| here.admits(&self.rule.policy)).collect()
    }

    fn alone(&self, environment: &Environment) -> Result<CompiledPolicy, Unproved> {
        CompiledPolicy::compile(&self.rule.policy, &environment.cedar(), vocabulary::schema())
            .map_err(|error| unproved(&error))
    }

    async fn fails<S: Solvers>(&self, prover: &mut Prover<'_, S>) -> Result<bool, Unproved> {
        for environment in self.environments() {
            let alone = self.alone(environment)?;
            if !prover.is_none(&never_errors_asserts(&alone)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether it does nothing at all, and why.
    async fn idle<S: Solvers>(
        &mut self,
        prover: &mut Prover<'_, S>,
    ) -> Result<Option<Defect>, Unproved> {
        let mut matching = Vec::new();
        for environment in self.environments() {
            let alone = self.alone(environment)?;
            if !prover.is_none(&never_matches_asserts(&alone)).await? {
                matching.push((environment, alone));
            }
            // One place where it does something is enough.
            if let Some((environment, _)) = matching.last()
                && !self.is_redundant(environment, prover).await?
            {
                return Ok(None);
            }
        }
        if matching.is_empty() {
            return Ok(Some(Defect::Vacuous));
        }
        if self.rule.permits() {
            for (environment, alone) in matching {
                if !self.is_overridden(environment, alone, prover).await? {
                    return Ok(Some(Defect::Redundant));
                }
            }
            return Ok(Some(Defect::Overridden));
        }
        Ok(Some(Defect::Redundant))
    }

    async fn is_redundant<S: Solvers>(
        &mut self,
        environment: &'static Environment,
        prover: &mut Prover<'_, S>,
    ) -> Result<bool, Unproved> {
        let page = self.book.page(environment);
        let whole = self
            .shelf
            .entry((self.strictness, environment))
            .or_insert_with(|| compile(&page, environment))
            .as_ref()
            .map_err(Clone::clone)?;
        let rest = page.entries.into_iter().filter(|entry| entry.rule.id() != self.rule.id());
        let rest = compile(&Page { entries: rest.collect() }, environment)?;
        prover.is_none(&equivalent_asserts(whole, &rest)).await
    }

    /// The one policy of its kind that does all of its work; nothing if it takes several, or if it
    /// has none to do.
    async fn instead<S: Solvers>(
        &self,
        prover: &mut Prover<'_, S>,
    ) -> Result<Option<String>, Unproved> {
        let environments = self.environments();
        if self.does_nothing_beside(None, &environments, prover).await? {
            return Ok(None);
        }
        let pages: Vec<Page<'_>> = environments.iter().map(|here| self.book.page(here)).collect();
        let Some(first) = pages.first() else { return Ok(None) };
        for Entry { rule, .. } in &first.entries {
            let is_there =
                |page: &Page<'_>| page.entries.iter().any(|one| one.rule.id() == rule.id());
            if rule.permits() == self.rule.permits()
                && rule.id() != self.rule.id()
                && pages.iter().all(is_there)
                && self.does_nothing_beside(Some(rule), &environments, prover).await?
            {
                return Ok(Some(rule.id().to_owned()));
            }
        }
        Ok(None)
    }

    /// Whether it changes nothing beside this one alone of its kind, and all of the other kind.
    async fn does_nothing_beside<S: Solvers>(
        &self,
        other: Option<&Rule>,
        environments: &[&'static Environment],
        prover: &mut Prover<'_, S>,
    ) -> Result<bool, Unproved> {
        for environment in environments {
            let of = |with: bool| {
                let entries = self.book.page(environment).entries.into_iter().filter(|entry| {
                    let id = entry.rule.id();
                    entry.rule.permits() != self.rule.permits()
                        || other.is_some_and(|other| other.id() == id)
                        || (with && id == self.rule.id())
                });
                compile(&Page { entries: entries.collect() }, environment)
            };
            let (with, without) = (of(true)?, of(false)?);
            if !prover.is_none(&equivalent_asserts(&with, &without)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether all that a permit matches is forbidden.
    async fn is_overridden<S: Solvers>(
        &self,
        environment: &Environment,
        alone: CompiledPolicy,
        prover: &mut Prover<'_, S>,
    ) -> Result<bool, Unproved> {
        let page = self.book.page(environment);
        let forbids = page.entries.iter().filter(|entry| !entry.rule.permits());
        let mut set: PolicySet = crate::policy::rules::set(forbids.map(|entry| &entry.rule.policy));
        let everything = Policy::parse(
            Some(PolicyId::new("(everything)")),
            "permit (principal, action, resource);",
        )
        .map_err(|error| Unproved::Policies(error.to_string()))?;
        set.add(everything).map_err(|error| Unproved::Policies(error.to_string()))?;
        let free = CompiledPolicySet::compile(&set, &environment.cedar(), vocabulary::schema())
            .map_err(|error| unproved(&error))?;
        prover.is_none(&disjoint_asserts(&alone.into_compiled_policyset(), &free)).await
    }
}
