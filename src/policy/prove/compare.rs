//! Old policies and new ones, in every environment.

use cedar_policy::Decision;
use cedar_policy_symcc::{CompiledPolicySet, implies_asserts};

use super::environment::{Book, Environment, Page};
use super::prover::{Prover, Solvers, unproved};
use super::scene::{Claim, witness};
use super::{Answer, Judged, Proof, Question, Today, Unproved, today};
use crate::policy::level::Level;
use crate::policy::vocabulary;

/// Whether the new policies permit anything that the old ones did not, and the other way round, in
/// every estate there could be.
pub async fn prove<S: Solvers>(question: &Question<'_>, solvers: &mut S) -> Proof {
    let Question { old, new, world } = question;
    let mut prover = Prover::new(solvers);
    let books = |strictness| [Book::of(old, strictness), Book::of(new, strictness)];
    let [before, after] = books(Level::Hard);
    let [strict_before, strict_after] = books(Level::Overridable);
    let mut environments = Vec::new();
    for environment in Environment::all() {
        let mut sides = Sides::new(environment, [&before, &after]);
        let gained = sides.beyond(&mut prover, AFTER, BEFORE).await;
        let lost = sides.beyond(&mut prover, BEFORE, AFTER).await;
        let mut strict = Sides::new(environment, [&strict_before, &strict_after]);
        let eased = if gained.witness().is_some() {
            None
        } else if strict.len() == sides.len() {
            // No guardrail that somebody could answer for: that was the question.
            Some(gained.clone())
        } else {
            Some(strict.beyond(&mut prover, AFTER, BEFORE).await)
        };
        environments.push(Judged {
            environment: environment.clone(),
            gained,
            lost,
            eased,
            guarded: strict.guardrails_differ(),
            today: Today::Unknown,
        });
    }
    if let Some(world) = world {
        today::look(&before, &after, world, &mut environments);
    }
    Proof { environments }
}

const BEFORE: usize = 0;
const AFTER: usize = 1;

/// Both sides in one environment.
struct Sides<'a> {
    environment: &'a Environment,
    pages: [Page<'a>; 2],
    same: bool,
    compiled: Option<Result<[CompiledPolicySet; 2], Unproved>>,
}

impl<'a> Sides<'a> {
    fn new(environment: &'a Environment, [before, after]: [&Book<'a>; 2]) -> Self {
        let pages = [before.page(environment), after.page(environment)];
        let [first, second] = &pages;
        let same = first.says_the_same(second);
        Self { environment, pages, same, compiled: None }
    }

    /// Whether the guardrails that somebody can answer for are not the same on both sides.
    fn guardrails_differ(&self) -> bool {
        let [before, after] = self.pages.each_ref().map(|page| page.at(Level::Overridable));
        !before.says_the_same(&after)
    }

    /// How many policies there are on both sides.
    fn len(&self) -> usize {
        self.pages.iter().map(|page| page.entries.len()).sum()
    }

    /// What one side permits and the other does not.
    async fn beyond<S: Solvers>(
        &mut self,
        prover: &mut Prover<'_, S>,
        more: usize,
        less: usize,
    ) -> Answer {
        if self.same {
            return Answer::Nothing;
        }
        let environment = self.environment;
        let [before, after] = &self.pages;
        let compiled = self.compiled.get_or_insert_with(|| {
            Ok([compile(before, environment)?, compile(after, environment)?])
        });
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(why) => return Answer::NotProved(why.clone()),
        };
        let (Some(permitting), Some(refusing)) = (compiled.get(more), compiled.get(less)) else {
            return Answer::Nothing;
        };
        match prover.find(&implies_asserts(permitting, refusing)).await {
            Ok(None) => Answer::Nothing,
            Ok(Some(env)) => {
                let set = |side: usize| self.pages.get(side).map(Page::set).unwrap_or_default();
                let (more, less) = (set(more), set(less));
                let claims = [
                    Claim { policies: &more, decision: Decision::Allow },
                    Claim { policies: &less, decision: Decision::Deny },
                ];
                Answer::Something(Box::new(witness(&env, &claims)))
            }
            Err(why) => Answer::NotProved(why),
        }
    }
}

/// Policies as a solver can be asked about them.
pub(super) fn compile(
    page: &Page<'_>,
    environment: &Environment,
) -> Result<CompiledPolicySet, Unproved> {
    CompiledPolicySet::compile(&page.set(), &environment.cedar(), vocabulary::schema())
        .map_err(|error| unproved(&error))
}
