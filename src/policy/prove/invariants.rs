//! Invariants, in every estate there could be.

use cedar_policy::Decision;
use cedar_policy_symcc::{CompiledPolicySet, disjoint_asserts, implies_asserts};

use super::compare::compile;
use super::environment::{Book, Environment};
use super::prover::{Prover, Solvers, unproved};
use super::scene::{Claim, witness};
use super::{Answer, Unproved};
use crate::policy::invariant::{Invariant, Promise};
use crate::policy::rules::Rules;
use crate::policy::vocabulary;

/// What came of one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// For each environment that it is about: whether something breaks it.
    pub environments: Vec<(Environment, Answer)>,
}

impl Kept {
    /// Whether it is proved to hold in every estate: of what is about nothing, nothing is.
    pub fn holds(&self) -> bool {
        !self.environments.is_empty()
            && self.environments.iter().all(|(_, answer)| *answer == Answer::Nothing)
    }
}

/// Whether the invariants hold whoever there is, each by itself, in their order.
pub async fn kept<S: Solvers>(rules: &Rules, prover: &mut Prover<'_, S>) -> Vec<Kept> {
    let mut all = Vec::new();
    for invariant in rules.invariants() {
        let book = Book::of(rules, invariant.promise.strictness());
        let here = |environment: &&Environment| {
            environment.deed().is_some() && environment.admits(&invariant.rule.policy)
        };
        let mut environments = Vec::new();
        for environment in Environment::all().filter(here) {
            let answer = one(invariant, &book, environment, prover).await;
            let answer = answer.unwrap_or_else(Answer::NotProved);
            environments.push((environment.clone(), answer));
        }
        all.push(Kept { id: invariant.id().to_owned(), environments });
    }
    all
}

async fn one<S: Solvers>(
    invariant: &Invariant,
    book: &Book<'_>,
    environment: &Environment,
    prover: &mut Prover<'_, S>,
) -> Result<Answer, Unproved> {
    let page = book.page(environment);
    let rules = compile(&page, environment)?;
    let (judged, matching) = (page.set(), invariant.matching());
    let promised =
        CompiledPolicySet::compile(&matching, &environment.cedar(), vocabulary::schema())
            .map_err(|error| unproved(&error))?;
    let (asserted, decision) = match invariant.promise {
        Promise::Never => (disjoint_asserts(&rules, &promised), Decision::Allow),
        Promise::Always => (implies_asserts(&promised, &rules), Decision::Deny),
    };
    let claims = [
        Claim { policies: &judged, decision },
        Claim { policies: &matching, decision: Decision::Allow },
    ];
    let found = prover.find(&asserted).await?;
    Ok(found.map_or(Answer::Nothing, |env| Answer::Something(Box::new(witness(&env, &claims)))))
}
