//! Which steps wait for others, and which are not done because others failed.

use crate::apply::{Waves, blocks};
use crate::model::record::ObjectKey;
use crate::plan::Step;
use crate::plan::step::{Cause, FieldChange, Verb};
use crate::plan::tests::stage::{BASE, Stage};
use serde_json::{Value, json};

/// A step on an object, that gives and takes roles.
fn step(object: &str, verb: Verb, before: &[&str], after: &[&str]) -> Step {
    let text = format!(
        "{BASE}---\napiVersion: partnerctl/v1\nkind: User\nmetadata: {{name: new}}\nspec: {{displayName: New, email: new@fabrikam.example, agent: none, admin: none}}\n"
    );
    let stage = Stage::fresh(&text).with(|stage| {
        let new = crate::plan::tests::stage::object_id("new@fabrikam.example");
        stage.snapshot.users.remove(&new);
    });
    let mut step = stage.plan().steps.into_iter().next().unwrap();
    let value = |words: &[&str]| if words.is_empty() { Value::Null } else { json!(words) };
    step.object = ObjectKey::parse(object).unwrap();
    step.verb = verb;
    step.fields = vec![FieldChange {
        path: "spec.grants.desk".to_owned(),
        before: value(before),
        after: value(after),
        cause: Cause::Change,
        applied: None,
    }];
    step
}

const SEAT: &str = "delegated-access/ops/contoso";

/// What goes from one group to another is not lost on the way; what others are to lose, they lose.
#[test]
fn a_gift_that_failed_holds_what_it_was_to_replace() {
    let gift = step(SEAT, Verb::Grant, &[], &["Directory Readers"]);
    let taken = |object, before: &[&str], after: &[&str]| step(object, Verb::Revoke, before, after);
    assert!(blocks(&gift, &taken(SEAT, &["Directory Readers"], &[])));
    let both = ["Directory Readers", "Helpdesk Administrator"];
    assert!(!blocks(&gift, &taken(SEAT, &both, &["Directory Readers"])));
    for other in ["delegated-access/ops/woodgrove", "delegated-access/second/contoso"] {
        assert!(!blocks(&gift, &taken(other, &["Directory Readers"], &[])), "{other}");
    }
    // What takes nothing waits for nothing.
    assert!(!blocks(&gift, &step(SEAT, Verb::Grant, &["Directory Readers"], &[])));
    // More than it had: what it had is no gift.
    let more = step(SEAT, Verb::Grant, &["Directory Readers"], &both);
    assert!(!blocks(&more, &taken(SEAT, &["Directory Readers"], &[])));
    assert!(blocks(&more, &taken(SEAT, &["Helpdesk Administrator"], &[])));
}

/// The earliest wave in which something failed is the last, in whatever order that is heard of.
#[test]
fn a_wave_that_failed_is_the_last_whatever_was_skipped_before() {
    let steps: Vec<Step> = ["adatum", "contoso", "woodgrove"]
        .map(|name| step(&format!("delegated-access/ops/{name}"), Verb::Grant, &[], &["x"]))
        .into();
    let mut waves = Waves::new(&steps, Some(1));
    // The third needed something that failed, and is skipped at once; then the first fails.
    waves.ended(2, false);
    assert!(!waves.is_off(1));
    waves.ended(0, false);
    assert!(waves.is_off(1));
}
