//! The law: access, and its difference, are what the naive loop says, triple by triple.

mod dice;
mod examples;

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{AuthorizationError, Authorizer, Context, Decision, Effect, PolicyId, Request};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use self::dice::{Case, Dice, everyone};
use super::roster::Types;
use super::*;

type Triple = (Uid, Action, Uid);
/// Allowed triples, and who decided.
type Decisions = BTreeMap<Triple, BTreeSet<PolicyId>>;

/// Asks Cedar about every triple, with every entity there.
fn naive(case: &Case, side: usize, context: &Context) -> Decisions {
    let (world, policies) = (&case.worlds[side], &case.policies[side]);
    let entities = world.entities().unwrap();
    let principals = everyone(&case.universe.principals, &case.worlds);
    let resources = everyone(&case.universe.resources, &case.worlds);
    let mut allowed = Decisions::new();
    for &action in &case.universe.actions {
        let types = Types::of(action);
        let there = |uids: &BTreeSet<Uid>, types: &BTreeSet<Type>| {
            let there = uids.iter().filter(|uid| types.contains(&uid.ty) && world.contains(uid));
            there.cloned().collect::<Vec<Uid>>()
        };
        let resources = there(&resources, &types.resources);
        for principal in there(&principals, &types.principals) {
            for resource in &resources {
                let (who, what) = (principal.cedar(), resource.cedar());
                let request =
                    Request::new(who, action.cedar(), what, context.clone(), None).unwrap();
                let response = Authorizer::new().is_authorized(&request, policies, &entities);
                let forbids = |id: &PolicyId| {
                    policies.policy(id).unwrap().effect() == Effect::Forbid
                        && case.only[side].as_ref().is_none_or(|only| only == id)
                };
                let fails = response.diagnostics().errors().any(
                    |AuthorizationError::PolicyEvaluationError(error)| forbids(error.policy_id()),
                );
                if response.decision() == Decision::Allow && !fails {
                    let policies = response.diagnostics().reason().cloned().collect();
                    allowed.insert((principal.clone(), action, resource.clone()), policies);
                }
            }
        }
    }
    allowed
}

/// What one has that the other has not.
fn beyond(one: &Decisions, other: &Decisions) -> Decisions {
    let beyond = one.iter().filter(|(triple, _)| !other.contains_key(*triple));
    beyond.map(|(triple, policies)| (triple.clone(), policies.clone())).collect()
}

/// Whether the rectangles of a context hold exactly these triples, each once.
fn agrees(access: &Access<'_>, context: usize, expected: &Decisions) -> Result<(), String> {
    let mut listed = BTreeSet::new();
    for rectangle in access.rectangles().iter().filter(|rectangle| rectangle.context == context) {
        let (mut pairs, mut policies) = (0, BTreeSet::new());
        for (principal, resource) in access.pairs_of(rectangle) {
            pairs += 1;
            for action in &rectangle.actions {
                let triple = (principal.clone(), *action, resource.clone());
                let Some(decided) = expected.get(&triple) else {
                    return Err(format!("{triple:?} should not be in {rectangle:?}"));
                };
                policies.extend(decided.iter().cloned());
                if !listed.insert(triple.clone()) {
                    return Err(format!("{triple:?} is listed twice"));
                }
            }
        }
        let principals = access.principals_of(rectangle).count() as u64;
        let resources = access.resources_of(rectangle).count() as u64;
        let count = pairs * rectangle.actions.len() as u64;
        if (principals, resources, count)
            != (rectangle.principals, rectangle.resources, rectangle.count)
        {
            return Err(format!("counted {principals} {resources} {count}: {rectangle:?}"));
        }
        if !policies.iter().eq(&rectangle.policies) {
            return Err(format!("decided by {policies:?}: {rectangle:?}"));
        }
    }
    match expected.keys().find(|triple| !listed.contains(*triple)) {
        Some(triple) => Err(format!("{triple:?} is missing")),
        None => Ok(()),
    }
}

/// One round of the law.
fn round(numbers: &[u16], care: Care) -> Result<(), String> {
    let case = Case::throw(&mut Dice::new(numbers));
    let side = |at: usize| Side {
        failing: case.only[at].as_ref().map_or(Failing::Forbids, Failing::ForbidsIf),
        ..Side::new(&case.policies[at], &case.worlds[at])
    };
    let work = |sides| work(sides, &case.universe, care).map_err(|refused| refused.to_string());
    let matrix = work([None, Some(side(1))])?;
    let Difference { gained, lost } = work([Some(side(0)), Some(side(1))])?;
    let told = |error: String| {
        let policies = case.policies.each_ref().map(ToString::to_string);
        format!("{error}\nbefore: {}\nafter: {}", policies[0], policies[1])
    };
    for (at, context) in case.universe.contexts.iter().enumerate() {
        let [before, after] = [0, 1].map(|side| naive(&case, side, context));
        agrees(&matrix.gained, at, &after).map_err(|error| told(format!("matrix: {error}")))?;
        let (more, less) = (beyond(&after, &before), beyond(&before, &after));
        agrees(&gained, at, &more).map_err(|error| told(format!("gained: {error}")))?;
        agrees(&lost, at, &less).map_err(|error| told(format!("lost: {error}")))?;
    }
    Ok(())
}

fn numbers() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 250..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn access_is_what_the_naive_loop_says(numbers in numbers()) {
        if let Err(error) = round(&numbers, Care::Full) {
            return Err(TestCaseError::fail(error));
        }
    }
}

/// The law would notice if any part of the method were left out.
#[test]
fn each_omission_is_caught() {
    for care in [Care::NoErrors, Care::NoOrder, Care::NoNames, Care::NoLooks, Care::NoSelves] {
        let mut runner = TestRunner::deterministic();
        let caught = (1..=1000).find(|_| {
            let numbers = numbers().new_tree(&mut runner).unwrap().current();
            round(&numbers, care).is_err()
        });
        assert!(caught.is_some(), "no round needs what {care:?} leaves out");
    }
}
