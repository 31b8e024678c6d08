//! The library as a whole: each row of the role table stands on a policy, and each guardrail stops
//! what it is there to stop.

mod delegated;

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Context, Decision, Request, RestrictedExpression};

use super::expect;
use super::judge::Judge;
use super::rules::Rules;
use super::vocabulary::applies;
use super::world::{Type, Uid, World};
use crate::manifest::source::{Format, Source, Sources};
use crate::manifest::{Load, Loaded, NothingMore, ReadProject, Tables, TroubleKind, load};
use crate::model::action::Action;
use crate::model::scalar::Scalar;
use crate::model::time::Day;

struct NoTables;

impl Tables for NoTables {
    fn open(&self, _: &str, file: &str) -> Result<(String, Vec<u8>), (TroubleKind, String)> {
        Err((TroubleKind::Missing, file.to_owned()))
    }
}

/// An estate of these texts, without errors.
pub(crate) fn estate(texts: &[(&str, &str)]) -> Loaded {
    let loaded = loaded(texts);
    assert!(!loaded.has_errors(), "{:#?}", loaded.findings.all);
    loaded
}

/// The same, unless there are errors: of texts that chance has written.
fn estate_if_right(texts: &[(&str, &str)]) -> Option<Loaded> {
    Some(loaded(texts)).filter(|loaded| !loaded.has_errors())
}

fn loaded(texts: &[(&str, &str)]) -> Loaded {
    let mut sources = Sources::default();
    for (name, text) in texts {
        let name = (*name).to_owned();
        sources.add(Source { name, format: Format::Yaml, bytes: text.as_bytes().to_vec() });
    }
    load(Load {
        sources,
        project: ReadProject::default(),
        project_name: "partnerctl.yaml".to_owned(),
        troubles: Vec::new(),
        tables: &NoTables,
        examiner: &NothingMore,
        complete: false,
        today: today(),
    })
}

pub(crate) fn today() -> Day {
    Day::parse("2026-10-01").unwrap()
}

pub(super) fn role_table() -> Loaded {
    estate(&[
        ("estate.yaml", include_str!("../../../tests/role-table/estate/estate.yaml")),
        ("original.yaml", include_str!("../../../tests/role-table/estate/original.yaml")),
        ("roles.yaml", include_str!("../../../tests/role-table/estate/roles.yaml")),
    ])
}

/// The policies of the role table's estate and these, and its world.
pub(super) fn role_table_with(text: &str) -> (Rules, World) {
    let loaded = role_table();
    let mut sources = Sources::default();
    let bytes = text.as_bytes().to_vec();
    sources.add(Source { name: "own.cedar".to_owned(), format: Format::Cedar, bytes });
    let (rules, problems) = Rules::of(&loaded.estate, &sources, today());
    assert!(problems.is_empty(), "{problems:?}");
    (rules, World::declared(&loaded.estate, today()))
}

/// How many lines of the role table do not hold.
fn failures(loaded: &Loaded, rules: &Rules) -> Vec<String> {
    let world = World::declared(&loaded.estate, today());
    let outcome = expect::run(&loaded.estate, &world, rules).unwrap();
    let failed = outcome.tests.into_iter().flat_map(|test| test.failures);
    failed.map(|failure| failure.message).collect()
}

#[test]
fn the_role_table_holds_and_each_of_its_rows_stands_on_a_policy() {
    let loaded = role_table();
    let all = Rules::library();
    assert_eq!(failures(&loaded, &all), Vec::<String>::new());
    // These answer other questions: of the estate itself, or of a change. See below.
    let others = [
        "estate.hold-role",
        "estate.receive-directory-role",
        "guard.own-privileges",
        "guard.make-global-admin",
        "guard.guests",
        "guard.webmail",
        "guard.global-administrator",
        "guard.raises-itself",
        "guard.last-holder",
    ];
    let mut survived: BTreeSet<&str> = BTreeSet::new();
    for rule in all.iter() {
        let without = all.only(|other| other.id() != rule.id());
        if failures(&loaded, &without).is_empty() {
            survived.insert(rule.id());
        }
    }
    assert_eq!(survived, BTreeSet::from(others));
}

/// A change that gives and takes roles.
fn change(grants: &[&str], revokes: &[&str], last_of: &[&str]) -> Context {
    context("update", grants, revokes, last_of)
}

/// A change that is about no roles of ours.
fn changing(verb: &str) -> Context {
    context(verb, &[], &[], &[])
}

fn context(verb: &str, grants: &[&str], revokes: &[&str], last_of: &[&str]) -> Context {
    let roles =
        |names: &[&str]| {
            RestrictedExpression::new_set(names.iter().map(|name| {
                RestrictedExpression::new_entity_uid(Uid::new(Type::Role, *name).cedar())
            }))
        };
    let change = RestrictedExpression::new_record([
        ("verb".to_owned(), RestrictedExpression::new_string(verb.to_owned())),
        ("grants".to_owned(), roles(grants)),
        ("revokes".to_owned(), roles(revokes)),
        ("lastOf".to_owned(), roles(last_of)),
        ("irreversible".to_owned(), RestrictedExpression::new_bool(false)),
    ]);
    Context::from_pairs([("change".to_owned(), change.unwrap())]).unwrap()
}

#[test]
fn guardrails_stop_changes() {
    let loaded = role_table();
    let rules = Rules::library();
    let mut world = World::declared(&loaded.estate, today());
    let admin = world.suppose_holder("user-management-admin");
    let accounts = world.suppose_holder("account-admin");
    let global = Uid::new(Type::User, "aiko-tanaka");
    let other = Uid::new(Type::User, "hiroshi-kobayashi");
    let asked = |who: &Uid, what: &Uid, context: Context| {
        let judge = Judge::new(&rules, &world).unwrap();
        judge.decide_in(who.cedar(), Action::AssignRoles.cedar(), what.cedar(), context)
    };
    let denied = |who: &Uid, what: &Uid, context: Context, by: &[&str]| {
        let decision = asked(who, what, context);
        assert!(!decision.allowed);
        assert_eq!(decision.by, by);
    };
    // Nobody raises their own privileges, not even a global admin; taking one's own away is free.
    denied(&global, &global, change(&["billing-admin"], &[], &[]), &["guard.own-privileges"]);
    assert!(asked(&global, &global, change(&[], &["billing-admin"], &[])).allowed);
    assert!(asked(&global, &other, change(&["billing-admin"], &[], &[])).allowed);
    // A user management admin makes nobody a global admin.
    assert!(asked(&admin, &other, change(&["helpdesk-agent"], &[], &[])).allowed);
    denied(&admin, &other, change(&["global-admin"], &[], &[]), &["guard.make-global-admin"]);
    denied(
        &admin,
        &global,
        change(&[], &["global-admin"], &[]),
        &["guard.global-admins", "guard.make-global-admin"],
    );
    // The last holder of something privileged stays.
    denied(
        &global,
        &other,
        change(&[], &["admin-agent"], &["admin-agent"]),
        &["guard.last-holder"],
    );
    // An account admin assigns account roles, and no others: that is an absence.
    assert!(asked(&accounts, &other, change(&["referrals-user"], &["report-viewer"], &[])).allowed);
    denied(&accounts, &other, change(&["compliance-admin"], &[], &[]), &[]);
    denied(&accounts, &other, change(&["referrals-user"], &["admin-agent"], &[]), &[]);
}

#[test]
fn who_ends_delegated_access_and_who_gives_roles_in_it_are_two_questions() {
    let loaded = role_table();
    let rules = Rules::library();
    let mut world = World::declared(&loaded.estate, today());
    let agent = world.suppose_holder("admin-agent");
    let users = world.suppose_holder("user-management-admin");
    let judge = Judge::new(&rules, &world).unwrap();
    let may = |who: &Uid, action: Action, whose: &str, verb: &str| {
        let whose = Uid::new(Type::Customer, whose);
        judge.decide_in(who.cedar(), action.cedar(), whose.cedar(), changing(verb)).allowed
    };
    for verb in ["create", "end"] {
        assert!(may(&agent, Action::ManageDelegatedAccess, "contoso", verb));
        assert!(!may(&users, Action::ManageDelegatedAccess, "contoso", verb));
    }
    for verb in ["grant", "revoke"] {
        assert!(may(&agent, Action::AssignDelegatedAccess, "contoso", verb));
        assert!(may(&users, Action::AssignDelegatedAccess, "contoso", verb));
    }
    // The relationship with this one is over.
    assert!(!may(&agent, Action::ManageDelegatedAccess, "fourth-coffee", "create"));
}

#[test]
fn a_judge_decides_as_cedar_does_with_all_policies() {
    let loaded = role_table();
    let world = World::declared(&loaded.estate, today());
    let rules = Rules::declared(&loaded.estate, &loaded.findings.sources, today());
    let judge = Judge::new(&rules, &world).unwrap();
    let (set, entities) = (rules.set(), world.entities().unwrap());
    let named = |ty: Type| world.of(ty).iter().map(move |(name, _)| Uid::new(ty, name.clone()));
    let principals: Vec<Uid> = named(Type::User).chain(named(Type::Provider)).collect();
    let mut allowed = 0;
    for action in Action::ALL {
        for ty in &applies(*action).resources {
            for (who, what) in principals.iter().flat_map(|who| named(*ty).map(move |w| (who, w))) {
                let request =
                    Request::new(who.cedar(), action.cedar(), what.cedar(), Context::empty(), None);
                let said = Authorizer::new().is_authorized(&request.unwrap(), &set, &entities);
                let mut by: Vec<String> =
                    said.diagnostics().reason().map(ToString::to_string).collect();
                by.sort();
                let decision = judge.decide(who, *action, &what);
                assert_eq!(decision.allowed, said.decision() == Decision::Allow);
                assert_eq!(decision.by, by, "{who} {action} {what}");
                allowed += usize::from(decision.allowed);
            }
        }
    }
    assert!(allowed > 100, "{allowed}");
}
