//! Proofs held against concrete requests: whatever the solver says of policies out of numbers, no
//! request in no small estate says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, PolicySet, Request, RestrictedExpression,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::model::Str;
use crate::policy::level::Level;
use crate::policy::vocabulary::action_uid;
use crate::policy::world::declared::Someone;
use crate::policy::world::{Shape, Type, Uid, Value};

struct Dice<'d>(std::slice::Iter<'d, u16>);

impl Dice<'_> {
    fn below(&mut self, sides: usize) -> usize {
        usize::from(*self.0.next().unwrap_or(&0)) % sides
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 1
    }

    fn of<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

const ACTIONS: [&str; 2] = ["view-customer", "edit-customer"];
/// What a template of delegated access gives besides.
const ASKED: [&str; 3] = [ACTIONS[0], ACTIONS[1], "reset-password"];
const ROLES: [&str; 2] = ["admin-agent", "tier2"];

/// What a condition can be made of. None has a sign in it that an edit changes.
const ATOMS: [&str; 18] = [
    "principal.enabled",
    "principal.guest",
    "principal.emailDomain like \"*.example\"",
    "principal.eligible.contains(Role::\"tier2\")",
    "principal in Role::\"admin-agent\"",
    "principal == User::\"user0\"",
    "principal.holds.contains(Role::\"tier2\")",
    "principal.holds.contains(Role::\"admin-agent\")",
    "principal in Role::\"default-user\"",
    "(if resource has delegated then resource.delegated.contains(\"tier2.1\") else false)",
    "resource.known",
    "resource.relationship == \"none\"",
    "resource.hasTag(\"t\")",
    "(if resource.hasTag(\"t\") then resource.getTag(\"t\") == \"a\" else false)",
    "(if principal.hasTag(\"t\") then if resource.hasTag(\"t\") then principal.getTag(\"t\") == resource.getTag(\"t\") else false else false)",
    "(if resource has reseller then resource.reseller.active else false)",
    "context has change",
    "(if context has change then context.change.grants.contains(Role::\"tier2\") else false)",
];

fn condition(depth: usize, dice: &mut Dice<'_>) -> String {
    let part = |dice: &mut Dice<'_>| condition(depth - 1, dice);
    match if depth == 0 { 0 } else { dice.below(6) } {
        0 | 1 => format!("({})", dice.of(&ATOMS)),
        2 => format!("({} && {})", part(dice), part(dice)),
        3 => format!("({} || {})", part(dice), part(dice)),
        4 => format!("!({})", part(dice)),
        _ => format!("(if {} then {} else {})", part(dice), part(dice), part(dice)),
    }
}

fn policy(id: usize, dice: &mut Dice<'_>) -> String {
    let effect = dice.of(&["permit", "permit", "forbid"]);
    let level = match (effect, dice.below(4)) {
        ("forbid", 0) => "@level(\"overridable\")",
        ("forbid", 1) => "@level(\"advisory\")",
        _ => "",
    };
    let who = dice.of(&["", "", " in Role::\"tier2\""]);
    let action = match dice.below(3) {
        2 => format!("action in [Action::{:?}, Action::{:?}]", ACTIONS[0], ACTIONS[1]),
        at => format!("action == Action::{:?}", ACTIONS[at]),
    };
    let condition = condition(3, dice);
    format!(
        "@id(\"p{id}\") {level}\n{effect} (principal is User{who}, {action}, resource is Customer)\n\
         when {{ {condition} }};\n"
    )
}

/// What is compiled of a template of delegated access and of a role's permissions.
fn compiled() -> [String; 2] {
    let text = "\
apiVersion: partnerctl/v1
kind: Role
metadata: {name: tier2}
spec: {group: Tier 2, permissions: [{allow: [reset-password, edit-customer], customers: {labels: {t: a}}}]}
---
apiVersion: partnerctl/v1
kind: DelegatedAccess
metadata: {name: ops}
spec:
  customers: {exists: [t]}
  duration: P180D
  grants: [{to: tier2, directoryRoles: [Helpdesk Administrator]}]
";
    let loaded = crate::policy::tests::estate(&[("all.yaml", text)]);
    let day = Day::parse("2026-10-01").unwrap();
    let rules = Rules::declared(&loaded.estate, &Sources::default(), day);
    let ids = ["delegated-access.ops.0", "role.tier2.0"];
    ids.map(|id| format!("@id(\"of.{id}\") {}\n", rules.by_id(id).unwrap().policy))
}

/// Policies before and after an edit.
fn pair(dice: &mut Dice<'_>) -> [Rules; 2] {
    static COMPILED: std::sync::LazyLock<[String; 2]> = std::sync::LazyLock::new(compiled);
    let mut texts: Vec<String> = (0..=dice.below(4)).map(|id| policy(id, dice)).collect();
    // As they are, or gone: a sign less makes nothing of them that Cedar could read.
    let own = texts.len();
    texts.extend(COMPILED.iter().filter(|_| dice.flip()).cloned());
    let old = texts.concat();
    let at = dice.below(texts.len());
    match dice.below(7) {
        _ if at >= own => drop(texts.remove(at)),
        0 => drop(texts.remove(at)),
        1 => texts.push(policy(90, dice)),
        2 => texts[at] = policy(91, dice),
        3 => texts[at] = texts[at].replacen("&&", "||", 1),
        4 => texts[at] = texts[at].replacen("||", "&&", 1),
        5 => texts[at] = texts[at].replacen('!', "", 1),
        // The same, written otherwise.
        _ => texts[at] = texts[at].replacen("when { ", "when { !!", 1),
    }
    [old, texts.concat()].map(|text| {
        rules(&text).only(|rule| matches!(rule.place, crate::policy::rules::Placed::Project { .. }))
    })
}

fn estate(dice: &mut Dice<'_>) -> World {
    let mut world = World::default();
    let role = |name: &str| Uid::new(Type::Role, name);
    for name in ROLES {
        let attributes =
            vec![("family", Value::Text("custom".into())), ("privileged", Value::Bool(false))];
        let parents = if name == "tier2" && dice.flip() {
            BTreeSet::from([role(ROLES[0])])
        } else {
            BTreeSet::new()
        };
        world.suppose(role(name), Shape { attributes, parents, ..Shape::default() });
    }
    let reseller = Uid::new(Type::Reseller, "adatum");
    let attributes = vec![("active", Value::Bool(dice.flip()))];
    world.suppose(reseller.clone(), Shape { attributes, ..Shape::default() });
    let tags = |dice: &mut Dice<'_>| -> Vec<(Str, Str)> {
        match dice.below(3) {
            0 => Vec::new(),
            1 => vec![("t".into(), "a".into())],
            _ => vec![("t".into(), "b".into())],
        }
    };
    let some = |dice: &mut Dice<'_>| {
        ROLES.iter().filter(|_| dice.flip()).map(|name| role(name)).collect::<BTreeSet<_>>()
    };
    for at in 0..3 {
        let (enabled, guest) = (dice.flip(), dice.flip());
        let email_domain = dice.of(&["a.example", "a.test"]);
        let someone =
            Someone { enabled, expired: false, guest, email_domain, webmail: false, labels: None };
        let (eligible, held) = (some(dice), some(dice));
        let names = |roles: &BTreeSet<Uid>| -> Vec<String> {
            roles.iter().map(|role| role.name.to_string()).collect()
        };
        let (eligible, held) = (names(&eligible), names(&held));
        // As the world makes of whoever is declared.
        let shape =
            someone.shape(eligible.iter().map(String::as_str), held.iter().map(String::as_str));
        let shape = Shape { tags: tags(dice), ..shape };
        world.suppose(Uid::new(Type::User, format!("user{at}")), shape);
        let mut attributes = vec![
            ("relationship", Value::Text(dice.of(&["reseller", "none"]).into())),
            ("origin", Value::Text("existing".into())),
            ("qualification", Value::Text("none".into())),
            ("known", Value::Bool(dice.flip())),
            ("providers", Value::Set(BTreeSet::new())),
        ];
        if dice.flip() {
            attributes.push(("reseller", Value::One(reseller.clone())));
        }
        if dice.flip() {
            let gifts = ["tier2.1", "desk.1"].into_iter().filter(|_| dice.flip());
            attributes.push(("delegated", Value::Texts(gifts.map(Str::from).collect())));
        }
        let shape = Shape { attributes, tags: tags(dice), ..Shape::default() };
        world.suppose(Uid::new(Type::Customer, format!("customer{at}")), shape);
    }
    world
}

fn contexts() -> Vec<Context> {
    let change = |roles: &[&str]| {
        let role =
            |name: &&str| RestrictedExpression::new_entity_uid(Uid::new(Type::Role, *name).cedar());
        let set = |names: &[&str]| RestrictedExpression::new_set(names.iter().map(role));
        let record = RestrictedExpression::new_record([
            ("verb".to_owned(), RestrictedExpression::new_string("update".to_owned())),
            ("grants".to_owned(), set(roles)),
            ("revokes".to_owned(), set(&[])),
            ("lastOf".to_owned(), set(&[])),
            ("irreversible".to_owned(), RestrictedExpression::new_bool(false)),
        ]);
        Context::from_pairs([("change".to_owned(), record.unwrap())]).unwrap()
    };
    vec![Context::empty(), change(&[]), change(&["tier2"])]
}

/// What is permitted to whom on what, by action, in all contexts.
fn permitted(
    policies: &PolicySet,
    entities: &Entities,
) -> BTreeMap<&'static str, BTreeSet<(usize, usize, usize)>> {
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for action in ASKED {
        for (at, context) in contexts().into_iter().enumerate() {
            for (who, what) in (0..3).flat_map(|who| (0..3).map(move |what| (who, what))) {
                let request = Request::new(
                    Uid::new(Type::User, format!("user{who}")).cedar(),
                    action_uid(action),
                    Uid::new(Type::Customer, format!("customer{what}")).cedar(),
                    context.clone(),
                    None,
                );
                let said = Authorizer::new().is_authorized(&request.unwrap(), policies, entities);
                if said.decision() == Decision::Allow {
                    all.entry(action).or_default().insert((who, what, at));
                }
            }
        }
    }
    all
}

/// How often each answer came, so that no law is empty.
#[derive(Debug, Default)]
struct Seen {
    nothing: usize,
    something: usize,
    flips: usize,
}

fn round(numbers: &[u16], solvers: &mut Cvc5, seen: &mut Seen) -> Result<(), TestCaseError> {
    let mut dice = Dice(numbers.iter());
    let [old, new] = pair(&mut dice);
    let proof = wait(prove(&Question { old: &old, new: &new, world: None }, solvers));
    let set = |rules: &Rules, strictness: Level| {
        rules.only(|rule| rule.permits() || Level::binds(rule.level, strictness)).set()
    };
    let sides = |strictness| [set(&old, strictness), set(&new, strictness)];
    let (hard, overridable) = (sides(Level::Hard), sides(Level::Overridable));
    for judged in &proof.environments {
        let answers = [Some(&judged.gained), Some(&judged.lost), judged.eased.as_ref()];
        for answer in answers.into_iter().flatten() {
            match answer {
                Answer::Nothing => seen.nothing += 1,
                Answer::Something(witness) => {
                    seen.something += 1;
                    prop_assert!(witness.confirmed, "{witness:#?}");
                }
                Answer::NotProved(why) => prop_assert!(false, "{why}"),
            }
        }
    }
    for _ in 0..4 {
        let entities = estate(&mut dice).entities().unwrap();
        let [before, after] = hard.each_ref().map(|set| permitted(set, &entities));
        let [strict_before, strict_after] =
            overridable.each_ref().map(|set| permitted(set, &entities));
        for judged in &proof.environments {
            let action = judged.environment.action.as_str();
            let beyond = |more: &BTreeMap<&str, BTreeSet<_>>,
                          less: &BTreeMap<&str, BTreeSet<_>>| {
                let none = BTreeSet::new();
                let (more, less) = (more.get(action), less.get(action));
                more.unwrap_or(&none).difference(less.unwrap_or(&none)).count()
            };
            let Environment { principal, resource, .. } = judged.environment;
            if (principal, resource) != (Type::User, Type::Customer) {
                continue;
            }
            let claims = [
                (Some(&judged.gained), beyond(&after, &before)),
                (Some(&judged.lost), beyond(&before, &after)),
                (judged.eased.as_ref(), beyond(&strict_after, &strict_before)),
            ];
            for (answer, count) in claims {
                seen.flips += count;
                if answer == Some(&Answer::Nothing) {
                    prop_assert_eq!(count, 0, "{}", judged.environment);
                }
            }
        }
    }
    Ok(())
}

#[test]
fn no_request_contradicts_a_proof_and_every_example_is_one() {
    let mut solvers = solvers();
    let mut seen = Seen::default();
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let seen_all = std::cell::RefCell::new((&mut solvers, &mut seen));
    TestRunner::new(config)
        .run(&prop::collection::vec(any::<u16>(), 240), |numbers| {
            let mut all = seen_all.borrow_mut();
            let (solvers, seen) = &mut *all;
            round(&numbers, solvers, seen)
        })
        .unwrap();
    assert!(seen.nothing > 60 && seen.something > 15 && seen.flips > 60, "{seen:?}");
}
