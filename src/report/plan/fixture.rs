//! Plans to look at: a usual one with something of everything, a hostile one, a large one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::record::ObjectKey;
use crate::model::tenant::{ObjectId, ProfileKind};
use crate::plan::change::{Change, Target};
use crate::plan::file::{AccessChange, FORMAT, Forecast, Parents, Plan, Rectangle, Refusal, Why};
use crate::plan::limits::{Limits, Measured};
use crate::plan::step::{
    Authorisation, Cause, Cost, Decision, FieldChange, Guard, Report, Source, State, Step, Verb,
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

const PERSON: Uuid = Uuid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888);
const TENANT: TenantId = TenantId(Uuid::from_u128(0x0c5c_2a60_8e1f_4a5e_9b52_0d5f_5c1a_77e1));

fn person() -> Target {
    Target::Id(ObjectId(PERSON))
}

/// A step that is allowed; its id is made of object, verb and `what`.
fn step(object: &str, verb: Verb, what: &str, summary: &str, change: Change) -> Step {
    let slash = if what.is_empty() { "" } else { "/" };
    Step {
        id: format!("{object}/{}{slash}{what}", verb.word()),
        object: key(object),
        verb,
        summary: summary.to_owned(),
        fields: Vec::new(),
        depends_on: Vec::new(),
        guard: Guard::default(),
        irreversible: None,
        source: None,
        authorisation: Authorisation {
            decision: Decision::Allow,
            policies: vec!["global-admin.users".to_owned()],
            reason: None,
        },
        cost: Cost::default(),
        change,
        held_by: None,
    }
}

impl Step {
    fn field(mut self, path: &str, before: Value, after: Value, cause: Cause) -> Self {
        self.guard.seen.insert(path.to_owned(), before.clone());
        self.fields.push(FieldChange {
            path: path.to_owned(),
            before,
            after,
            cause,
            applied: None,
        });
        self
    }

    /// The last field, as it was last applied.
    fn applied(mut self, value: Value) -> Self {
        if let Some(field) = self.fields.last_mut() {
            field.applied = Some(value);
        }
        self
    }

    fn at(mut self, file: &str, line: u32) -> Self {
        self.source = Some(Source { file: file.to_owned(), line: Some(line) });
        self
    }

    fn after(mut self, id: &str) -> Self {
        self.depends_on.push(id.to_owned());
        self
    }
}

fn update(fields: &[(&str, Value)]) -> Change {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Change::UpdateUser { user: person(), fields: fields.collect() }
}

fn report(object: &str, state: State, message: &str) -> Report {
    Report {
        object: key(object),
        state,
        message: message.to_owned(),
        link: None,
        since: None,
        until: None,
        step: None,
        confirms: None,
        instructions: None,
        awaiting: None,
        asks: None,
        count: None,
    }
}

fn rectangle(
    principals: &[&str],
    actions: &[&str],
    resources: &[String],
    policy: &str,
) -> Rectangle {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    Rectangle {
        count: (principals.len() * actions.len() * resources.len()) as u64,
        principals: owned(principals),
        actions: owned(actions),
        resources: resources.to_vec(),
        policies: vec![policy.to_owned()],
    }
}

fn measured(planned: u64, spent: u64, managed: u64, count: u32, percent: Option<u32>) -> Measured {
    let used = planned + spent;
    let share = percent.map(|percent| managed * u64::from(percent) / 100);
    let exceeded = used > u64::from(count) || share.is_some_and(|share| used > share);
    Measured { planned, spent, managed, count: Some(count), percent, exceeded }
}

fn plan(steps: Vec<Step>, report: Vec<Report>) -> Plan {
    Plan {
        format: FORMAT.to_owned(),
        digest: String::new(),
        parents: Parents {
            estate: "fabrikam".to_owned(),
            tenant: Some("fabrikam.onmicrosoft.com".to_owned()),
            manifests: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
                .to_owned(),
            policies: "2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3".to_owned(),
            commit: Some("4be01c7d21b2a80d8b9c4f6f8cde1b4f0a5d7e93".to_owned()),
            ledger: Some("sqlite fabrikam/production".to_owned()),
            actor: Some("user/deploy-bot".to_owned()),
            undoes: None,
        },
        observed_at: time("2026-11-20T09:15:00Z"),
        steps,
        report,
        access: AccessChange::default(),
        limits: Limits::default(),
        forecast: Forecast::default(),
        refused: Vec::new(),
    }
}

/// Nothing to do, and nobody to wait for.
pub(in crate::report) fn empty() -> Plan {
    plan(Vec::new(), Vec::new()).sealed().unwrap()
}

/// Many customers who got one invitation, and some who wait for them.
pub(super) fn invited() -> Plan {
    let link = "https://admin.microsoft.example/invitation?partnerId=7f1b0c52";
    let mut reports: Vec<Report> = (0..40)
        .map(|at| {
            let name = format!("customer/smb-{at:03}");
            let mut invited = report(&name, State::Waiting, &format!("{name} did not accept yet"));
            invited.link = Some(link.to_owned());
            invited.awaiting = Some(format!("a global admin of smb-{at:03}.example"));
            invited.step = Some(format!("{name}/invite"));
            invited
        })
        .collect();
    reports.extend((0..7).map(|at| {
        let name = format!("customer/late-{at}");
        report(&name, State::Held, "it is invited once partnership/northwind is active")
    }));
    plan(Vec::new(), reports).sealed().unwrap()
}

/// Nothing to do but to wait.
pub(super) fn only_waiting() -> Plan {
    plan(Vec::new(), waiting()).sealed().unwrap()
}

/// A morning at a reseller: something of everything, and 312 customers that move.
pub(super) fn usual() -> Plan {
    reseller(312)
}

/// The same with few customers.
pub(super) fn small() -> Plan {
    reseller(8)
}

fn reseller(count: usize) -> Plan {
    let mut steps = [users(), groups(), profile(), customers()].concat();
    steps.extend((0..count).map(renamed));
    let mut plan = plan(steps, [waiting(), others()].concat());
    let customers: Vec<String> = (0..count).map(|at| format!("customer/smb-{at:03}")).collect();
    plan.access = AccessChange {
        gained: vec![
            rectangle(
                &["user/ben-ito", "user/chie-mori"],
                &["administer-on-behalf", "manage-subscriptions", "order-on-behalf"],
                &customers,
                "role.tier2-support.0",
            ),
            rectangle(
                &["user/ben-ito"],
                &["manage-users", "assign-roles", "reset-password"],
                &["account/fabrikam".to_owned()],
                "global-admin.users",
            ),
        ],
        lost: vec![rectangle(
            &["user/dai-abe"],
            &["view-customer", "edit-customer"],
            &customers,
            "helpdesk-agent.customers",
        )],
    };
    plan.limits = Limits {
        removals: measured(5, 2, 120, 5, Some(10)),
        privileged_grants: measured(2, 0, 120, 20, None),
        customers_touched: measured(count as u64 + 1, 0, 4_812, 2_000, Some(25)),
        irreversible: measured(1, 0, 120, 0, None),
    };
    plan.forecast = Forecast { calls: count as u64 + 52, minutes: 3 };
    plan.refused = refused();
    plan.sealed().unwrap()
}

fn users() -> Vec<Step> {
    let users = "estate/users.yaml";
    let mut aiko = step(
        "user/aiko-tanaka",
        Verb::Update,
        "",
        "set displayName, usageLocation, phone of user/aiko-tanaka",
        update(&[("displayName", json!("田中 愛子"))]),
    )
    .field("spec.displayName", json!("Aiko Tanaka"), json!("田中 愛子"), Cause::Change)
    .field("spec.usageLocation", json!("US"), json!("JP"), Cause::Drift)
    .field("spec.phone", json!("+81 3 1234 9999"), json!("+81 3 1234 5678"), Cause::Both)
    .applied(json!("+81 3 1234 0000"))
    .at(users, 3);
    aiko.guard.remote_id = Some(PERSON.to_string());
    aiko.guard.enabled = Some(true);
    aiko.authorisation = Authorisation {
        decision: Decision::Unknown,
        policies: Vec::new(),
        reason: Some("in whose token it will be applied is not known: judged then".to_owned()),
    };

    let made = step(
        "user/ben-ito",
        Verb::Create,
        "",
        "create user/ben-ito, who signs in as ben.ito@fabrikam.example",
        Change::CreateUser {
            sign_in_name: "ben.ito@fabrikam.example".to_owned(),
            mail_nickname: "ben.ito".to_owned(),
            enabled: true,
            fields: BTreeMap::from([("displayName".to_owned(), json!("伊藤 勉"))]),
        },
    )
    .field("spec.displayName", json!(null), json!("伊藤 勉"), Cause::Create)
    .field("spec.email", json!(null), json!("ben.ito@fabrikam.example"), Cause::Create)
    .field("spec.enabled", json!(null), json!(true), Cause::Create)
    .field("spec.usageLocation", json!(null), json!("JP"), Cause::Create)
    .at(users, 17);
    let mut global = step(
        "user/ben-ito",
        Verb::Grant,
        "global-admin",
        "give user/ben-ito the role global-admin",
        Change::AssignRole {
            role: RoleTemplateId(Uuid::from_u128(0x62e9_0394_69f5_4237_9190_0121_7714_5e10)),
            principal: Target::MadeFor(key("user/ben-ito")),
        },
    )
    .field("spec.admin", json!(null), json!("global"), Cause::Create)
    .after("user/ben-ito/create")
    .at(users, 17);
    global.cost.privileged_grants = 1;

    let restored = step(
        "user/chie-mori",
        Verb::Restore,
        "",
        "restore user/chie-mori, who was deleted on 2026-11-02; what nobody declares is taken away first",
        Change::RestoreUser { user: person() },
    )
    .field("spec.enabled", json!(false), json!(true), Cause::Change)
    .at(users, 29);
    let mut agent = step(
        "user/chie-mori",
        Verb::Grant,
        "admin-agent",
        "give user/chie-mori the role admin-agent",
        Change::AddMember { group: person(), member: person() },
    )
    .field("spec.agent", json!(null), json!("admin"), Cause::Change)
    .after("user/chie-mori/restore")
    .at(users, 29);
    agent.cost.privileged_grants = 1;

    let mut left = step(
        "user/dai-abe",
        Verb::Disable,
        "",
        "keep user/dai-abe from signing in: its document is gone",
        update(&[("accountEnabled", json!(false))]),
    )
    .field("spec.enabled", json!(true), json!(false), Cause::Remove);
    left.cost.removals = 1;
    let mut taken = step(
        "user/dai-abe",
        Verb::Revoke,
        "helpdesk-agent",
        "take the role helpdesk-agent from user/dai-abe",
        Change::RemoveMember { group: person(), member: person() },
    )
    .field("spec.agent", json!("helpdesk"), json!(null), Cause::Remove);
    taken.cost.removals = 1;

    let mut expired = step(
        "user/emi-kato",
        Verb::Revoke,
        "sales-agent",
        "take the role sales-agent from user/emi-kato: it expired on 2026-11-19",
        Change::RemoveMember { group: person(), member: person() },
    )
    .field("spec.agent", json!("sales"), json!(null), Cause::Expiry)
    .at(users, 41);
    expired.cost.removals = 1;

    let mut denied = step(
        "user/fumi-sato",
        Verb::Grant,
        "billing-admin",
        "give user/fumi-sato the role billing-admin",
        Change::AssignRole {
            role: RoleTemplateId(Uuid::from_u128(0xb0f5_4661_2d74_4c50_afa3_1ec8_03f1_2efe)),
            principal: person(),
        },
    )
    .field("spec.admin", json!(null), json!("billing"), Cause::Change)
    .at(users, 55);
    denied.authorisation = Authorisation {
        decision: Decision::Deny,
        policies: vec!["guardrail.no-external-admins".to_owned()],
        reason: Some("guests hold no administrator roles".to_owned()),
    };
    denied.cost.privileged_grants = 1;

    vec![aiko, made, global, restored, agent, left, taken, expired, denied]
}

fn groups() -> Vec<Step> {
    let role = "role/tier2-support";
    let described = step(
        role,
        Verb::Update,
        "",
        "describe the group of role/tier2-support as declared",
        Change::UpdateGroup { group: person(), name: None, description: Some("x".to_owned()) },
    )
    .field(
        "spec.description",
        json!("Second-line support for enterprise customers, on weekdays between nine and five, by the team in Tokyo"),
        json!("Second-line support for enterprise and public customers, on weekdays between nine and six, by the teams in Tokyo and Osaka"),
        Cause::Adopt,
    )
    .at("estate/roles.yaml", 5);
    let mut member = step(
        role,
        Verb::Revoke,
        "member/contractor-7",
        "take contractor-7 out of the group of role/tier2-support",
        Change::RemoveMember { group: person(), member: person() },
    )
    .field(
        "spec.members",
        json!(["aiko-tanaka", "ben-ito", "contractor-7"]),
        json!(["aiko-tanaka", "ben-ito"]),
        Cause::Drift,
    )
    .at("estate/roles.yaml", 5);
    member.cost.removals = 1;
    vec![described, member]
}

fn profile() -> Vec<Step> {
    let members = BTreeMap::from([("address.city".to_owned(), json!("Osaka"))]);
    vec![
        step(
            "account/fabrikam",
            Verb::Update,
            "legal",
            "update the legal profile of account/fabrikam",
            Change::PutProfile { profile: ProfileKind::Legal, members },
        )
        .field(
            "spec.legal.address",
            json!({"line1": "1-2-3 Marunouchi", "city": "Tokyo", "postalCode": "100-0005", "country": "JP"}),
            json!({"line1": "4-5-6 Umeda", "city": "Osaka", "postalCode": "530-0001", "country": "JP"}),
            Cause::Change,
        )
        .field("spec.support.website", json!("https://old.fabrikam.example"), json!("https://support.fabrikam.example"), Cause::Drift)
        .at("estate/account.yaml", 9),
    ]
}

fn customers() -> Vec<Step> {
    let mut ended = step(
        "customer/litware",
        Verb::End,
        "relationship",
        "end the relationship with Litware",
        Change::EndRelationship { customer: TENANT },
    )
    .field("spec.relationship", json!("reseller"), json!("none"), Cause::Change)
    .at("estate/customers.yaml", 31);
    ended.irreversible = Some("only Litware can ask for it again".to_owned());
    ended.cost.irreversible = 1;
    ended.cost.removals = 1;
    ended.cost.customer = Some("litware".to_owned());
    let asked = step(
        "customer/school-of-fine-art",
        Verb::Request,
        "qualification",
        "ask that customer/school-of-fine-art be qualified as education",
        Change::AskQualification {
            customer: TENANT,
            qualification: "Education".to_owned(),
            details: BTreeMap::new(),
        },
    )
    .field("spec.qualification", json!("none"), json!("education"), Cause::Change)
    .at("estate/customers.yaml", 48);
    vec![ended, asked]
}

/// One of the many customers that move to a billing address of their own.
fn renamed(at: usize) -> Step {
    let name = format!("customer/smb-{at:03}");
    let members = BTreeMap::from([("companyName".to_owned(), json!(format!("SMB {at}")))]);
    step(
        &name,
        Verb::Update,
        "billing",
        &format!("update the billing address of {name}"),
        Change::PutCustomerBilling { customer: TENANT, members },
    )
    .field(
        "spec.billing.address.line1",
        json!(format!("{at} Main Street")),
        json!(format!("{at} Harbour Road")),
        Cause::Change,
    )
    .field("spec.billing.address.country", json!("US"), json!("JP"), Cause::Drift)
    .at("estate/smb.csv", u32::try_from(at).unwrap() + 2)
}

fn waiting() -> Vec<Report> {
    let mut invited =
        report("customer/contoso", State::Waiting, "the invitation was not accepted yet");
    invited.awaiting = Some("a global administrator of contoso.onmicrosoft.com".to_owned());
    invited.link = Some("https://admin.microsoft.example/Adminportal/Home?invType=ResellerRelationship&partnerId=7f1b0c52#/BillingAccounts/partner-invitation".to_owned());
    invited.since = Some(time("2026-11-12T08:00:00Z"));
    let mut access = report(
        "delegated-access/enterprise-ops/contoso",
        State::Waiting,
        "delegated access was not approved yet",
    );
    access.awaiting = Some("a global administrator of contoso.onmicrosoft.com".to_owned());
    access.link = Some("https://admin.microsoft.example/AdminPortal/Home#/partners/invitation/granularAdminRelationships/1a2b".to_owned());
    access.since = Some(time("2026-11-19T08:00:00Z"));
    access.until = Some(time("2027-02-17T08:00:00Z"));
    let mut portal =
        report("account/fabrikam", State::Waiting, "the business profile is kept in the portal");
    portal.step = Some("account/fabrikam/business-profile".to_owned());
    portal.confirms = Some("0".repeat(64));
    portal.awaiting = Some("an administrator of the account".to_owned());
    portal.link = Some("https://partner.microsoft.example/dashboard/profile".to_owned());
    portal.instructions = Some("Sign in, open Account settings, Business profile, and set industries to healthcare and languages to Japanese and English.".to_owned());
    vec![invited, access, portal]
}

fn others() -> Vec<Report> {
    let mut foreign = report("user/sync-svc", State::Foreign, "synced from on premises");
    foreign.count = Some(38);
    let mut unmanaged = report("customer/wingtip", State::Unmanaged, "declared nowhere");
    unmanaged.count = Some(1_207);
    vec![
        report(
            "delegated-access/enterprise-ops/adatum",
            State::Held,
            "waits for customer/adatum to have a tenant id",
        ),
        report(
            "user/goro-ono",
            State::Gone,
            "somebody deleted it on 2026-11-18; --revive user/goro-ono makes it again",
        ),
        report(
            "role/tier1-support",
            State::Settling,
            "its new description was written 40 s ago and is not seen yet",
        ),
        report(
            "user/aiko-tanaka",
            State::Unrecognised,
            "holds a directory role that is not known: Copilot Warden",
        ),
        foreign,
        unmanaged,
        report("user/hana-ueda", State::Unmanaged, "declared nowhere"),
        report("user/ichiro-baba", State::Unmanaged, "declared nowhere"),
        report("user/ben-ito", State::Ignored, "spec.displayName is left to others"),
    ]
}

fn refused() -> Vec<Refusal> {
    let refusal = |why, step: Option<&str>, message: &str, remedy: &str| Refusal {
        why,
        step: step.map(str::to_owned),
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    };
    vec![
        refusal(
            Why::Policy,
            Some("user/fumi-sato/grant/billing-admin"),
            "user/deploy-bot may not do `user/fumi-sato/grant/billing-admin`: guests hold no administrator roles",
            "leave `admin` at none, or ask whoever keeps policies/guardrails.cedar",
        ),
        refusal(
            Why::Guard,
            Some("user/dai-abe/revoke/helpdesk-agent"),
            "`user/dai-abe/revoke/helpdesk-agent` is refused: one helpdesk agent would be left, and two are required",
            "grant helpdesk-agent to somebody else in the same plan",
        ),
        refusal(
            Why::Manifest,
            None,
            "customer/adatum fits two customers of the tenant: adatum.example and adatum.onmicrosoft.com",
            "say which by tenantId",
        ),
        refusal(
            Why::Limit,
            None,
            "over the limit `removals`: 5 planned and 2 in the last 24 hours, and 5, or 10 % of 120 may be",
            "make several smaller plans, wait, or let somebody answer for it: `apply --allow removals=5 --reason TEXT`",
        ),
        refusal(
            Why::Limit,
            None,
            "over the limit `irreversible`: 1 planned and 0 in the last 24 hours, and 0 may be",
            "make several smaller plans, wait, or let somebody answer for it: `apply --allow irreversible=1 --reason TEXT`",
        ),
    ]
}

/// A plan in whose every text stands something else; what order it is shown in does not depend on it.
pub(super) fn with_texts(mut next: impl FnMut() -> String) -> Plan {
    let mut plan = small();
    let mut text = |text: &mut String| *text = next();
    let mut names: BTreeMap<ObjectKey, ObjectKey> = BTreeMap::new();
    for (at, step) in plan.steps.iter_mut().enumerate() {
        let known = names.len();
        let object = names.entry(step.object.clone()).or_insert_with(|| {
            let mut name = String::new();
            text(&mut name);
            ObjectKey::new(step.object.kind, format!("o{known:04}{name}"))
        });
        step.object = object.clone();
        // What many have in common stays in common: the customers that stand as one.
        if at >= 14 {
            continue;
        }
        text(&mut step.summary);
        for field in &mut step.fields {
            let mut path = String::new();
            text(&mut path);
            field.path = format!("spec.{path}");
            for value in [Some(&mut field.before), Some(&mut field.after), field.applied.as_mut()] {
                match value {
                    Some(Value::String(value)) => text(value),
                    Some(Value::Array(all)) => {
                        for value in all {
                            let mut one = String::new();
                            text(&mut one);
                            *value = Value::String(one);
                        }
                    }
                    Some(Value::Object(members)) => {
                        let mut one = String::new();
                        text(&mut one);
                        members.insert(one.clone(), Value::String(one));
                    }
                    _ => {}
                }
            }
        }
        step.irreversible.as_mut().map(&mut text);
        if let Some(source) = &mut step.source {
            text(&mut source.file);
        }
        step.authorisation.policies.iter_mut().for_each(&mut text);
        step.authorisation.reason.as_mut().map(&mut text);
    }
    for report in &mut plan.report {
        text(&mut report.message);
        for told in
            [&mut report.link, &mut report.step, &mut report.instructions, &mut report.awaiting]
        {
            told.as_mut().map(&mut text);
        }
        let mut name = String::new();
        text(&mut name);
        report.object = ObjectKey::new(report.object.kind, format!("r{name}"));
    }
    for rectangle in plan.access.gained.iter_mut().chain(&mut plan.access.lost) {
        rectangle.principals.iter_mut().for_each(&mut text);
        rectangle.actions.iter_mut().for_each(&mut text);
        rectangle.resources.iter_mut().take(3).for_each(&mut text);
        rectangle.policies.iter_mut().for_each(&mut text);
    }
    for refusal in &mut plan.refused {
        text(&mut refusal.message);
        text(&mut refusal.remedy);
    }
    let Parents { estate, tenant, manifests, policies, commit, ledger, actor, undoes } =
        &mut plan.parents;
    for told in [tenant, commit, ledger, actor, undoes] {
        told.as_mut().map(&mut text);
    }
    [estate, manifests, policies].into_iter().for_each(&mut text);
    plan.sealed().unwrap()
}

/// What somebody might put into a name to deceive or to break a page.
pub(in crate::report) const HOSTILE: &[&str] = &[
    "</script><script>alert(1)</script>",
    "</details></summary><h1>approved</h1>",
    "| a | b |\n|---|---|",
    "@everyone and @octo/team",
    "fixes #123, GH-7, octo/repo#9",
    "[approve](https://evil.example)",
    "https://evil.example www.evil.example mail@evil.example",
    "```\n# approved\n```",
    "`` ` ```` ~~~",
    "\u{1b}[2J\u{1b}[31mred\u{7}\u{9b}2J",
    "admin\u{202e}nimda \u{2066}x\u{2069}\u{200b}",
    "one\ntwo\r\nthree\u{2028}four\u{85}five",
    "::error::x ##[group]y ##vso[task.complete]",
    "<!-- gone --> &amp; &lt;b&gt; <img src=x onerror=alert(1)>",
    "- [x] done\n> quoted\n1. one\n***\n# big",
    "*bold* _it_ ~~struck~~ $a^2$ :tada: \\* \\",
    "👩‍👩‍👧‍👦 🏳️‍🌈 é e\u{301} ﷽",
    "田中 愛子（株式会社コントソ）、東京",
    "",
    " ",
    "deadbeefcafe0123 0c5c2a60",
    "a\u{0}b\u{fffe}c",
];

/// Hostile strings everywhere, one of them long.
pub(super) fn hostile() -> Plan {
    let mut at = 0;
    with_texts(|| {
        at += 1;
        match at % (HOSTILE.len() + 1) {
            0 => "`|<@長い ".repeat(10_000 / 7),
            at => HOSTILE[at - 1].to_owned(),
        }
    })
}

/// As many changes as anybody makes in a day, hardly two of them alike.
pub(super) fn large(count: usize) -> Plan {
    let mut plan = usual();
    let patterns = plan.steps.clone();
    plan.steps = (0..count)
        .map(|at| {
            let mut step = patterns[at * 5 % 14].clone();
            step.object = ObjectKey::new(step.object.kind, format!("{}-{at:05}", step.object.name));
            step.id = format!("{}/{}", step.object, step.verb.word());
            step.depends_on.clear();
            for field in &mut step.fields {
                field.path = format!("{}{}", field.path, at % 97);
            }
            step
        })
        .collect();
    plan.report = (0..count)
        .map(|at| {
            let mut report = plan.report[at % plan.report.len()].clone();
            report.object =
                ObjectKey::new(report.object.kind, format!("{}-{at:05}", report.object.name));
            report
        })
        .collect();
    plan.sealed().unwrap()
}
