//! What policies of a project's own say of steps.

use super::stage::*;
use crate::plan::step::Decision;

/// What is said of the first step, and the refusals.
fn judged(stage: &Stage) -> (Decision, Option<String>, Vec<String>) {
    let planned = stage.plan();
    let said = planned.steps[0].authorisation.clone();
    let refused = planned.refused.iter().map(|refusal| refusal.message.clone());
    (said.decision, said.reason, refused.collect())
}

fn edited(condition: &str, level: &str) -> Stage {
    Stage::base().edit("jobTitle: Engineer", "jobTitle: Lead").policies(&format!(
        "@id(\"own.freeze\") {level} @reason(\"people are frozen\")\n\
         forbid (principal, action == Action::\"manage-users\", resource)\n\
         when {{ {condition} }};\n"
    ))
}

#[test]
fn a_forbid_sees_whom_it_names_whoever_the_step_is_about() {
    // dai and contoso have no part in the step.
    for there in [
        "User::\"dai\".enabled",
        "User::\"dai\" in Role::\"admin-agent\"",
        "Customer::\"contoso\".relationship == \"reseller\"",
        "Customer::\"contoso\".hasTag(\"segment\")",
    ] {
        let (decision, _, refused) = judged(&edited(there, ""));
        assert_eq!(decision, Decision::Deny, "{there}");
        assert_eq!(
            refused,
            ["user/aiko may not do `user/ben/update`: own.freeze: people are frozen"],
            "{there}"
        );
        let (decision, _, refused) = judged(&edited(&format!("!({there})"), ""));
        assert_eq!((decision, refused), (Decision::Allow, vec![]), "{there}");
    }
    // As they are, not as they are declared.
    let stage = edited("!User::\"dai\".enabled", "");
    assert_eq!(judged(&stage).0, Decision::Allow);
    let stage = stage.live(|tenant| user(tenant, "dai").enabled = Some(false));
    assert!(!judged(&stage).2.is_empty());
}

#[test]
fn a_forbid_that_cannot_be_evaluated_forbids() {
    let (decision, reason, refused) = judged(&edited("User::\"nobody\".enabled", ""));
    assert_eq!(decision, Decision::Deny);
    let reason = reason.unwrap();
    assert!(reason.starts_with("own.freeze cannot be evaluated, and so forbids it: "), "{reason}");
    assert_eq!(refused.len(), 1);
    // It asks first: then there is nothing to fail at.
    let asks = edited("User::\"nobody\" has enabled && User::\"nobody\".enabled", "");
    assert_eq!(judged(&asks).0, Decision::Allow);
}

#[test]
fn what_only_advises_lets_a_step_pass_and_is_told() {
    let (decision, reason, refused) = judged(&edited("true", "@level(\"advisory\")"));
    assert_eq!((decision, refused), (Decision::Allow, vec![]));
    assert_eq!(reason.as_deref(), Some("advised against by own.freeze: people are frozen"));
}

#[test]
fn what_a_role_permits_in_tenants_is_nobodys_until_a_customer_has_approved_it() {
    let planned = Stage::base()
        .edit(
            "spec: {description: First line,",
            "spec: {permissions: [{allow: [reset-password, manage-subscriptions, view-service-health], customers: {all: true}}, {allow: [reset-password, create-service-request]}], description: First line,",
        )
        .edit("agent: [admin, helpdesk], admin: none}", "agent: [admin, helpdesk], admin: none, roles: [desk]}")
        .plan();
    let by = |id: &str| {
        let rows =
            planned.access.gained.iter().filter(move |row| row.policies.contains(&id.to_owned()));
        let mut told: Vec<String> = rows
            .map(|row| format!("{} on {}", row.actions.join(" "), row.resources.join(" ")))
            .collect();
        told.sort();
        told
    };
    // Of our own account, and of customers what is not done in their tenants.
    assert_eq!(by("role.desk.1"), ["reset-password on account/fabrikam"]);
    assert_eq!(by("role.desk.0"), [] as [&str; 0]);
}
