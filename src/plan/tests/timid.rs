//! What a machine may do by itself.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::stage::*;
use crate::plan::change::Change;
use crate::plan::step::{Cause, Step, Verb};
use crate::plan::timid::{Timid, Why};

/// Steps as they are planned: left ones with their reasons, the others without.
fn shown(timid: &Timid) -> Vec<String> {
    let left = timid.left.iter().map(|left| {
        let why: Vec<&str> = left.why.iter().map(|why| why.word()).collect();
        format!("{}: {}", left.step.id, why.join(", "))
    });
    timid.alone.iter().map(|step| step.id.clone()).chain(left).collect()
}

fn told(stage: &Stage) -> Vec<String> {
    shown(&Timid::of(stage.plan().steps))
}

#[test]
fn nothing_is_left_of_nothing() {
    assert_eq!(told(&Stage::base()), [] as [&str; 0]);
}

#[test]
fn an_edit_is_done_and_drift_is_mended_alone() {
    let edited = Stage::base().edit("jobTitle: Engineer", "jobTitle: Lead");
    assert_eq!(told(&edited), ["user/ben/update"]);
    let drifted = Stage::base().live(|tenant| user(tenant, "dai").display_name = "Dai".into());
    assert_eq!(told(&drifted), ["user/dai/update"]);
}

#[test]
fn what_both_edited_is_left() {
    let both = Stage::base()
        .edit("jobTitle: Engineer", "jobTitle: Lead")
        .live(|tenant| user(tenant, "ben").job_title = Some("Clerk".into()));
    assert_eq!(told(&both), ["user/ben/update: both"]);
}

#[test]
fn what_is_taken_away_is_left() {
    let planned = Timid::of(Stage::base().without("ben}").plan().steps);
    assert!(planned.alone.is_empty(), "{:?}", shown(&planned));
    assert!(!planned.left.is_empty());
    assert!(planned.left.iter().all(|left| left.gravest() == Why::TakesAway));
}

/// Somebody shut an account that is declared open: for a reason that no manifest knows, perhaps.
#[test]
fn nobody_is_let_in_again() {
    let shut = Stage::base().live(|tenant| user(tenant, "ben").enabled = Some(false));
    assert_eq!(told(&shut), ["user/ben/enable: lets-in"]);
}

/// A person is made; what gives them privileges is left, what does not is done.
#[test]
fn privileges_are_left_and_their_holder_is_made() {
    let stage = Stage::base().add("kind: User\nmetadata: {name: new}\nspec: {displayName: New, email: new@fabrikam.example, agent: [admin, helpdesk], admin: global}\n");
    let planned = Timid::of(stage.plan().steps);
    let alone: Vec<&str> = planned.alone.iter().map(|step| step.id.as_str()).collect();
    assert!(alone.contains(&"user/new/create"), "{alone:?}");
    let left: Vec<String> = planned.left.iter().map(|left| left.step.id.clone()).collect();
    assert!(left.iter().any(|id| id.contains("admin/global")), "{left:?}");
    assert!(planned.left.iter().all(|left| left.why.contains(&Why::GivesPrivileges)));
}

/// Real steps, with what makes them risky dealt anew.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let all = Stage::empty().plan().steps;
    let count = all.len();
    let verbs = [Verb::Create, Verb::Update, Verb::Grant, Verb::Revoke, Verb::Delete, Verb::End];
    let dealt = (0..30u8, prop::collection::vec(0..count, 0..3));
    prop::collection::vec(dealt, count).prop_map(move |dealt| {
        let mut steps = all.clone();
        let ids: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
        for (step, (risk, needs)) in steps.iter_mut().zip(dealt) {
            step.verb = verbs.get(usize::from(risk)).copied().unwrap_or(Verb::Update);
            step.cost.privileged_grants = u32::from(risk == 6);
            step.cost.removals = u32::from(risk == 7);
            step.irreversible = (risk == 8).then(|| "it is".to_owned());
            for field in &mut step.fields {
                field.cause = if risk == 9 { Cause::Both } else { Cause::Change };
            }
            step.depends_on = needs.iter().map(|at| ids[*at].clone()).collect();
        }
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_done_alone_is_harmless_and_needs_nothing_that_is_left(steps in steps()) {
        let timid = Timid::of(steps.clone());
        let left: BTreeSet<&str> =
            timid.left.iter().map(|left| left.step.id.as_str()).collect();
        for step in &timid.alone {
            prop_assert!(!step.verb.takes_away() && step.cost.removals == 0);
            prop_assert!(step.cost.privileged_grants == 0 && step.irreversible.is_none());
            prop_assert!(step.fields.iter().all(|field| field.cause != Cause::Both));
            prop_assert!(step.depends_on.iter().all(|id| !left.contains(id.as_str())));
            if let Change::UpdateUser { fields, .. } = &step.change {
                prop_assert!(fields.get("accountEnabled") != Some(&Value::Bool(true)));
            }
        }
        // Each is on one side, as it was and in its order, and none is left without a reason.
        let alone: Vec<&Step> = steps.iter().filter(|step| !left.contains(step.id.as_str())).collect();
        prop_assert_eq!(alone, timid.alone.iter().collect::<Vec<_>>());
        let others: Vec<&Step> = steps.iter().filter(|step| left.contains(step.id.as_str())).collect();
        prop_assert_eq!(others, timid.left.iter().map(|left| &left.step).collect::<Vec<_>>());
        for one in &timid.left {
            prop_assert!(!one.why.is_empty());
            let is_led = one.step.depends_on.iter().any(|id| left.contains(id.as_str()));
            prop_assert_eq!(one.why.contains(&Why::NeedsAnother), is_led);
            prop_assert!(is_led || one.why.len() > usize::from(is_led));
        }
        prop_assert_eq!(timid.reasons().values().sum::<usize>(), timid.left.len());
        // Told apart again, nothing more is left.
        let again = Timid::of(timid.alone.clone());
        prop_assert_eq!(again.alone, timid.alone);
        prop_assert_eq!(again.left, []);
    }
}
