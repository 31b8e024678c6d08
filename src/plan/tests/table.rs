//! What comes of each situation, as a table: each row is planned, and the page in the documentation
//! is what came of it. `PARTNERCTL_BLESS=1` writes the page; then read it.

use std::fmt::Write as _;

use serde_json::json;

use super::super::digest;
use super::super::step::Cause;
use super::super::{Actor, Applied, Planned};
use super::delegated;
use super::stage::*;
use crate::model::name::Kind;
use crate::model::record::{Exchange, Origin as How, Recorded, Spent};
use crate::model::tenant::{
    Aspect, Blind, DeletedUser, GroupKind, Holding, MemberKind, Qualification, Relationship,
    RoleAssignment, Subscription,
};
use crate::model::user::AdminLevel;

/// It was made, and nobody may have its password.
fn owes(known: &mut Recorded) {
    let mut what = Applied::read(&known.managed.spec);
    what.owes_password = true;
    known.managed.spec = what.to_json().unwrap();
}

/// A user management admin, whom nobody declares, applies.
fn reset_by_zoe(stage: Stage) -> Stage {
    let admin = assigned("zoe", AdminLevel::UserManagement, Holding::Active, "/");
    zoe(stage)
        .live(|tenant| tenant.assignments.push(admin))
        .with(|stage| stage.actor = Some(Actor::User(object_id(ZOE))))
}

pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) situation: &'static str,
    pub(super) stage: fn() -> Stage,
}

macro_rules! rows {
    ($(# $kind:literal $( $situation:literal => $stage:expr, )+)+) => {
        vec![$($(Row { kind: $kind, situation: $situation, stage: || $stage },)+)+]
    };
}

pub(super) use rows;

const BEN: &str = "ben@fabrikam.example";
const ZOE: &str = "zoe@fabrikam.example";
const CONTOSO: &str = "0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1";

fn zoe(stage: Stage) -> Stage {
    stage.live(|tenant| {
        let mut zoe = user(tenant, "ben").clone();
        zoe.sign_in_name = ZOE.to_owned();
        zoe.display_name = "Zoé".to_owned();
        tenant.users.insert(object_id(ZOE), zoe);
    })
}

fn binned(stage: Stage) -> Stage {
    stage.live(|tenant| {
        let gone = tenant.users.remove(&object_id(BEN)).unwrap();
        for group in tenant.groups.values_mut() {
            group.members.as_mut().unwrap().remove(&object_id(BEN));
        }
        tenant.deleted_users.insert(
            object_id(BEN),
            DeletedUser {
                display_name: gone.display_name,
                sign_in_name: gone.sign_in_name,
                deleted_at: None,
            },
        );
    })
}

pub(super) fn assigned(
    name: &str,
    level: AdminLevel,
    holding: Holding,
    scope: &str,
) -> RoleAssignment {
    RoleAssignment {
        id: format!("{level}-{name}-{holding:?}"),
        role: super::super::holdings::template_of(level).unwrap(),
        principal: object_id(&format!("{name}@fabrikam.example")),
        scope: scope.to_owned(),
        holding,
    }
}

fn others() -> Vec<Row> {
    rows! {
        # "anything"
        "as declared, applied before" => Stage::base(),
        "as declared, seen for the first time: adopted without a step" => Stage::fresh(BASE),
        "nothing there yet" => Stage::empty(),
        "only one object is asked for, with what it needs" => Stage::empty().target("user/ben"),
        "another estate manages it" => Stage::base().remembered("user/ben", |known| known.managed.estate = "other".into()),

        # "field"
        "the manifest was edited" => Stage::base().edit("jobTitle: Engineer", "jobTitle: Lead"),
        "the tenant was edited" => Stage::base().live(|tenant| user(tenant, "ben").job_title = Some("Clerk".into())),
        "both were edited" => Stage::base().edit("jobTitle: Engineer", "jobTitle: Lead").live(|tenant| user(tenant, "ben").job_title = Some("Clerk".into())),
        "it differs, and is seen for the first time" => Stage::fresh(BASE).live(|tenant| user(tenant, "ben").job_title = Some("Clerk".into())),
        "it differs, and is left to others" => Stage::base().edit("metadata: {name: ben}", "metadata: {name: ben, ignore: [spec.jobTitle]}").live(|tenant| user(tenant, "ben").job_title = Some("Clerk".into())),
        "the key was taken out of the manifest" => Stage::base().edit("jobTitle: Engineer, ", "").live(|tenant| user(tenant, "ben").job_title = Some("Clerk".into())),
        "it differs only in case, form or spacing" => Stage::base().edit("email: ben@fabrikam.example", "email: Ben@Fabrikam.Example").edit("+81 3 1234 5679", "+81-3-1234-5679"),
        "the service rewrote what was sent" => Stage::base().remembered("user/ben", |known| {
            known.managed.exchanges.insert("spec.jobTitle".into(), Exchange { sent: json!("Engineer"), returned: json!("ENGINEER") });
        }).live(|tenant| user(tenant, "ben").job_title = Some("ENGINEER".into())),
        "we wrote it a moment ago, and the service lags" => Stage::base().with(|stage| stage.lags = true).remembered("user/ben", |known| known.at = NOW.parse().unwrap()).live(|tenant| user(tenant, "ben").job_title = None),
        "we wrote it a moment ago, and the service does not lag" => Stage::base().remembered("user/ben", |known| known.at = NOW.parse().unwrap()).live(|tenant| user(tenant, "ben").job_title = None),

        # "User"
        "a new document" => Stage::base().add("kind: User\nmetadata: {name: zoe}\nspec: {displayName: Zoé, email: zoe@fabrikam.example, agent: helpdesk, admin: none}\n"),
        "a new document, for an account that is there" => zoe(Stage::base()).add("kind: User\nmetadata: {name: zoe}\nspec: {displayName: Zoe, email: zoe@fabrikam.example, agent: helpdesk, admin: none}\n"),
        "a new document, for an account in the bin" => binned(Stage::base().without("ben")).add("kind: User\nmetadata: {name: benjamin}\nspec: {displayName: Ben, email: ben@fabrikam.example, agent: none, admin: none}\n"),
        "a guest who is not there" => Stage::base().add("kind: User\nmetadata: {name: guest}\nspec: {displayName: G, email: g@lucerne.example, signInName: \"g_lucerne.example#EXT#@fabrikam.onmicrosoft.com\", agent: none, admin: none}\n"),
        "two documents for one account" => Stage::base().live(|tenant| user(tenant, "ben").sign_in_name = "b2@fabrikam.example".into()).add("kind: User\nmetadata: {name: twin}\nspec: {displayName: B, email: b2@fabrikam.example, agent: none, admin: none}\n"),
        "the sign-in name was changed in the tenant: still the same account" => Stage::base().live(|tenant| user(tenant, "ben").sign_in_name = "b2@fabrikam.example".into()),
        "the document was renamed, with `formerly`" => Stage::base().edit("metadata: {name: ben}", "metadata: {name: benjamin, formerly: [ben]}"),
        "the document was renamed, without a word" => Stage::base().edit("metadata: {name: ben}", "metadata: {name: benjamin}"),
        "deleted in the tenant, still in the bin" => binned(Stage::base()),
        "deleted in the tenant, to be revived" => binned(Stage::base()).revive("user/ben"),
        "deleted in the tenant for good" => Stage::base().live(|tenant| { tenant.users.remove(&object_id(BEN)); leave(tenant, "Service Desk", object_id(BEN)); leave(tenant, "HelpdeskAgents", object_id(BEN)); }),
        "deleted in the tenant for good, to be revived" => Stage::base().live(|tenant| { tenant.users.remove(&object_id(BEN)); leave(tenant, "Service Desk", object_id(BEN)); leave(tenant, "HelpdeskAgents", object_id(BEN)); }).revive("user/ben"),
        "to be disabled" => Stage::base().edit("email: ben@", "enabled: false, email: ben@"),
        "disabled in the tenant" => Stage::base().live(|tenant| user(tenant, "ben").enabled = Some(false)),
        "kept on premises, and different" => Stage::base().live(|tenant| { let ben = user(tenant, "ben"); ben.is_synced = true; ben.job_title = Some("Clerk".into()); ben.enabled = Some(false); }),
        "a member there, a guest here" => Stage::base().live(|tenant| user(tenant, "ben").is_guest = true),
        "its last day has passed" => Stage::base().edit("metadata: {name: ben}", "metadata: {name: ben, expires: 2026-11-19}"),
        "its last day has passed, and it is to be disabled then" => Stage::base().edit("metadata: {name: ben}", "metadata: {name: ben, expires: 2026-11-19, onRemoval: disable}"),
        "its last day is today" => Stage::base().edit("metadata: {name: ben}", "metadata: {name: ben, expires: 2026-11-20}"),
        "undeclared" => zoe(Stage::base()),
        "the document is gone" => Stage::base().without("ben"),
        "the document is gone, and the load is not complete" => Stage::base().without("ben").with(|stage| stage.is_complete = false),
        "the document is gone, of an account that was adopted" => Stage::fresh(BASE).applied(How::Adopted).without("ben"),
        "the document is gone, which said `onRemoval: disable`" => Stage::fresh(&BASE.replace("{name: ben}", "{name: ben, onRemoval: disable}")).applied(How::Made).without("ben"),
        "the document is gone, which said `onRemoval: delete`" => Stage::fresh(&BASE.replace("{name: ben}", "{name: ben, onRemoval: delete}")).applied(How::Made).without("ben"),
        "the document is gone, which said `onRemoval: delete`, of an adopted account" => Stage::fresh(&BASE.replace("{name: ben}", "{name: ben, onRemoval: delete}")).applied(How::Adopted).without("ben"),
        "the document is gone, which said `protect: true`" => Stage::fresh(&BASE.replace("{name: ben}", "{name: ben, protect: true}")).applied(How::Made).without("ben"),

        # "agent level"
        "declared, and not held" => Stage::base().edit("email: ben@fabrikam.example, jobTitle: Engineer, agent: helpdesk", "email: ben@fabrikam.example, jobTitle: Engineer, agent: [helpdesk, admin]"),
        "no longer declared" => Stage::base().edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: none"),
        "given in the tenant" => Stage::base().live(|tenant| join(tenant, "AdminAgents", object_id(BEN))),
        "taken in the tenant" => Stage::base().live(|tenant| leave(tenant, "HelpdeskAgents", object_id(BEN))),
        "held by somebody undeclared" => zoe(Stage::base()).live(|tenant| join(tenant, "AdminAgents", object_id(ZOE))),
        "held by somebody undeclared, where membership is exclusive" => zoe(Stage::base()).edit("  partnerId:", "  agentMembership: exclusive\n  partnerId:").live(|tenant| join(tenant, "AdminAgents", object_id(ZOE))),
        "held by an application and by a group" => Stage::base().live(|tenant| {
            let group = tenant.groups.get_mut(&object_id("AdminAgents")).unwrap().members.as_mut().unwrap();
            group.insert(object_id("robot"), MemberKind::ServicePrincipal);
            group.insert(object_id("nest"), MemberKind::Group);
        }),
        "the tenant has no such group" => Stage::base().edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: [helpdesk, admin]").live(|tenant| { tenant.groups.remove(&object_id("AdminAgents")); }),

        # "admin level"
        "declared, and not held" => Stage::base().edit("agent: helpdesk, admin: none", "agent: helpdesk, admin: billing"),
        "no longer declared" => Stage::base().edit("email: chie@fabrikam.example, agent: none, admin: global", "email: chie@fabrikam.example, agent: none, admin: none"),
        "given in the tenant" => Stage::base().live(|tenant| tenant.assignments.push(assigned("ben", AdminLevel::Global, Holding::Active, "/"))),
        "given in the tenant, for a part of it" => Stage::base().live(|tenant| tenant.assignments.push(assigned("ben", AdminLevel::Global, Holding::Active, "/administrativeUnits/1"))),
        "declared as held always, and eligible there" => Stage::base().edit("agent: helpdesk, admin: none", "agent: helpdesk, admin: billing").live(|tenant| tenant.assignments.push(assigned("ben", AdminLevel::Billing, Holding::Eligible, "/"))),
        "declared as eligible, and not there" => Stage::base().edit("agent: helpdesk, admin: none", "agent: helpdesk, admin: {billing: eligible}"),
        "declared as eligible, and activated there" => Stage::base().edit("agent: helpdesk, admin: none", "agent: helpdesk, admin: {billing: eligible}").live(|tenant| {
            tenant.assignments.push(assigned("ben", AdminLevel::Billing, Holding::Eligible, "/"));
            tenant.assignments.push(assigned("ben", AdminLevel::Billing, Holding::Active, "/"));
        }),
        "eligible there, and undeclared" => Stage::base().live(|tenant| tenant.assignments.push(assigned("ben", AdminLevel::Billing, Holding::Eligible, "/"))),
        "who can be activated cannot be seen" => Stage::base().edit("agent: helpdesk, admin: none", "agent: helpdesk, admin: {billing: eligible}").live(|tenant| tenant.blind.push(Blind { aspect: Aspect::EligibleRoles, why: "no licence".into(), seen_at: None })),

        # "roles of a user"
        "a custom role is declared, and not held" => Stage::base().edit("email: dai@fabrikam.example, agent: [admin, helpdesk], admin: none", "email: dai@fabrikam.example, agent: [admin, helpdesk], admin: none, roles: [desk]"),
        "a custom role is no longer declared" => Stage::base().edit(", roles: [desk]", ", roles: []"),
        "the list is gone: not ours any more" => Stage::base().edit(", roles: [desk]", ""),
        "a custom role was given in the tenant" => Stage::base().edit("email: dai@fabrikam.example, agent: [admin, helpdesk], admin: none", "email: dai@fabrikam.example, agent: [admin, helpdesk], admin: none, roles: []").applied(How::Made).live(|tenant| join(tenant, "Service Desk", object_id("dai@fabrikam.example"))),
        "an account role for one location" => Stage::base().edit(", roles: [desk]", ", roles: [desk, {role: referrals-admin, locations: [JP-13]}]"),
        "an account role is no longer declared" => Stage::fresh(&BASE.replace(", roles: [desk]", ", roles: [desk, referrals-admin]")).applied(How::Made).edit(", roles: [desk, referrals-admin]", ", roles: [desk]"),
        "one of two locations of an account role is no longer declared" => Stage::fresh(&BASE.replace(", roles: [desk]", ", roles: [{role: referrals-admin, locations: [JP-13, JP-27]}]")).applied(How::Made).edit("[JP-13, JP-27]", "[JP-13]"),
        "an account role that this account does not have" => Stage::base().edit(", roles: [desk]", ", roles: [desk, incentives-admin]"),
        "the role's last day has passed" => Stage::base().edit("metadata: {name: desk}", "metadata: {name: desk, expires: 2026-11-19}"),

        # "Role"
        "a new document" => Stage::base().add("kind: Role\nmetadata: {name: night}\nspec: {group: Night Shift}\n"),
        "its name belongs to a group that is there" => Stage::base().add("kind: Role\nmetadata: {name: night}\nspec: {group: Night Shift}\n").live(|tenant| { tenant.groups.insert(object_id("n1"), group("Night Shift", "n1")); }),
        "its name belongs to two groups" => Stage::base().add("kind: Role\nmetadata: {name: night}\nspec: {group: Night Shift}\n").live(|tenant| { tenant.groups.insert(object_id("n1"), group("Night Shift", "n1")); tenant.groups.insert(object_id("n2"), group("Night Shift", "n2")); }),
        "its name belongs to a group that follows a rule" => Stage::base().add("kind: Role\nmetadata: {name: night}\nspec: {group: Night Shift}\n").live(|tenant| { let mut dynamic = group("Night Shift", "n1"); dynamic.kind = GroupKind::Dynamic; tenant.groups.insert(object_id("n1"), dynamic); }),
        "it names a group by an id that is not there" => Stage::base().add("kind: Role\nmetadata: {name: night}\nspec: {group: {id: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e9}}\n"),
        "its group was renamed in the tenant" => Stage::base().live(|tenant| tenant.groups.get_mut(&object_id("Service Desk")).unwrap().name = "Desk".into()),
        "its description was edited" => Stage::base().edit("description: First line", "description: First and second line"),
        "its group was deleted in the tenant" => Stage::base().live(|tenant| { tenant.groups.remove(&object_id("Service Desk")); }),
        "its group was deleted in the tenant, to be revived" => Stage::base().live(|tenant| { tenant.groups.remove(&object_id("Service Desk")); }).revive("role/desk"),
        "somebody undeclared is in its group" => zoe(Stage::base()).live(|tenant| join(tenant, "Service Desk", object_id(ZOE))),
        "somebody undeclared is in its group, which is exclusive" => zoe(Stage::base()).edit("description: First line", "membership: exclusive, description: First line").live(|tenant| join(tenant, "Service Desk", object_id(ZOE))),
        "its group has an owner" => Stage::base().live(|tenant| { tenant.groups.get_mut(&object_id("Service Desk")).unwrap().owners.as_mut().unwrap().insert(object_id(BEN), MemberKind::User); }),
        "the document is gone, and the group is empty then" => Stage::base().edit(", roles: [desk]", ", roles: []").without("desk"),
        "the document is gone, and others are in the group" => zoe(Stage::base()).edit(", roles: [desk]", ", roles: []").without("desk").live(|tenant| join(tenant, "Service Desk", object_id(ZOE))),
        "the document is gone, of a group that was adopted" => Stage::fresh(BASE).applied(How::Adopted).edit(", roles: [desk]", ", roles: []").without("desk"),

        # "Account"
        "a support address was edited" => Stage::base().edit("support@fabrikam.example", "help@fabrikam.example"),
        "the legal name was edited" => Stage::base().edit("companyName: Fabrikam K.K.", "companyName: Fabrikam G.K."),
        "the legal profile is being vetted" => Stage::base().live(|tenant| { tenant.profiles.get_mut(&crate::model::tenant::ProfileKind::Legal).unwrap().0.insert("vettingStatus".into(), "pending".into()); }),
        "the account is suspended" => Stage::base().live(|tenant| { tenant.profiles.get_mut(&crate::model::tenant::ProfileKind::Legal).unwrap().0.insert("vettingStatus".into(), "suspended".into()); }),
        "a profile cannot be seen" => Stage::base().live(|tenant| { tenant.profiles.remove(&crate::model::tenant::ProfileKind::Support); }),
        "what is kept in the portal alone" => Stage::base().edit("  partnerId:", "  catalog: {featured: [CFQ7TTC0LH18]}\n  partnerId:"),
        "what is kept in the portal alone, confirmed" => Stage::base().edit("  partnerId:", "  catalog: {featured: [CFQ7TTC0LH18]}\n  partnerId:").confirm("account/fabrikam", "account/fabrikam/catalog", &digest(&json!(["CFQ7TTC0LH18"]))),
        "what is kept in the portal alone, confirmed of another value" => Stage::base().edit("  partnerId:", "  catalog: {featured: [CFQ7TTC0LH18]}\n  partnerId:").confirm("account/fabrikam", "account/fabrikam/catalog", &digest(&json!(["CFQ7TTC0LFLX"]))),
        "a domain is not verified" => Stage::base().edit("domains: [fabrikam.example]", "domains: [fabrikam.example, fabrikam.test]"),
        "it is another account's tenant" => Stage::base().live(|tenant| tenant.domains = ["contoso.example".to_owned()].into()),
        "the partner id is another" => Stage::base().edit("\"4567890\"", "\"4567891\""),

        # "Partnership"
        "not there" => Stage::base().live(|tenant| tenant.partnerships.clear()).with(|_| ()),
        "not there, and never was" => Stage::fresh(BASE).live(|tenant| tenant.partnerships.clear()),
        "not there, to be revived" => Stage::base().live(|tenant| tenant.partnerships.clear()).revive("partnership/northwind"),
        "to end" => Stage::base().edit("  displayName: Northwind Distribution", "  state: ended\n  displayName: Northwind Distribution").edit(", partnerships: [northwind]", ""),
        "undeclared" => Stage::base().live(|tenant| { let mut other = tenant.partnerships[0].clone(); other.tenant = crate::model::id::TenantId(id_of("x")); other.name = "Litware".into(); tenant.partnerships.push(other); }),
        "the document is gone" => Stage::base().edit(", partnerships: [northwind]", "").without("northwind"),
        "the document is gone, of one that was adopted" => Stage::fresh(BASE).applied(How::Adopted).edit(", partnerships: [northwind]", "").without("northwind"),

        # "Customer"
        "not there, to be invited together with a provider" => Stage::fresh(BASE).live(|tenant| { tenant.customers.remove(&parse(CONTOSO)); }),
        "not there, to be invited by us alone" => Stage::fresh(BASE).live(|tenant| tenant.customers.retain(|_, found| found.domain != "woodgrove.example")),
        "not there, and the provider is not either" => Stage::fresh(BASE).live(|tenant| { tenant.customers.remove(&parse(CONTOSO)); tenant.partnerships.clear(); }),
        "it accepted under a tenant that nobody knew" => Stage::fresh(BASE),
        "it ended the relationship" => Stage::base().live(|tenant| { tenant.customers.get_mut(&parse(CONTOSO)).unwrap().relationship = Relationship::None; }),
        "it ended the relationship, to be revived" => Stage::base().live(|tenant| { tenant.customers.remove(&parse(CONTOSO)); }).revive("customer/contoso"),
        "two have the domain" => Stage::fresh(BASE).live(|tenant| { let twin = tenant.customers.values().find(|found| found.domain == "woodgrove.example").unwrap().clone(); tenant.customers.insert(crate::model::id::TenantId(id_of("twin")), twin); }),
        "a provider was added after it accepted" => Stage::base().edit(", partnerships: [northwind]}", ", partnerships: [northwind, litware]}").add("kind: Partnership\nmetadata: {name: litware}\nspec: {with: indirect-provider, displayName: Litware, tenantId: 7452bc9a-9fc6-4e3a-a5be-5074b1349974, acknowledge: [orders-on-behalf-of-customers, administrator-access-to-our-tenant]}\n").live(|tenant| { let mut other = tenant.partnerships[0].clone(); other.tenant = parse("7452bc9a-9fc6-4e3a-a5be-5074b1349974"); tenant.partnerships.push(other); }),
        "its name is another there" => Stage::base().live(|tenant| tenant.customers.get_mut(&parse(CONTOSO)).unwrap().company_name = "Contoso".into()),
        "its billing address was edited" => Stage::base().edit("line1: 4-5-6 Umeda", "line1: 7-8-9 Umeda"),
        "a qualification is asked for" => Stage::base().edit(", partnerships: [northwind]}", ", partnerships: [northwind], qualification: state-owned-entity}"),
        "a qualification is being examined" => Stage::base().edit(", partnerships: [northwind]}", ", partnerships: [northwind], qualification: state-owned-entity}").live(|tenant| tenant.customers.get_mut(&parse(CONTOSO)).unwrap().details.qualifications = Some(vec![Qualification { name: "StateOwnedEntity".into(), vetting: Some("InReview".into()), reason: None }])),
        "a qualification was denied" => Stage::base().edit(", partnerships: [northwind]}", ", partnerships: [northwind], qualification: state-owned-entity}").live(|tenant| tenant.customers.get_mut(&parse(CONTOSO)).unwrap().details.qualifications = Some(vec![Qualification { name: "StateOwnedEntity".into(), vetting: Some("Denied".into()), reason: Some("not owned by a state".into()) }])),
        "the relationship is to end" => Stage::base().edit(", partnerships: [northwind]}", ", relationship: none}"),
        "the relationship is to end, with an active subscription" => Stage::base().edit(", partnerships: [northwind]}", ", relationship: none}").live(|tenant| tenant.customers.get_mut(&parse(CONTOSO)).unwrap().details.subscriptions = Some(vec![Subscription { id: "1".into(), name: "Microsoft 365 Business".into(), status: "active".into() }])),
        "undeclared" => Stage::base().live(|tenant| { let mut other = tenant.customers[&parse(CONTOSO)].clone(); other.domain = "adatum.example".into(); tenant.customers.insert(crate::model::id::TenantId(id_of("adatum")), other); }),
        "the document is gone: released" => Stage::base().without("contoso"),
        "to be created (direct-bill partners and providers)" => Stage::base().edit("program: indirect-reseller", "program: direct-bill").edit(", partnerships: [northwind]", "").without("northwind").add("kind: Customer\nmetadata: {name: adatum}\nspec: {companyName: Adatum, domain: adatum.onmicrosoft.com, origin: new, contact: {name: Kim Abe, email: kim@adatum.example}, billing: {address: {line1: 1 Ginza, city: Tokyo, postalCode: 104-0061, country: JP}}}\n"),

        # "one-time passwords"
        "somebody is to be made, and there is nowhere to hand a password over" => Stage::base().with(|stage| stage.hands_over = false).add("kind: User\nmetadata: {name: zoe}\nspec: {displayName: Zoé, email: zoe@fabrikam.example, agent: helpdesk, admin: none}\n"),
        "a customer's tenant is to be made, and there is nowhere to hand a password over" => Stage::base().with(|stage| stage.hands_over = false).edit("program: indirect-reseller", "program: direct-bill").edit(", partnerships: [northwind]", "").without("northwind").add("kind: Customer\nmetadata: {name: adatum}\nspec: {companyName: Adatum, domain: adatum.onmicrosoft.com, origin: new, contact: {name: Kim Abe, email: kim@adatum.example}, billing: {address: {line1: 1 Ginza, city: Tokyo, postalCode: 104-0061, country: JP}}}\n"),
        "there is nowhere to hand a password over, and nobody needs one" => Stage::base().with(|stage| stage.hands_over = false).edit("jobTitle: Engineer", "jobTitle: Lead"),
        "a run died before it handed one over" => Stage::base().remembered("user/ben", owes),
        "a run died before it handed one over, and there is nowhere to" => Stage::base().with(|stage| stage.hands_over = false).remembered("user/ben", owes),
        "the same of an account that is kept on premises by now" => Stage::base().remembered("user/ben", owes).live(|tenant| user(tenant, "ben").is_synced = true),
        "the one of a tenant's first administrator was lost" => Stage::base().remembered("customer/contoso", owes),
        "the one of a tenant's first administrator was lost, and a person saw to it" => Stage::base().remembered("customer/contoso", owes).confirm("customer/contoso", "customer/contoso/first-administrator", &format!("the first administrator of {CONTOSO}")),
        "owed to a global admin, and a user management admin applies" => reset_by_zoe(Stage::base().remembered("user/chie", owes)),
        "owed to somebody who may become a global admin, and a user management admin applies" => reset_by_zoe(Stage::base().remembered("user/ben", owes).edit("agent: helpdesk, admin: none", "agent: helpdesk, admin: {global: eligible}").live(|tenant| tenant.assignments.push(assigned("ben", AdminLevel::Global, Holding::Eligible, "/")))),
        "owed to somebody who is no admin, and a user management admin applies" => reset_by_zoe(Stage::base().remembered("user/ben", owes)),
        "owed, and a helpdesk agent applies" => Stage::base().remembered("user/dai", owes).with(|stage| stage.actor = Some(Actor::User(object_id(BEN)))),

        # "guards"
        "the second global admin would go" => Stage::base().guards(2, 1).edit("email: chie@fabrikam.example, agent: none, admin: global", "email: chie@fabrikam.example, agent: none, admin: none"),
        "one goes and another comes: first the one that comes" => Stage::base().guards(2, 1).edit("email: chie@fabrikam.example, agent: none, admin: global", "email: chie@fabrikam.example, agent: none, admin: none").edit("email: dai@fabrikam.example, agent: [admin, helpdesk], admin: none", "email: dai@fabrikam.example, agent: [admin, helpdesk], admin: global"),
        "the second one is disabled, which does not count" => Stage::fresh(BASE).guards(1, 1).live(|tenant| user(tenant, "chie").enabled = Some(false)).applied(How::Made).edit("email: chie@fabrikam.example", "enabled: false, email: chie@fabrikam.example").edit("agent: admin, admin: global", "agent: admin, admin: none"),
        "the second one is a guest, which does not count" => Stage::base().guards(1, 1).live(|tenant| user(tenant, "chie").is_guest = true).edit("agent: admin, admin: global", "agent: admin, admin: none"),
        "the second one is eligible only, which does not count" => Stage::base().guards(1, 1).live(|tenant| tenant.assignments.retain(|held| held.principal != object_id("chie@fabrikam.example"))).live(|tenant| tenant.assignments.push(assigned("chie", AdminLevel::Global, Holding::Eligible, "/"))).edit("agent: none, admin: global", "agent: none, admin: {global: eligible}").edit("agent: admin, admin: global", "agent: admin, admin: none"),
        "the second one holds it through a group, which does not count" => Stage::base().guards(1, 1).live(|tenant| {
            let chie = object_id("chie@fabrikam.example");
            for held in &mut tenant.assignments { if held.principal == chie { held.principal = object_id("Service Desk"); } }
            tenant.groups.get_mut(&object_id("Service Desk")).unwrap().is_role_assignable = true;
            join(tenant, "Service Desk", chie);
        }).edit("agent: none, admin: global", "agent: none, admin: none").edit("agent: admin, admin: global", "agent: admin, admin: none"),
        "below the minimum already: not one fewer" => Stage::base().guards(3, 1).edit("email: chie@fabrikam.example, agent: none, admin: global", "email: chie@fabrikam.example, agent: none, admin: none"),
        "somebody required is disabled" => Stage::base().with(|stage| stage.guards.required = vec![parse("ben")]).edit("email: ben@", "enabled: false, email: ben@"),
        "the actor's own loss comes last" => Stage::base().guards(1, 1).edit("email: aiko@fabrikam.example, agent: admin, admin: global", "email: aiko@fabrikam.example, agent: admin, admin: none").edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: none"),

        "the last helpdesk agent would go" => Stage::base().edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: none").edit("agent: [admin, helpdesk]", "agent: admin"),
        "the last helpdesk agent would go, and somebody answers for it" => Stage::base().edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: none").edit("agent: [admin, helpdesk]", "agent: admin").add("kind: Waiver\nmetadata: {name: no-desk}\nspec: {finding: P2202, on: user/dai, owner: aiko, reason: the desk closes, until: 2026-12-31}\n"),
        "one admin agent goes and another comes" => Stage::base().edit("agent: [admin, helpdesk], admin: none", "agent: none, admin: none").edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: [helpdesk, admin]"),

        # "limits"
        "more removals than a percentage of the users" => Stage::base().percent_of_removals(12).edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: none"),
        "what was spent today counts too" => Stage::base().with(|stage| { stage.limits.removals = Some(crate::model::project::Limit { count: Some(2), percent: None }); stage.spent = Spent { removals: 2, ..Spent::default() }; }).edit("jobTitle: Engineer, agent: helpdesk", "jobTitle: Engineer, agent: none"),

        # "the actor"
        "may not: a helpdesk agent" => Stage::base().with(|stage| stage.actor = Some(Actor::User(object_id(BEN)))).edit("jobTitle: Engineer", "jobTitle: Lead"),
        "may not raise themselves" => Stage::base().edit("email: aiko@fabrikam.example, agent: admin, admin: global", "email: aiko@fabrikam.example, agent: admin, admin: [global, billing]"),
        "a user management admin touches a global admin" => zoe(Stage::base()).live(|tenant| tenant.assignments.push(assigned("zoe", AdminLevel::UserManagement, Holding::Active, "/"))).with(|stage| stage.actor = Some(Actor::User(object_id(ZOE)))).edit("email: chie@fabrikam.example", "jobTitle: Director, email: chie@fabrikam.example"),
        "is not known" => Stage::base().with(|stage| stage.actor = None).edit("jobTitle: Engineer", "jobTitle: Lead"),
    }
}

/// What came of it, a line each.
pub(super) fn came(planned: &Planned) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &planned.steps {
        let mut line = format!("step `{}`", step.id);
        let causes: std::collections::BTreeSet<&str> =
            step.fields.iter().map(|field| field.cause.word()).collect();
        let fields: Vec<String> = step
            .fields
            .iter()
            .filter(|field| !matches!(field.cause, Cause::Create))
            .map(|field| {
                let applied = field.applied.as_ref().map(|value| format!(" (applied {value})"));
                format!(
                    "{} {} → {}{}",
                    field.path,
                    field.before,
                    field.after,
                    applied.unwrap_or_default()
                )
            })
            .collect();
        if causes.is_empty() {
            write!(line, ", {}", step.verb.word()).unwrap();
        } else {
            write!(line, ", {}", causes.into_iter().collect::<Vec<_>>().join(" and ")).unwrap();
        }
        if !fields.is_empty() {
            write!(line, ": {}", fields.join("; ")).unwrap();
        }
        if let Some(why) = &step.irreversible {
            write!(line, " (irreversible: {why})").unwrap();
        }
        lines.push(line);
    }
    for report in &planned.report {
        let mut line = format!("{} `{}`: {}", report.state.word(), report.object, report.message);
        if let Some(link) = &report.link {
            write!(line, " (link `{link}`)").unwrap();
        }
        if let Some(step) = &report.step {
            write!(line, " (confirmed as `{step}`)").unwrap();
        }
        lines.push(line);
    }
    for refusal in &planned.refused {
        lines.push(format!("refused ({:?}): {}", refusal.why, refusal.message).to_lowercase());
    }
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    lines
}

fn page() -> String {
    let mut page = String::from(
        "# What comes of it\n\nEach situation that planning tells apart, and what a plan then holds: steps, in order, with their \
         cause and what they change; reports of what will not happen; refusals. The page is written by \
         the tests of `src/plan/`, which plan each row from a small estate (`src/plan/tests/base.yaml`).\n",
    );
    let mut kind = "";
    for row in others().into_iter().chain(delegated::all()) {
        if row.kind != kind {
            kind = row.kind;
            write!(page, "\n## {kind}\n\n| situation | what comes of it |\n|---|---|\n").unwrap();
        }
        let lines: Vec<String> =
            came(&(row.stage)().plan()).iter().map(|line| line.replace('|', "\\|")).collect();
        writeln!(page, "| {} | {} |", row.situation, lines.join("<br>")).unwrap();
    }
    page
}

#[test]
fn the_page_is_what_comes_of_each_situation() {
    written("docs/planning.md", &page());
}

/// Holds a page of the documentation to what it would be.
pub(super) fn written(path: &str, page: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("PARTNERCTL_BLESS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    for (came, known) in page.lines().zip(written.lines()) {
        assert_eq!(came, known);
    }
    assert_eq!(page, written);
}

#[test]
fn no_situation_stands_twice() {
    let mut seen = std::collections::BTreeSet::new();
    for row in others().into_iter().chain(delegated::all()) {
        assert!(seen.insert((row.kind, row.situation)), "{}: {}", row.kind, row.situation);
    }
    assert!(seen.len() > 100);
    let _ = Kind::User;
}
