//! Who may do what, at the door: decisions and their reasons, access tests, access, and what is
//! wrong with policies.

use snapbox::{IntoData, assert_data_eq, str};

use crate::world::{Folder, Run, TODAY, codes, found, repository};

fn fabrikam(args: &[&str]) -> String {
    let args: Vec<&str> =
        args.iter().copied().chain(["--project", "examples/fabrikam", "--as-of", TODAY]).collect();
    Run::new(&args).within(&repository()).end().shown()
}

#[test]
fn a_decision_names_its_policies_and_their_places() {
    assert_data_eq!(
        fabrikam(&["can", "user/aiko-tanaka", "accept-partnership", "--why"]),
        str![[r#"
exit 0
--- stdout
allowed: user/aiko-tanaka may accept-partnership on account/fabrikam
  permitted by global-admin.accept-partnership
    reason: a global admin alone accepts a partnership from an indirect provider
    --> policies/global-admin.cedar:35 (built in)

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "ben-ito", "manage-subscriptions", "contoso", "--why"]),
        str![[r#"
exit 0
--- stdout
allowed: user/ben-ito may manage-subscriptions on customer/contoso
  permitted by helpdesk-agent.subscriptions
    reason: a helpdesk agent manages subscriptions on behalf of customers, those of Office 365 excepted
    --> policies/helpdesk-agent.cedar:42 (built in)
  permitted by role.tier2-support.0
    reason: role/tier2-support: Second-line support for enterprise customers
    --> estate/roles.yaml:19

"#]].raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "ben-ito", "manage-subscriptions", "contoso", "--format", "json"]),
        str![[r#"
exit 0
--- stdout
{
  "format": "partnerctl/can/v1",
  "decision": "allow",
  "policies": [
    {
      "id": "helpdesk-agent.subscriptions",
      "reason": "a helpdesk agent manages subscriptions on behalf of customers, those of Office 365 excepted",
      "file": "policies/helpdesk-agent.cedar",
      "line": 42
    },
    {
      "id": "role.tier2-support.0",
      "reason": "role/tier2-support: Second-line support for enterprise customers",
      "file": "estate/roles.yaml",
      "line": 19
    }
  ]
}

"#]].raw()
    );
}

#[test]
fn a_denial_says_what_came_closest_and_what_it_lacked() {
    assert_data_eq!(fabrikam(&["can", "daichi-sato", "accept-partnership", "--why"]), str![[r#"
exit 4
--- stdout
denied: user/daichi-sato may not accept-partnership on account/fabrikam
  no policy permits it; the closest:
  global-admin.accept-partnership
    reason: a global admin alone accepts a partnership from an indirect provider
    --> policies/global-admin.cedar:35 (built in)
    lacking: user/daichi-sato does not hold role/global-admin
  note: user/daichi-sato can activate global-admin through privileged identity management; until then it is not held

"#]].raw());
    assert_data_eq!(
        fabrikam(&["can", "role/public-sector-desk", "administer-on-behalf", "contoso", "--why"]),
        str![[r#"
exit 4
--- stdout
denied: role/public-sector-desk may not administer-on-behalf on customer/contoso
  no policy permits it; the closest:
  role.public-sector-desk.0
    reason: role/public-sector-desk: First and second line for hospitals and other public bodies
    --> estate/roles.yaml:31
    lacking: `resource.getTag("segment") == "public"` does not hold
  delegated-access.public-sector.0
    reason: delegated-access/public-sector gives role/public-sector-desk Service Support Administrator, Directory Readers and License Administrator
    --> estate/delegated-access.yaml:48
    lacking: `resource.getTag("segment") == "public"` does not hold

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "goro-suzuki", "view-own-profile", "--why"]),
        str![[r#"
exit 4
--- stdout
denied: user/goro-suzuki may not view-own-profile on account/fabrikam
  forbidden by guard.disabled
    reason: a disabled user does nothing
    --> policies/guardrails.cedar:6 (built in)

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "goro-suzuki", "view-customer", "--format", "json"]),
        str![[r#"
exit 4
--- stdout
{
  "format": "partnerctl/can/v1",
  "decision": "deny",
  "policies": [
    {
      "id": "guard.disabled",
      "reason": "a disabled user does nothing",
      "file": "policies/guardrails.cedar",
      "line": 6
    }
  ]
}

"#]]
        .raw()
    );
}

#[test]
fn an_action_on_customers_is_asked_about_everywhere() {
    assert_data_eq!(
        fabrikam(&["can", "ben-ito", "view-customer"]),
        str![[r#"
exit 0
--- stdout
allowed: user/ben-ito may view-customer on all 7 customers

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "role/public-sector-desk", "administer-on-behalf"]),
        str![[r#"
exit 0
--- stdout
allowed: role/public-sector-desk may administer-on-behalf on 1 of 7 customers, customer/lamna-hospital for one

"#]].raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "haruka-nakamura", "view-customer"]),
        str![[r#"
exit 4
--- stdout
denied: user/haruka-nakamura may not view-customer on any of 7 customers

"#]]
        .raw()
    );
}

#[test]
fn people_are_ours_unless_a_customer_is_named() {
    assert_data_eq!(
        fabrikam(&["can", "user/aiko-tanaka", "reset-password", "contoso"]),
        str![[r#"
exit 64
--- stderr
error: there is no account/contoso
  did you mean `customer/contoso`?

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "user/daichi-sato", "view-users", "--why"]),
        str![[r#"
exit 4
--- stdout
denied: user/daichi-sato may not view-users on account/fabrikam
  note: user/daichi-sato can activate global-admin through privileged identity management; until then it is not held
  note: this was about our own people; on those of 3 of 7 customers' tenants user/daichi-sato may, customer/contoso for one: name the customer

"#]].raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "user/goro-suzuki", "reset-password", "--why"]),
        str![[r#"
exit 4
--- stdout
denied: user/goro-suzuki may not reset-password on account/fabrikam
  forbidden by guard.disabled
    reason: a disabled user does nothing
    --> policies/guardrails.cedar:6 (built in)
  note: this was about our own people: for those of a customer's tenant, name the customer

"#]]
        .raw()
    );
}

#[test]
fn what_is_not_there_is_wrong_usage() {
    assert_data_eq!(
        fabrikam(&["can", "ben-ito", "vew-customer"]),
        str![[r#"
exit 64
--- stderr
error: there is no action vew-customer
  did you mean `view-customer`?

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "ben-itoh", "view-customer"]),
        str![[r#"
exit 64
--- stderr
error: there is no user/ben-itoh
  did you mean `ben-ito`?

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "ben-ito", "view-customer", "contosso"]),
        str![[r#"
exit 64
--- stderr
error: there is no customer/contosso
  did you mean `contoso`?

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "ben-ito", "view-customer", "account/fabrikam"]),
        str![[r#"
exit 64
--- stderr
error: `view-customer` is not done to account/fabrikam

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["can", "partnership/northwind", "view-customer", "contoso"]),
        str![[r#"
exit 64
--- stderr
error: `view-customer` is nothing that partnership/northwind does

"#]]
        .raw()
    );
}

#[test]
fn access_tests_hold_or_say_where_they_do_not() {
    let run = |args: &[&str]| Run::new(args).within(&repository()).end().shown();
    assert_data_eq!(
        run(&["test", "tests/role-table", "--as-of", TODAY]),
        str![[r#"
exit 0
--- stdout
54 tests: all hold
75 of 78 policies touched; of the others 3 are built in (--coverage names them)

"#]]
        .raw()
    );
    assert_data_eq!(
        run(&["test", "examples/fabrikam", "--as-of", TODAY]),
        str![[r#"
exit 0
--- stdout
policies that no test touches:
  role.escalation-lead.0
  role.escalation-lead.1
  delegated-access.adventure-works-quarterly.1
  delegated-access.enterprise-ops.1
  delegated-access.public-sector.1

7 tests: all hold
8 of 88 policies touched; of the others 75 are built in (--coverage names them)

"#]]
        .raw()
    );
}

const FAILING: &str = "\
apiVersion: partnerctl/v1
kind: AccessTest
metadata: {name: wrong}
spec:
  - {who: role/helpdesk-agent, may: [view-customer, manage-leads]}
  - who: user/aiko
    mayNot: [view-customer]
    on: customer/contoso
  - {who: user/aiko, may: [view-customer], on: customer/contoso, by: helpdesk-agent.customers}
  - {action: accept-partnership, exactly: [chie]}
  - {who: user/aiko, may: [view-billing], on: customer/contoso}
---
apiVersion: partnerctl/v1
kind: Customer
metadata: {name: contoso}
spec: {companyName: Contoso, domain: contoso.onmicrosoft.com}
";

#[test]
fn a_test_that_fails_is_shown_on_its_line() {
    let folder = Folder::project().with("estate/tests.yaml", FAILING);
    let run = |format: &str| {
        Run::new(&["test", "--as-of", TODAY, "--format", format])
            .within(folder.path())
            .end()
            .shown()
    };
    assert_data_eq!(run("text"), str![[r#"
exit 3
--- stdout
failed: wrong: role/helpdesk-agent may view-customer, manage-leads
  `role/helpdesk-agent` may not `manage-leads` on account/fabrikam: no policy permits it
  --> estate/tests.yaml:5:53

failed: wrong: user/aiko may not view-customer on customer/contoso
  `user/aiko` may `view-customer` on customer/contoso: `admin-agent.customers`, `global-admin.everything` permits it
  --> estate/tests.yaml:7:14

failed: wrong: user/aiko may view-customer on customer/contoso by helpdesk-agent.customers
  `user/aiko` may `view-customer` on customer/contoso, but not by `helpdesk-agent.customers`: `admin-agent.customers`, `global-admin.everything` decides
  --> estate/tests.yaml:9:28

failed: wrong: exactly chie may accept-partnership
  `user/aiko` may `accept-partnership` as well: `global-admin.accept-partnership` permits it
  --> estate/tests.yaml:10:43

failed: wrong: user/aiko may view-billing on customer/contoso
  `view-billing` is not done to `customer/contoso`
  --> estate/tests.yaml:11:28

5 tests: 5 failed
4 of 78 policies touched; of the others 74 are built in (--coverage names them)

"#]].raw());
    assert_data_eq!(run("junit"), str![[r#"
exit 3
--- stdout
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="partnerctl test" tests="5" skipped="0" failures="5" errors="0">
    <testsuite name="wrong" tests="5" skipped="0" errors="0" failures="5">
        <testcase name="role/helpdesk-agent may view-customer, manage-leads" classname="estate/tests.yaml">
            <failure message="`role/helpdesk-agent` may not `manage-leads` on account/fabrikam: no policy permits it">`role/helpdesk-agent` may not `manage-leads` on account/fabrikam: no policy permits it
--&gt; estate/tests.yaml:5:53</failure>
        </testcase>
        <testcase name="user/aiko may not view-customer on customer/contoso" classname="estate/tests.yaml">
            <failure message="`user/aiko` may `view-customer` on customer/contoso: `admin-agent.customers`, `global-admin.everything` permits it">`user/aiko` may `view-customer` on customer/contoso: `admin-agent.customers`, `global-admin.everything` permits it
--&gt; estate/tests.yaml:7:14</failure>
        </testcase>
        <testcase name="user/aiko may view-customer on customer/contoso by helpdesk-agent.customers" classname="estate/tests.yaml">
            <failure message="`user/aiko` may `view-customer` on customer/contoso, but not by `helpdesk-agent.customers`: `admin-agent.customers`, `global-admin.everything` decides">`user/aiko` may `view-customer` on customer/contoso, but not by `helpdesk-agent.customers`: `admin-agent.customers`, `global-admin.everything` decides
--&gt; estate/tests.yaml:9:28</failure>
        </testcase>
        <testcase name="exactly chie may accept-partnership" classname="estate/tests.yaml">
            <failure message="`user/aiko` may `accept-partnership` as well: `global-admin.accept-partnership` permits it">`user/aiko` may `accept-partnership` as well: `global-admin.accept-partnership` permits it
--&gt; estate/tests.yaml:10:43</failure>
        </testcase>
        <testcase name="user/aiko may view-billing on customer/contoso" classname="estate/tests.yaml">
            <failure message="`view-billing` is not done to `customer/contoso`">`view-billing` is not done to `customer/contoso`
--&gt; estate/tests.yaml:11:28</failure>
        </testcase>
    </testsuite>
</testsuites>

"#]].raw());
    assert_data_eq!(run("json"), str![[r#"
exit 3
--- stdout
{
  "format": "partnerctl/tests/v1",
  "tests": [
    {
      "object": "access-test/wrong",
      "says": "role/helpdesk-agent may view-customer, manage-leads",
      "file": "estate/tests.yaml",
      "line": 5,
      "holds": false,
      "failures": [
        {
          "message": "`role/helpdesk-agent` may not `manage-leads` on account/fabrikam: no policy permits it",
          "file": "estate/tests.yaml",
          "line": 5,
          "column": 53
        }
      ]
    },
    {
      "object": "access-test/wrong",
      "says": "user/aiko may not view-customer on customer/contoso",
      "file": "estate/tests.yaml",
      "line": 6,
      "holds": false,
      "failures": [
        {
          "message": "`user/aiko` may `view-customer` on customer/contoso: `admin-agent.customers`, `global-admin.everything` permits it",
          "file": "estate/tests.yaml",
          "line": 7,
          "column": 14
        }
      ]
    },
    {
      "object": "access-test/wrong",
      "says": "user/aiko may view-customer on customer/contoso by helpdesk-agent.customers",
      "file": "estate/tests.yaml",
      "line": 9,
      "holds": false,
      "failures": [
        {
          "message": "`user/aiko` may `view-customer` on customer/contoso, but not by `helpdesk-agent.customers`: `admin-agent.customers`, `global-admin.everything` decides",
          "file": "estate/tests.yaml",
          "line": 9,
          "column": 28
        }
      ]
    },
    {
      "object": "access-test/wrong",
      "says": "exactly chie may accept-partnership",
      "file": "estate/tests.yaml",
      "line": 10,
      "holds": false,
      "failures": [
        {
          "message": "`user/aiko` may `accept-partnership` as well: `global-admin.accept-partnership` permits it",
          "file": "estate/tests.yaml",
          "line": 10,
          "column": 43
        }
      ]
    },
    {
      "object": "access-test/wrong",
      "says": "user/aiko may view-billing on customer/contoso",
      "file": "estate/tests.yaml",
      "line": 11,
      "holds": false,
      "failures": [
        {
          "message": "`view-billing` is not done to `customer/contoso`",
          "file": "estate/tests.yaml",
          "line": 11,
          "column": 28
        }
      ]
    }
  ],
  "coverage": {
    "policies": 78,
    "untouched": [
      "account-admin.locations",
      "account-admin.profiles",
      "account-admin.users",
      "account-admin.roles",
      "account-admin.tickets",
      "mpn-partner-admin.requests",
      "mpn-partner-admin.users",
      "mpn-partner-admin.membership",
      "mpn-partner-admin.profiles",
      "mpn-partner-admin.reports",
      "mpn-partner-admin.tickets",
      "business-profile-admin.profiles",
      "business-profile-admin.tickets",
      "referrals-admin.referrals",
      "referrals-admin.deals",
      "referrals-admin.profiles",
      "referrals-admin.tickets",
      "referrals-user.referrals",
      "referrals-user.deals",
      "referrals-user.tickets",
      "incentives-admin.incentives",
      "incentives-admin.tickets",
      "incentives-user.incentives",
      "incentives-user.tickets",
      "cosell-solution-admin.solutions",
      "executive-report-viewer.reports",
      "executive-report-viewer.tickets",
      "report-viewer.reports",
      "report-viewer.tickets",
      "compliance-admin.verification",
      "compliance-admin.profile",
      "admin-agent.support",
      "admin-agent.subscriptions",
      "admin-agent.devices",
      "admin-agent.administer",
      "admin-agent.request-administration",
      "admin-agent.delegated-access",
      "admin-agent.resellers",
      "admin-agent.pricing",
      "admin-agent.billing",
      "billing-admin.billing",
      "billing-admin.pricing",
      "billing-admin.tickets",
      "default-user.own-profile",
      "provider.orders",
      "global-admin.users",
      "global-admin.partnerships",
      "guard.disabled",
      "guard.expired",
      "guard.no-relationship",
      "guard.own-privileges",
      "guard.global-admins",
      "guard.make-global-admin",
      "guard.last-holder",
      "helpdesk-agent.details",
      "helpdesk-agent.health",
      "helpdesk-agent.support",
      "helpdesk-agent.subscriptions",
      "helpdesk-agent.tickets",
      "sales-agent.customers",
      "sales-agent.relationships",
      "sales-agent.agreements",
      "sales-agent.subscriptions",
      "sales-agent.devices",
      "sales-agent.resellers",
      "sales-agent.pricing",
      "sales-agent.leads",
      "sales-agent.tickets",
      "user-management-admin.users",
      "user-management-admin.roles",
      "user-management-admin.passwords",
      "user-management-admin.delegated-access",
      "user-management-admin.profiles",
      "user-management-admin.tickets"
    ]
  }
}

"#]].raw());
}

#[test]
fn access_is_told_in_every_format() {
    let only = ["access", "--who", "role/tier2-support", "--action", "administer-on-behalf"];
    let told = |format: &str| {
        let mut args = only.to_vec();
        args.extend(["--format", format]);
        fabrikam(&args)
    };
    assert_data_eq!(
        told("text"),
        str![[r#"
exit 0
--- stdout
who may do what, as declared on 2026-11-20

user/aiko-tanaka, user/daichi-sato
  on all 7 customers:
    administer-on-behalf

user/ben-ito
  on customer/adventure-works, customer/contoso, customer/woodgrove:
    administer-on-behalf

17 combinations of somebody, an action and what it is done to

"#]]
        .raw()
    );
    assert_data_eq!(
        told("csv"),
        str![[r#"
exit 0
--- stdout
principal,action,resource
user/aiko-tanaka,administer-on-behalf,customer/adventure-works
user/aiko-tanaka,administer-on-behalf,customer/contoso
user/aiko-tanaka,administer-on-behalf,customer/fourth-coffee
user/aiko-tanaka,administer-on-behalf,customer/lamna-hospital
user/aiko-tanaka,administer-on-behalf,customer/margies-travel
user/aiko-tanaka,administer-on-behalf,customer/tailspin-toys
user/aiko-tanaka,administer-on-behalf,customer/woodgrove
user/daichi-sato,administer-on-behalf,customer/adventure-works
user/daichi-sato,administer-on-behalf,customer/contoso
user/daichi-sato,administer-on-behalf,customer/fourth-coffee
user/daichi-sato,administer-on-behalf,customer/lamna-hospital
user/daichi-sato,administer-on-behalf,customer/margies-travel
user/daichi-sato,administer-on-behalf,customer/tailspin-toys
user/daichi-sato,administer-on-behalf,customer/woodgrove
user/ben-ito,administer-on-behalf,customer/adventure-works
user/ben-ito,administer-on-behalf,customer/contoso
user/ben-ito,administer-on-behalf,customer/woodgrove

"#]]
        .raw()
    );
    assert_data_eq!(
        told("json"),
        str![[r#"
exit 0
--- stdout
{
  "format": "partnerctl/access/v1",
  "rectangles": [
    {
      "principals": [
        "user/aiko-tanaka",
        "user/daichi-sato"
      ],
      "actions": [
        "administer-on-behalf"
      ],
      "resources": [
        "customer/adventure-works",
        "customer/contoso",
        "customer/fourth-coffee",
        "customer/lamna-hospital",
        "customer/margies-travel",
        "customer/tailspin-toys",
        "customer/woodgrove"
      ],
      "count": 14,
      "policies": [
        "admin-agent.administer",
        "delegated-access.adventure-works-quarterly.0",
        "delegated-access.adventure-works-quarterly.1",
        "delegated-access.enterprise-ops.0",
        "delegated-access.enterprise-ops.1",
        "delegated-access.public-sector.1",
        "global-admin.everything",
        "role.escalation-lead.0",
        "role.tier2-support.0"
      ]
    },
    {
      "principals": [
        "user/ben-ito"
      ],
      "actions": [
        "administer-on-behalf"
      ],
      "resources": [
        "customer/adventure-works",
        "customer/contoso",
        "customer/woodgrove"
      ],
      "count": 3,
      "policies": [
        "delegated-access.adventure-works-quarterly.0",
        "delegated-access.enterprise-ops.0",
        "role.tier2-support.0"
      ]
    }
  ]
}

"#]]
        .raw()
    );
    assert_data_eq!(
        fabrikam(&["access", "--action", "reset-password", "--on", "user/chie-mori"]),
        str![[r#"
exit 0
--- stdout
who may do what, as declared on 2026-11-20

user/aiko-tanaka, user/chie-mori
  on user/chie-mori:
    reset-password

2 combinations of somebody, an action and what it is done to

"#]]
        .raw()
    );
}

const OWN: &str = r#"// Ours.
@id("own.business-hours")
@reason("bills are nobody's business but the management's")
forbid (
  principal,
  action in [Action::"view-billing", Action::"manage-billing"],
  resource
)
unless { principal.hasTag("team") && principal.getTag("team") == "management" };

@id("own.wrong")
permit (
  principal in Role::"helpdesk-agnet",
  action == Action::"view-customr",
  resource
);
"#;

const OWN_PROJECT: &str = "\
apiVersion: partnerctl/v1
kind: Project
metadata: {name: fabrikam}
spec: {manifests: [estate], policies: [policies]}
";

#[test]
fn policies_of_the_project_are_checked_and_decide() {
    let wrong =
        Folder::project().with("partnerctl.yaml", OWN_PROJECT).with("policies/own.cedar", OWN);
    assert_data_eq!(
        wrong.validate(&[]).shown(),
        str![[r#"
exit 3
--- stdout
error[P2006]: there is no role `helpdesk-agnet`
  --> policies/own.cedar:13:16
   |
13 |   principal in Role::"helpdesk-agnet",
   |                ^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: did you mean `helpdesk-agent`?

error[P2005]: unrecognized action `Action::"view-customr"`
  --> policies/own.cedar:14:13
   |
14 |   action == Action::"view-customr",
   |             ^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: did you mean `view-customer`?

2 errors in 3 documents (2 files)

"#]]
        .raw()
    );
    let right = OWN.split("@id(\"own.wrong\")").next().unwrap();
    let folder =
        Folder::project().with("partnerctl.yaml", OWN_PROJECT).with("policies/own.cedar", right);
    assert_data_eq!(
        folder.validate(&[]).shown(),
        str![[r#"
exit 0
--- stdout
note[P2304]: nobody may do 2 of the 53 actions that permissions know: view-billing, manage-billing
 --> partnerctl.yaml:1:1
  = help: a global admin may do everything: is there one who is enabled and permanent?

1 note in 3 documents (2 files)

"#]]
        .raw()
    );
    let can = Run::new(&["can", "aiko", "view-billing", "--why", "--as-of", TODAY])
        .within(folder.path())
        .end();
    assert_data_eq!(
        can.shown(),
        str![[r#"
exit 4
--- stdout
denied: user/aiko may not view-billing on account/fabrikam
  forbidden by own.business-hours
    reason: bills are nobody's business but the management's
    --> policies/own.cedar:2

"#]]
        .raw()
    );
    // Without manifests that are right there is no answer.
    let can = Run::new(&["can", "aiko", "view-billing"]).within(wrong.path()).end();
    assert_eq!(can.code, 3);
}

/// Policies come from pull requests too: nothing in them stops the program, or deceives a reader.
#[test]
fn hostile_policies_are_findings() {
    let deep = |open: &str, close: &str| {
        format!(
            "@id(\"own.deep\")\npermit (principal, action, resource) when {{ {}true{} }};\n",
            open.repeat(40_000),
            close.repeat(40_000)
        )
    };
    let long = format!(
        "@id(\"own.long\")\npermit (principal is User, action == Action::\"view-billing\", resource) when {{ {}true }};\n",
        "principal.enabled && ".repeat(300)
    );
    let texts = [
        (deep("(", ")"), "P2001"),
        (deep("[", "]"), "P2001"),
        (deep("!", ""), "P2001"),
        (deep("if true then ", " else false"), "P2001"),
        (deep("true && ", ""), "P2001"),
        (deep("", ".x"), "P2001"),
        ("@id(\"own.open".to_owned(), "P2001"),
        ("\u{202e}".to_owned(), "P0004"),
        ("@id(\"own.\u{1b}[31m\")\npermit (principal, action, resource);".to_owned(), "P0004"),
        ("x".repeat(1024 * 1024 + 1), "P0010"),
        ("@id(\"a\") @id(\"b\")\npermit (principal, action, resource);".to_owned(), "P2001"),
    ];
    for (text, code) in texts {
        let folder = Folder::project()
            .with("partnerctl.yaml", OWN_PROJECT)
            .with("policies/own.cedar", &text);
        let ended = folder.validate(&["--format", "json"]);
        assert_eq!(ended.code, 3, "{}", ended.shown());
        let found = found(&ended.out);
        assert_eq!(codes(&found), [code], "{text:.200}");
    }
    // What is long but no longer than a policy may be is read.
    let folder =
        Folder::project().with("partnerctl.yaml", OWN_PROJECT).with("policies/own.cedar", &long);
    let ended = folder.validate(&["--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.shown());
}

/// Each process hashes in an order of its own; what it prints has none of it.
#[test]
fn the_same_input_makes_the_same_bytes() {
    let wrong = Folder::project()
        .with("partnerctl.yaml", OWN_PROJECT)
        .with("policies/own.cedar", OWN)
        .with(
            "policies/more.cedar",
            OWN.replace("own.", "more.").replace("view-customr", "view-prices"),
        );
    let asked: [&[&str]; 4] = [
        &["access", "--project", "examples/fabrikam", "--format", "json"],
        &["access", "--project", "examples/fabrikam", "--format", "html"],
        &["test", "--project", "examples/fabrikam", "--format", "json"],
        &["can", "ben-ito", "manage-leads", "--why", "--project", "examples/fabrikam"],
    ];
    let run = || {
        let mut all = vec![wrong.validate(&["--format", "json"]).shown()];
        all.extend(asked.map(|args| {
            let args: Vec<&str> = args.iter().copied().chain(["--as-of", TODAY]).collect();
            Run::new(&args).within(&repository()).end().shown()
        }));
        all
    };
    let first = run();
    assert!(first[0].contains("P2005") && first[1].contains("rectangles"), "{first:?}");
    for _ in 0..6 {
        assert!(run() == first, "another order");
    }
}
