//! Invariants, and policies that do nothing, in every estate.

use super::invariants::kept;
use super::lint::{Defect, lint};
use super::*;

fn promised(text: &str) -> Vec<(String, bool)> {
    let rules = rules(text);
    let mut solvers = solvers();
    let found = wait(kept(&rules, &mut Prover::new(&mut solvers)));
    let unproved = found.iter().flat_map(|kept| &kept.environments);
    assert!(unproved.clone().count() > 0);
    for (environment, answer) in unproved {
        assert_eq!(answer.unproved(), None, "{environment}");
        assert!(answer.witness().is_none_or(|witness| witness.confirmed), "{environment}");
    }
    found.into_iter().map(|kept| (kept.id.clone(), kept.holds())).collect()
}

const NO_GUESTS: &str = r#"
@id("own.no-guests")
@never("a guest signs nothing")
permit (principal is User, action == Action::"sign-agreement", resource)
when { principal.guest };
"#;

fn guardrail(level: &str) -> String {
    format!(
        "@id(\"own.guests\") @level(\"{level}\")\n\
         forbid (principal is User, action == Action::\"sign-agreement\", resource)\n\
         when {{ principal.guest }};"
    )
}

#[test]
fn never_holds_only_where_nobody_can_let_it_pass() {
    let holds = |text: &str| promised(text) == [("own.no-guests".to_owned(), true)];
    assert!(!holds(NO_GUESTS));
    assert!(holds(&format!("{NO_GUESTS}{}", guardrail("hard"))));
    assert!(!holds(&format!("{NO_GUESTS}{}", guardrail("overridable"))));
}

#[test]
fn always_holds_only_where_nobody_has_to_answer_for_it() {
    let always = r#"
@id("own.profile")
@always("who is one of ours sees their own profile")
permit (
  principal is User in Role::"default-user",
  action == Action::"view-own-profile",
  resource
)
when { principal.enabled && !principal.expired };
"#;
    let holds = |text: &str| promised(text) == [("own.profile".to_owned(), true)];
    assert!(holds(always));
    assert!(!holds(&always.replace(" && !principal.expired", "")));
    let against = |level: &str| {
        format!(
            "{always}@id(\"own.webmail\") @level(\"{level}\")\n\
             forbid (principal is User, action == Action::\"view-own-profile\", resource)\n\
             when {{ principal.webmail }};"
        )
    };
    assert!(!holds(&against("hard")));
    assert!(!holds(&against("overridable")));
    assert!(holds(&against("advisory")));
}

#[test]
fn an_invariant_decides_nothing() {
    let with = rules(NO_GUESTS);
    assert_eq!(with.invariants().len(), 1);
    assert!(with.by_id("own.no-guests").is_none());
    assert_eq!(compared(&rules(""), &with, None).verdict(), Verdict::Unchanged);
}

#[test]
fn policies_that_do_nothing_are_seen_and_others_are_not() {
    let text = r#"
@id("fine.permit")
permit (principal in Role::"report-viewer", action == Action::"view-leads-not", resource);
@id("fine.forbid")
forbid (principal is User, action == Action::"manage-billing", resource)
when { principal.webmail };
@id("vacuous")
permit (principal is User, action == Action::"view-billing", resource)
when { principal.emailDomain == "a.example" && principal.emailDomain == "b.example" };
@id("redundant.permit")
permit (principal in Role::"helpdesk-agent", action == Action::"view-customer", resource)
when { principal is User && principal.webmail };
@id("redundant.forbid")
forbid (principal is User, action == Action::"manage-billing", resource)
when { principal.webmail && principal.guest };
@id("stricter.forbid") @level("overridable")
forbid (principal is User, action == Action::"manage-billing", resource)
when { principal.guest };
@id("advisory.forbid") @level("advisory")
forbid (principal is User, action == Action::"manage-billing", resource)
when { principal.guest && principal.hasTag("x") };
@id("overridden")
permit (principal is User, action == Action::"view-billing", resource)
when { !principal.enabled };
@id("waived")
permit (principal in Role::"sales-agent", action == Action::"manage-billing", resource)
when { principal is User && principal.guest };
@id("fails") @level("overridable")
forbid (principal is Role, action == Action::"receive-directory-role", resource is Customer)
when { context.days * 24 > 8760 };
"#
    .replace("view-leads-not", "view-billing");
    let rules = rules(&text);
    let mut solvers = solvers();
    let found = wait(lint(&rules, &mut Prover::new(&mut solvers)));
    assert_eq!(found.unproved, Vec::new());
    let instead: Vec<(&str, &str)> =
        found.instead.iter().map(|(id, other)| (id.as_str(), other.as_str())).collect();
    assert_eq!(
        instead,
        [
            ("advisory.forbid", "stricter.forbid"),
            ("redundant.forbid", "fine.forbid"),
            ("redundant.permit", "helpdesk-agent.customers"),
        ]
    );
    let found: Vec<(&str, Defect)> =
        found.defects.iter().map(|(id, defect)| (id.as_str(), *defect)).collect();
    assert_eq!(
        found,
        [
            ("vacuous", Defect::Vacuous),
            ("redundant.permit", Defect::Redundant),
            ("redundant.forbid", Defect::Redundant),
            // What an overridable one forbids, an advisory one need not advise against.
            ("advisory.forbid", Defect::Redundant),
            ("overridden", Defect::Overridden),
            ("fails", Defect::CanFail),
        ]
    );
}

#[test]
fn of_two_that_make_each_other_redundant_one_stays() {
    let permit = |id: &str, condition: &str| {
        format!(
            "@id({id:?}) permit (principal is User, action == Action::\"manage-leads\", resource)\n\
             when {{ principal in Role::\"report-viewer\" && {condition} }};\n"
        )
    };
    let looked = |text: &str| {
        let rules = rules(text);
        let mut solvers = solvers();
        let found = wait(lint(&rules, &mut Prover::new(&mut solvers)));
        assert_eq!(found.unproved, Vec::new());
        let instead = |id: &String| found.instead.get(id).cloned().unwrap_or_default();
        let defects = found.defects.iter();
        defects.map(|(id, defect)| (id.clone(), *defect, instead(id))).collect::<Vec<_>>()
    };
    let redundant = |id: &str, other: &str| (id.to_owned(), Defect::Redundant, other.to_owned());
    // The same twice; and three of which any two do all.
    let twice = permit("one", "principal.webmail") + &permit("two", "!!principal.webmail");
    assert_eq!(looked(&twice), [redundant("one", "two")]);
    let three = permit("one", "(principal.webmail || principal.guest)")
        + &permit("two", "(principal.guest || principal.hasTag(\"x\"))")
        + &permit("three", "(principal.hasTag(\"x\") || principal.webmail)");
    assert_eq!(looked(&three), [redundant("one", "")]);
    // What is taken out can be: the rest permits the same.
    let rest = three.split_once("@id(\"two\")").unwrap().1;
    let proof = compared(&rules(&three), &rules(&format!("@id(\"two\"){rest}")), None);
    assert_eq!(proof.verdict(), Verdict::Unchanged);
}

#[test]
fn an_example_says_nothing_of_roles_that_are_as_usual() {
    let rules = rules(
        r#"
@id("own.last")
@never("who is last takes no part")
permit (principal is User, action == Action::"manage-billing", resource is Account)
when { context has change && !context.change.lastOf.isEmpty() };
"#,
    );
    let mut solvers = solvers();
    let found = wait(kept(&rules, &mut Prover::new(&mut solvers)));
    let witness = found[0].environments[0].1.witness().unwrap();
    assert!(witness.confirmed);
    let sentence = witness.sentence();
    assert!(sentence.ends_with("with change.lastOf: some role"), "{sentence}");
}
