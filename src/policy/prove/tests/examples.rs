//! Policies before and after an edit.

use snapbox::{IntoData as _, assert_data_eq, str};

use super::*;
use crate::policy::world::{Shape, Type, Uid, Value};

/// What an edit comes to.
#[track_caller]
fn edit(old: &str, new: &str) -> String {
    shown(&compared(&rules(old), &rules(new), None))
}

const REGION: &str = r#"
@id("own.region")
permit (
  principal is User in Role::"sales-agent",
  action == Action::"administer-on-behalf",
  resource is Customer
)
when {
  resource.hasTag("region") && resource.getTag("region") == "kanto" && !principal.guest
};
"#;

/// The part of the condition that edits are about.
const CONDITION: &str =
    r#"resource.hasTag("region") && resource.getTag("region") == "kanto" && !principal.guest"#;

#[test]
fn what_is_only_written_otherwise_is_proved_to_be_the_same() {
    let others = [
        // In another order; by De Morgan; as a choice; as an exception.
        r#"!principal.guest && resource.hasTag("region") && resource.getTag("region") == "kanto""#,
        r#"resource.hasTag("region") && !(resource.getTag("region") != "kanto" || principal.guest)"#,
        r#"if principal.guest then false else if resource.hasTag("region") then resource.getTag("region") like "kanto" else false"#,
        r#"resource.hasTag("region") && ["kanto"].contains(resource.getTag("region")) && (principal.guest == false)"#,
    ];
    for other in others {
        let new = REGION.replace(CONDITION, other);
        assert_ne!(new, REGION);
        let proof = compared(&rules(REGION), &rules(&new), None);
        assert_eq!(proof.verdict(), Verdict::Unchanged, "{other}:\n{}", shown(&proof));
        assert!(proof.nothing_gained());
    }
    // In two policies, each for half of the cases.
    let halves = REGION.replace(CONDITION, &format!("{CONDITION} && principal.webmail"))
        + &REGION
            .replace("own.region", "own.region.2")
            .replace(CONDITION, &format!("{CONDITION} && !principal.webmail"));
    assert_eq!(edit(REGION, &halves), "");
}

#[test]
fn one_sign_that_lets_more_people_in_is_shown_with_somebody_whom_it_lets_in() {
    let or = REGION.replace("\"kanto\" &&", "\"kanto\" ||");
    assert_data_eq!(
        edit(REGION, &or),
        str![[r#"
User administer-on-behalf Customer: widened
  + a user (in role/sales-agent, guest: true) may administer-on-behalf on a customer (label "region": "kanto")
    by own.region

"#]]
        .raw()
    );
    assert_data_eq!(
        edit(&or, REGION),
        str![[r#"
User administer-on-behalf Customer: narrowed
  - a user (in role/sales-agent, guest: true) may administer-on-behalf on a customer (label "region": "kanto")
    by own.region

"#]]
        .raw()
    );
}

#[test]
fn a_has_that_is_missing_lets_in_who_has_nothing_at_all() {
    let careful = r#"
@id("own.strangers")
forbid (principal is User, action == Action::"sign-agreement", resource is Account)
unless { resource.hasTag("region") && resource.getTag("region") == "kanto" };
"#;
    let careless = careful.replace(
        "unless { resource.hasTag(\"region\") &&",
        "when { resource.hasTag(\"region\") &&",
    );
    let careless = careless.replace("== \"kanto\"", "!= \"kanto\"");
    assert_data_eq!(
        edit(careful, &careless),
        str![[r#"
User sign-agreement Account: widened
  + a user (in role/global-admin) may sign-agreement on an account
    by global-admin.everything; against own.strangers

"#]]
        .raw()
    );
}

#[test]
fn what_moves_is_both() {
    let moved = REGION.replace("\"kanto\"", "\"kansai\"");
    assert_data_eq!(
        edit(REGION, &moved),
        str![[r#"
User administer-on-behalf Customer: both
  + a user (in role/sales-agent) may administer-on-behalf on a customer (label "region": "kansai")
    by own.region
  - a user (in role/sales-agent) may administer-on-behalf on a customer (label "region": "kanto")
    by own.region

"#]]
        .raw()
    );
}

#[test]
fn what_matters_of_a_change_is_said() {
    let guarded = r#"
@id("own.no-leavers")
forbid (principal, action == Action::"manage-verification", resource)
when { context has change && context.change.revokes.contains(Role::"compliance-admin") };
"#;
    assert_data_eq!(
        edit(guarded, ""),
        str![[r#"
User manage-verification Account: widened
  + a user (in role/global-admin) may manage-verification on an account, with change.revokes: role/compliance-admin
    by global-admin.everything; against own.no-leavers
Application manage-verification Account: widened
  + an application (in role/global-admin) may manage-verification on an account, with change.revokes: role/compliance-admin
    by global-admin.everything; against own.no-leavers

"#]]
        .raw()
    );
}

/// A guardrail of this level.
fn guardrail(level: &str) -> String {
    format!(
        r#"
@id("own.signatures")
@level("{level}")
forbid (principal is User, action == Action::"sign-agreement", resource)
when {{ principal.guest }};
"#
    )
}

#[test]
fn what_somebody_can_let_pass_is_no_prohibition() {
    let verdicts = |old: &str, new: &str| {
        let proof = compared(&rules(&guardrail(old)), &rules(&guardrail(new)), None);
        let eased = proof.environments.iter().find_map(|one| one.eased.as_ref()?.witness());
        (proof.verdict(), eased.is_some())
    };
    assert_eq!(verdicts("hard", "hard"), (Verdict::Unchanged, false));
    assert_eq!(verdicts("hard", "overridable"), (Verdict::Widened, false));
    assert_eq!(verdicts("hard", "advisory"), (Verdict::Widened, false));
    // It was possible before, if somebody answered for it.
    assert_eq!(verdicts("overridable", "advisory"), (Verdict::Unchanged, true));
    assert_eq!(verdicts("overridable", "hard"), (Verdict::Narrowed, false));
    assert_eq!(verdicts("advisory", "overridable"), (Verdict::Unchanged, false));
    let proof = compared(&rules(&guardrail("overridable")), &rules(""), None);
    assert_data_eq!(
        shown(&proof),
        str![[r#"
User sign-agreement Account: unchanged
  ~ a user (in role/global-admin, guest: true) may sign-agreement on an account
    by global-admin.everything; against own.signatures

"#]]
        .raw()
    );
}

/// A sales agent of ours, and a customer in this region.
fn world(region: &str) -> World {
    let mut world = World::empty_handed();
    world.suppose_holder("sales-agent");
    let attributes = vec![
        ("relationship", Value::Text("reseller".into())),
        ("origin", Value::Text("existing".into())),
        ("qualification", Value::Text("none".into())),
        ("known", Value::Bool(true)),
        ("providers", Value::Set(std::collections::BTreeSet::new())),
    ];
    let tags = vec![("region".into(), region.into())];
    let shape = Shape { attributes, tags, ..Shape::default() };
    world.suppose(Uid::new(Type::Customer, "contoso"), shape);
    world
}

#[test]
fn somebody_real_is_a_better_example_and_nobody_is_told() {
    let anywhere = REGION.replace("resource.getTag(\"region\") == \"kanto\"", "true");
    let (old, new) = (rules(REGION), rules(&anywhere));
    assert_data_eq!(
        shown(&compared(&old, &new, Some(&world("kansai")))),
        str![[r#"
User administer-on-behalf Customer: widened
  + role/sales-agent may administer-on-behalf on customer/contoso
    by own.region; real; today Pairs(1)

"#]]
        .raw()
    );
    // Widened in theory, and nobody gains today.
    let proof = compared(&old, &new, Some(&world("kanto")));
    assert_eq!(proof.verdict(), Verdict::Widened);
    let widened = proof.environments.iter().find(|one| one.gained.witness().is_some()).unwrap();
    assert_eq!(widened.today, Today::Nobody);
    assert!(!widened.gained.witness().unwrap().real);
}

#[test]
fn somebody_real_is_confirmed_with_whom_a_policy_names_there() {
    let named = r#"
@id("own.named")
permit (principal is User, action == Action::"manage-leads", resource is Account)
when { User::"(supposed)".enabled };
"#;
    assert_data_eq!(
        shown(&compared(&rules(""), &rules(named), Some(&world("kanto")))),
        str![[r#"
User manage-leads Account: widened
  + user/(supposed) may manage-leads on account/(supposed)
    by own.named; real; today Pairs(1)

"#]]
        .raw()
    );
}

#[test]
fn all_environments_of_the_vocabulary_can_be_asked_about() {
    assert_eq!(Environment::all().count(), 131);
    let (old, new) = (rules(""), rules("@id(\"x\") permit (principal, action, resource);"));
    let proof = compared(&old, &new, None);
    assert_eq!(proof.environments.len(), 131);
    // Estates already hold whatever roles they say.
    let same: Vec<&str> = proof
        .environments
        .iter()
        .filter(|one| one.verdict() == Verdict::Unchanged)
        .map(|one| one.environment.action.as_str())
        .collect();
    assert_eq!(same, ["hold-role", "receive-directory-role"]);
    assert_eq!(proof.count(Verdict::Widened), 129);
    let unconfirmed = proof.environments.iter().filter_map(|one| one.gained.witness());
    assert_eq!(unconfirmed.filter(|witness| !witness.confirmed).count(), 0);
}

/// Nobody is there to be asked.
struct Nobody;

impl Solvers for Nobody {
    type Solver = solver::WriterSolver<Vec<u8>>;

    fn start(&mut self) -> Result<Self::Solver, Unproved> {
        Err(Unproved::NoSolver("there is no solver".to_owned()))
    }
}

#[test]
fn without_a_solver_nothing_that_differs_is_proved() {
    let question =
        |old: &Rules, new: &Rules| wait(prove(&Question { old, new, world: None }, &mut Nobody));
    let (old, new) = (rules(REGION), rules(&REGION.replace("!principal.guest", "true")));
    let proof = question(&old, &new);
    assert_eq!(proof.verdict(), Verdict::NotProved);
    assert!(!proof.nothing_gained());
    assert_data_eq!(
        shown(&proof),
        str![[r#"
User administer-on-behalf Customer: not proved
  + not proved: there is no solver
  - not proved: there is no solver
  ~ not proved: there is no solver

"#]]
        .raw()
    );
    // The same policies under other names, in another order, permit the same: nobody need be asked.
    let renamed = REGION.replace("own.region", "own.kanto");
    assert_eq!(question(&old, &rules(&renamed)).verdict(), Verdict::Unchanged);
}

#[test]
fn what_the_authorizer_does_not_confirm_is_labelled() {
    use cedar_policy::{Decision, PolicySet};
    use cedar_policy_symcc::{CompiledPolicySet, always_denies_asserts};
    let here = Environment::all().find(|one| one.deed().is_some()).unwrap();
    let all: PolicySet = "permit (principal, action, resource);".parse().unwrap();
    let compiled =
        CompiledPolicySet::compile(&all, &here.cedar(), crate::policy::vocabulary::schema())
            .unwrap();
    let mut solvers = solvers();
    let mut prover = Prover::new(&mut solvers);
    let env = wait(prover.find(&always_denies_asserts(&compiled))).unwrap().unwrap();
    let claim = |decision| scene::Claim { policies: &all, decision };
    assert!(scene::witness(&env, &[claim(Decision::Allow)]).confirmed);
    assert!(!scene::witness(&env, &[claim(Decision::Deny)]).confirmed);
}
