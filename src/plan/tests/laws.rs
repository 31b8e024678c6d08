//! What must hold of every plan, beyond the table.

use std::fmt::Write as _;

use super::super::file::{Plan, Why};
use super::super::{Cause, Verb};
use super::stage::*;
use crate::model::record::Origin as How;

fn crowd(count: usize) -> String {
    let mut text = BASE.to_owned();
    for at in 0..count {
        write!(text, "---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: u{at}}}\nspec: {{displayName: User {at}, email: u{at}@fabrikam.example, agent: helpdesk, admin: none}}\n").unwrap();
    }
    text
}

/// Three of twenty-five users are twelve percent, however many customers there are.
#[test]
fn twelve_percent_of_the_users_are_more_than_ten() {
    let stage = Stage::fresh(&crowd(21)).applied(How::Made).percent_of_removals(10);
    let two = stage.without("u0}").without("u1}");
    assert_eq!(two.plan().refused, []);
    let planned = two.without("u2}").plan();
    assert_eq!(planned.limits.removals.planned, 3);
    assert_eq!(planned.limits.removals.managed, 25);
    let [refusal] = planned.refused.as_slice() else { panic!("{:?}", planned.refused) };
    assert_eq!(refusal.why, Why::Limit);
    assert!(refusal.message.contains("`removals`"), "{}", refusal.message);
    assert!(refusal.remedy.contains("--allow removals=3"), "{}", refusal.remedy);
}

/// Each cause, told apart, in one plan.
#[test]
fn one_plan_tells_all_causes_apart() {
    let planned = Stage::base()
        .edit("{name: chie}", "{name: chie, expires: 2026-11-19}")
        .edit("jobTitle: Engineer", "jobTitle: Lead")
        .edit("description: First line", "description: Any line")
        .add("kind: User\nmetadata: {name: new}\nspec: {displayName: New, email: new@fabrikam.example, agent: none, admin: none}\n")
        .add("kind: User\nmetadata: {name: old}\nspec: {displayName: Old, email: old@fabrikam.example, agent: none, admin: none}\n")
        .live(|tenant| {
            user(tenant, "dai").display_name = "Dai".into();
            user(tenant, "ben").job_title = Some("Clerk".into());
            let mut old = user(tenant, "dai").clone();
            old.sign_in_name = "old@fabrikam.example".into();
            old.email = Some("old@fabrikam.example".into());
            tenant.users.insert(object_id("old@fabrikam.example"), old);
        });
    let planned = planned.plan();
    let mut causes: Vec<Cause> =
        planned.steps.iter().flat_map(|step| step.fields.iter().map(|field| field.cause)).collect();
    causes.sort_unstable();
    causes.dedup();
    assert_eq!(
        causes,
        [Cause::Change, Cause::Drift, Cause::Both, Cause::Adopt, Cause::Expiry, Cause::Create]
    );
    let removed = Stage::base().without("ben}").plan();
    assert!(removed.steps.iter().all(|step| step.verb == Verb::Revoke));
    assert!(removed.steps.iter().all(|step| step.fields[0].cause == Cause::Remove));
}

/// A file that was changed is noticed, and one that was not is read back whole.
#[test]
fn a_plan_file_is_what_was_planned() {
    let planned = Stage::empty().plan();
    let plan = Plan {
        format: super::super::file::FORMAT.to_owned(),
        digest: String::new(),
        parents: super::super::file::Parents::default(),
        observed_at: NOW.parse().unwrap(),
        steps: planned.steps,
        report: planned.report,
        access: planned.access,
        limits: planned.limits,
        forecast: planned.forecast,
        refused: planned.refused,
    }
    .sealed()
    .unwrap();
    let bytes = plan.to_bytes().unwrap();
    assert_eq!(Plan::read(&bytes).unwrap(), plan);
    let text = String::from_utf8(bytes).unwrap();
    // Whatever is changed, but for when it was looked.
    for (from, to) in [
        ("user/ben/create", "user/bem/create"),
        ("\"enabled\":true", "\"enabled\":false"),
        ("\"decision\":\"allow\"", "\"decision\":\"deny\""),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(Plan::read(text.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
    }
    let later = text.replacen("2026-11-20T12:00:00Z", "2026-11-20T12:00:01Z", 1);
    assert_eq!(Plan::read(later.as_bytes()).unwrap().digest, plan.digest);
    let other = text.replacen("partnerctl/plan/v1", "partnerctl/plan/v2", 1);
    assert!(Plan::read(other.as_bytes()).unwrap_err().to_string().contains("plan/v2"));
}

/// Each step comes after those that it needs.
#[test]
fn nothing_comes_before_what_it_needs() {
    let planned = Stage::empty().plan();
    let mut done = std::collections::BTreeSet::new();
    for step in &planned.steps {
        for needed in &step.depends_on {
            assert!(done.contains(needed.as_str()), "{} before {needed}", step.id);
        }
        assert!(done.insert(step.id.as_str()), "{} twice", step.id);
    }
}
