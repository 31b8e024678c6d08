//! What comes of undoing: a run is planned and carried out on a tenant of plain values, others' hands
//! do what they do, and the way back is planned. The page in the documentation is what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

use super::super::holdings::template_of;
use super::super::{Change, Deed, Planned, Target, Verb, widen};
use super::service;
use super::stage::*;
use super::table::{assigned, came, written};
use crate::model::record::{ObjectKey, Origin as How};
use crate::model::tenant::{
    AccountRoleMember, Customer, CustomerDetails, DeletedUser, Group, Holding, MemberKind,
    ObjectId, Profile, Qualification, Relationship, RoleAssignment, Scope, Snapshot, User,
};
use crate::model::user::AdminLevel;

/// A run that was, and how things stand since.
struct Past {
    stage: Stage,
    before: Snapshot,
    deeds: Vec<Deed>,
}

impl Past {
    /// Somebody edited the manifests and applied them.
    fn of(before: Stage, edit: impl FnOnce(Stage) -> Stage) -> Self {
        let mut stage = edit(before);
        let planned = stage.plan();
        assert_eq!(planned.refused, []);
        let before = stage.snapshot.clone();
        let deeds = carry(&mut stage.snapshot, &planned);
        Self { stage: stage.settled(), before, deeds }
    }

    /// Others' hands, afterwards.
    fn then(mut self, change: impl FnOnce(&mut Snapshot)) -> Self {
        change(&mut self.stage.snapshot);
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn undo(&self) -> Planned {
        self.stage.undo(&self.deeds)
    }
}

/// Carries a plan out on plain values; says what was done.
fn carry(tenant: &mut Snapshot, planned: &Planned) -> Vec<Deed> {
    let mut made: BTreeMap<ObjectKey, ObjectId> = BTreeMap::new();
    let mut deeds = Vec::new();
    for step in &planned.steps {
        let find = |target: &Target| match target {
            Target::Id(id) => *id,
            Target::MadeFor(key) => made[key],
        };
        let mut new = None;
        match &step.change {
            Change::CreateUser { sign_in_name, mail_nickname, enabled, fields } => {
                let text = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
                let user = User {
                    display_name: text("displayName").unwrap(),
                    sign_in_name: sign_in_name.clone(),
                    email: text("mail"),
                    enabled: Some(*enabled),
                    is_guest: false,
                    is_synced: false,
                    mail_nickname: Some(mail_nickname.clone()),
                    given_name: text("givenName"),
                    surname: text("surname"),
                    job_title: text("jobTitle"),
                    department: text("department"),
                    mobile_phone: text("mobilePhone"),
                    preferred_language: text("preferredLanguage"),
                    usage_location: text("usageLocation"),
                    created_at: None,
                };
                new = Some(object_id(sign_in_name));
                tenant.users.insert(object_id(sign_in_name), user);
            }
            Change::UpdateUser { user, fields } => {
                let user = tenant.users.get_mut(&find(user)).unwrap();
                for (name, value) in fields {
                    let text = || value.as_str().map(str::to_owned);
                    match name.as_str() {
                        "accountEnabled" => user.enabled = value.as_bool(),
                        "displayName" => user.display_name = text().unwrap(),
                        "jobTitle" => user.job_title = text(),
                        "department" => user.department = text(),
                        "usageLocation" => user.usage_location = text(),
                        other => panic!("{other}"),
                    }
                }
            }
            // Nobody sees a password.
            Change::ResetPassword { .. } => {}
            Change::DeleteUser { user } => bin(tenant, find(user)),
            Change::RestoreUser { user } => {
                let id = find(user);
                let gone = tenant.deleted_users.remove(&id).unwrap();
                let user = User {
                    display_name: gone.display_name,
                    email: Some(gone.sign_in_name.clone()),
                    sign_in_name: gone.sign_in_name,
                    enabled: Some(false),
                    is_guest: false,
                    is_synced: false,
                    mail_nickname: None,
                    given_name: None,
                    surname: None,
                    job_title: None,
                    department: None,
                    mobile_phone: None,
                    preferred_language: None,
                    usage_location: None,
                    created_at: None,
                };
                tenant.users.insert(id, user);
            }
            Change::CreateGroup { name, mail_nickname, description } => {
                let mut made = group(name, mail_nickname);
                made.description.clone_from(description);
                new = Some(object_id(name));
                tenant.groups.insert(object_id(name), made);
            }
            Change::UpdateGroup { group, name, description } => {
                let group = tenant.groups.get_mut(&find(group)).unwrap();
                if let Some(name) = name {
                    group.name.clone_from(name);
                }
                if let Some(text) = description {
                    group.description = Some(text.clone()).filter(|text| !text.is_empty());
                }
            }
            Change::DeleteGroup { group } => {
                let gone = tenant.groups.remove(&find(group)).unwrap();
                assert!(gone.members.unwrap().is_empty(), "somebody is in it");
            }
            Change::AddMember { group, member } => {
                let members = members(tenant.groups.get_mut(&find(group)).unwrap());
                assert_eq!(members.insert(find(member), MemberKind::User), None);
            }
            Change::RemoveMember { group, member } => {
                let members = members(tenant.groups.get_mut(&find(group)).unwrap());
                assert!(members.remove(&find(member)).is_some());
            }
            Change::AssignRole { role, principal } => {
                let level =
                    AdminLevel::ALL.iter().find(|level| template_of(**level) == Some(*role));
                tenant.assignments.push(RoleAssignment {
                    id: format!("{}-{}", level.unwrap(), find(principal)),
                    role: *role,
                    principal: find(principal),
                    scope: "/".to_owned(),
                    holding: Holding::Active,
                });
            }
            Change::RemoveRole { assignment, .. } => {
                assert!(tenant.assignments.iter().any(|held| held.id == *assignment));
                tenant.assignments.retain(|held| held.id != *assignment);
            }
            Change::AddAccountRole { user, account, .. } => {
                tenant.account_roles[0].members.push(AccountRoleMember {
                    user: find(user),
                    account: Some(account.clone()),
                    display_name: String::new(),
                    sign_in_name: String::new(),
                });
            }
            Change::RemoveAccountRole { user, .. } => {
                let id = find(user);
                tenant.account_roles[0].members.retain(|member| member.user != id);
            }
            Change::PutProfile { profile, members } => {
                set(tenant.profiles.get_mut(profile).unwrap(), members);
            }
            Change::PutCustomerBilling { customer, members } => {
                let customer = tenant.customers.get_mut(customer).unwrap();
                set(customer.details.billing.as_mut().unwrap(), members);
            }
            Change::CreateCustomer { domain, company_name, .. } => {
                let id = tenant_of(None, domain);
                tenant.customers.insert(
                    id,
                    Customer {
                        company_name: company_name.clone(),
                        domain: domain.clone(),
                        relationship: Relationship::Reseller,
                        details: CustomerDetails::default(),
                    },
                );
                deeds.push(Deed { step: step.clone(), remote_id: Some(id.to_string()) });
                continue;
            }
            Change::AskQualification { customer, qualification, .. } => {
                let details = &mut tenant.customers.get_mut(customer).unwrap().details;
                details.qualifications.get_or_insert_default().push(Qualification {
                    name: qualification.clone(),
                    vetting: Some("InReview".to_owned()),
                    reason: None,
                });
            }
            Change::EndRelationship { customer } => {
                tenant.customers.remove(customer);
            }
            change => {
                let id = service::carry(tenant, change, find).unwrap();
                deeds.push(Deed { step: step.clone(), remote_id: Some(id.0) });
                continue;
            }
        }
        if let Some(id) = new {
            made.insert(step.object.clone(), id);
        }
        let remote_id = new.map(|id| id.to_string()).or(step.guard.remote_id.clone());
        deeds.push(Deed { step: step.clone(), remote_id });
    }
    deeds
}

fn members(group: &mut Group) -> &mut BTreeMap<ObjectId, MemberKind> {
    group.members.as_mut().unwrap()
}

fn bin(tenant: &mut Snapshot, id: ObjectId) {
    let gone = tenant.users.remove(&id).unwrap();
    let DeletedUser { .. } = tenant
        .deleted_users
        .entry(id)
        .or_insert(DeletedUser {
            display_name: gone.display_name,
            sign_in_name: gone.sign_in_name,
            deleted_at: None,
        })
        .clone();
    tenant.groups.values_mut().for_each(|group| {
        members(group).remove(&id);
    });
    tenant.assignments.retain(|held| held.principal != id);
}

fn set(profile: &mut Profile, members: &BTreeMap<String, Value>) {
    for (wire, value) in members {
        match wire.split_once('.') {
            Some((group, key)) => profile.0[group][key] = value.clone(),
            None => {
                profile.0.insert(wire.clone(), value.clone());
            }
        }
    }
}

const BEN: &str = "ben@fabrikam.example";
const ZOE: &str = "kind: User\nmetadata: {name: zoe}\nspec: {displayName: Zoé, email: zoe@fabrikam.example, agent: helpdesk, admin: none, roles: [desk]}\n";
const TIER2: &str =
    "kind: Role\nmetadata: {name: tier2}\nspec: {description: Second, group: {name: Tier 2}}\n";

fn base(edit: impl FnOnce(Stage) -> Stage) -> Past {
    Past::of(Stage::base(), edit)
}

fn hired() -> Past {
    base(|stage| stage.add(ZOE))
}

fn zoe() -> ObjectId {
    object_id("zoe@fabrikam.example")
}

/// Ben was made here, and his document said what should become of him without it.
fn fired() -> Past {
    let stage = Stage::base().remembered("user/ben", |known| {
        let text = known.managed.spec.as_str().replacen('{', "{\"onRemoval\":\"delete\",", 1);
        known.managed.spec = crate::model::record::Json::stored(&text);
    });
    Past::of(stage, |stage| stage.without("ben}"))
}

struct Row {
    kind: &'static str,
    situation: &'static str,
    past: fn() -> Past,
}

macro_rules! rows {
    ($(# $kind:literal $( $situation:literal => $past:expr, )+)+) => {
        vec![$($(Row { kind: $kind, situation: $situation, past: || $past },)+)+]
    };
}

fn rows() -> Vec<Row> {
    rows! {
        # "a run"
        "that changed something" => base(|stage| stage.edit("jobTitle: Engineer", "jobTitle: Lead")),
        "that was undone already" => base(|stage| stage.edit("jobTitle: Engineer", "jobTitle: Lead")).then(|tenant| user(tenant, "ben").job_title = Some("Engineer".into())),
        "that ended a moment ago, and the service lags" => base(|stage| stage.edit("jobTitle: Engineer", "jobTitle: Lead")).with(|past| { past.stage.lags = true; past.stage.snapshot = past.before.clone(); let now = past.stage.now; past.stage.remember("user/ben", |known| known.at = now); }),
        "whose documents are gone by now" => hired().with(|past| past.stage.leave_out("zoe}")),

        # "User"
        "a field was changed, and by somebody else since" => base(|stage| stage.edit("jobTitle: Engineer", "jobTitle: Lead")).then(|tenant| user(tenant, "ben").job_title = Some("Director".into())),
        "a field was changed, and another by somebody else since" => base(|stage| stage.edit("jobTitle: Engineer", "jobTitle: Lead")).then(|tenant| user(tenant, "ben").department = Some("Sales".into())),
        "a field was set that had nothing" => base(|stage| stage.edit("email: chie@", "jobTitle: Director, email: chie@")),
        "a field was set that had nothing, and that cannot be emptied" => base(|stage| stage.edit("email: chie@", "usageLocation: JP, email: chie@")),
        "it was taken over, and changed by that" => Past::of(Stage::fresh(BASE).live(|tenant| user(tenant, "ben").job_title = Some("Clerk".into())), |stage| stage),
        "it was disabled" => base(|stage| stage.edit("email: ben@", "enabled: false, email: ben@")),
        "it was enabled" => Past::of(Stage::base().edit("email: ben@", "enabled: false, email: ben@").live(|tenant| user(tenant, "ben").enabled = Some(false)).applied(How::Made), |stage| stage.edit("enabled: false, email: ben@", "email: ben@")),
        "it is gone since" => base(|stage| stage.edit("jobTitle: Engineer", "jobTitle: Lead")).then(|tenant| bin(tenant, object_id(BEN))),
        "it was made" => hired(),
        "it was made, and given more since" => hired().then(|tenant| join(tenant, "AdminAgents", zoe())),
        "it was made, and an admin level was given since" => hired().then(|tenant| tenant.assignments.push(assigned("zoe", AdminLevel::Billing, Holding::Active, "/"))),
        "it was made, and is protected" => base(|stage| stage.add(&ZOE.replace("{name: zoe}", "{name: zoe, protect: true}"))),
        "it was made, and is gone since" => hired().then(|tenant| bin(tenant, zoe())),
        "it was deleted" => fired(),
        "it was deleted, and cannot be restored any more" => fired().then(|tenant| tenant.deleted_users.clear()),
        "it was deleted, and restored since" => fired().with(|past| { past.stage.snapshot.users.clone_from(&past.before.users); }),
        "it was restored" => Past::of(Stage::base().live(|tenant| bin(tenant, object_id(BEN))).revive("user/ben"), |stage| stage),

        # "what somebody holds"
        "a role was given" => base(|stage| stage.edit("agent: none, admin: global", "agent: helpdesk, admin: global")),
        "a role was given that nobody else holds" => base(|stage| stage.edit("email: dai@fabrikam.example, agent: [admin, helpdesk], admin: none", "email: dai@fabrikam.example, agent: [admin, helpdesk], admin: billing, roles: [desk]")),
        "a role was given, and taken since" => base(|stage| stage.edit("admin: none, roles: [desk]", "admin: billing, roles: [desk]")).then(|tenant| tenant.assignments.retain(|held| held.principal != object_id(BEN))),
        "a role was given, and can be activated by now" => base(|stage| stage.edit("admin: none, roles: [desk]", "admin: billing, roles: [desk]")).then(|tenant| tenant.assignments.push(assigned("ben", AdminLevel::Billing, Holding::Eligible, "/"))),
        "a role of the account was given, for one location" => base(|stage| stage.edit("roles: [desk]", "roles: [desk, {role: referrals-admin, locations: [JP-13]}]")),
        "roles were taken" => base(|stage| stage.edit("agent: [admin, helpdesk]", "agent: admin").edit("roles: [desk]", "roles: []")),
        "a role of the account was taken" => Past::of(Stage::fresh(&BASE.replace("roles: [desk]", "roles: [desk, referrals-admin]")).applied(How::Made), |stage| stage.edit(", referrals-admin]", "]")),
        "a role was taken, and given again since" => base(|stage| stage.edit("roles: [desk]", "roles: []")).then(|tenant| join(tenant, "Service Desk", object_id(BEN))),
        "a role was taken, and can be activated by now" => Past::of(Stage::fresh(&BASE.replace("helpdesk, admin: none", "helpdesk, admin: billing").replace("helpdesk], admin: none", "helpdesk], admin: billing")).applied(How::Made), |stage| stage.edit("admin: billing", "admin: none")).then(|tenant| tenant.assignments.push(assigned("ben", AdminLevel::Billing, Holding::Eligible, "/"))),
        "a role was taken, and its group is gone since" => base(|stage| stage.edit("roles: [desk]", "roles: []")).then(|tenant| { tenant.groups.remove(&object_id("Service Desk")); }),
        "a role was taken, and the account is gone since" => base(|stage| stage.edit("roles: [desk]", "roles: []")).then(|tenant| bin(tenant, object_id(BEN))),
        "a role was taken, and its members cannot be seen" => base(|stage| stage.edit("roles: [desk]", "roles: []")).then(|tenant| tenant.groups.get_mut(&object_id("Service Desk")).unwrap().members = None),
        "somebody was taken out of an exclusive group" => Past::of(Stage::base().live(|tenant| join(tenant, "Service Desk", object_id("chie@fabrikam.example"))), |stage| stage.edit("group: {name: Service Desk", "membership: exclusive, group: {name: Service Desk")),

        # "Role"
        "its group was made" => base(|stage| stage.add(TIER2)),
        "its group was made, with somebody in it" => base(|stage| stage.add(TIER2).edit("roles: [desk]", "roles: [desk, tier2]")),
        "its group was made, and others are in it since" => base(|stage| stage.add(TIER2)).then(|tenant| join(tenant, "Tier 2", object_id(BEN))),
        "its group was made, and is gone since" => base(|stage| stage.add(TIER2)).then(|tenant| { tenant.groups.remove(&object_id("Tier 2")); }),
        "its description was changed" => base(|stage| stage.edit("First line", "Any line")),
        "a description was set where there was none" => Past::of(Stage::base().live(|tenant| tenant.groups.get_mut(&object_id("Service Desk")).unwrap().description = None), |stage| stage),
        "its group was deleted" => base(|stage| stage.without("desk}").edit("roles: [desk]", "roles: []")),

        # "Account"
        "a profile was changed" => base(|stage| stage.edit("support@fabrikam.example", "help@fabrikam.example")),
        "a profile was changed, and by somebody else since" => base(|stage| stage.edit("support@fabrikam.example", "help@fabrikam.example")).then(|tenant| { tenant.profiles.get_mut(&crate::model::tenant::ProfileKind::Support).unwrap().0.insert("email".into(), "desk@fabrikam.example".into()); }),

        # "Customer"
        "its billing address was changed" => base(|stage| stage.edit("city: Osaka", "city: Sakai")),
        "its relationship was ended" => base(|stage| stage.edit("partnerships: [northwind]}", "relationship: none}")),
        "its relationship was ended, and is back since" => base(|stage| stage.edit("partnerships: [northwind]}", "relationship: none}")).with(|past| past.stage.snapshot.customers.clone_from(&past.before.customers)),
        "its tenant was made" => base(|stage| stage.edit("program: indirect-reseller", "program: direct-bill").edit(", partnerships: [northwind]", "").without("northwind").add("kind: Customer\nmetadata: {name: adatum}\nspec: {companyName: Adatum, domain: adatum.onmicrosoft.com, origin: new, contact: {name: Kim Abe, email: kim@adatum.example}, billing: {address: {line1: 1 Ginza, city: Tokyo, postalCode: 104-0061, country: JP}}}\n")),
        "a qualification was asked for" => base(|stage| stage.edit("partnerships: [northwind]}", "partnerships: [northwind], qualification: state-owned-entity}")),

        # "guards, limits, policies"
        "the way back would lock somebody out" => Past::of(Stage::base().guards(2, 1).edit("agent: none, admin: global", "agent: none, admin: none").live(|tenant| tenant.assignments.retain(|held| held.principal != object_id("chie@fabrikam.example"))).applied(How::Made).guards(1, 1), |stage| stage.edit("agent: none, admin: none", "agent: none, admin: global")).with(|past| past.stage.guards.global_admins_min = 2),
        "the way back is over a limit" => hired().with(|past| past.stage.limits.removals = Some(crate::model::project::Limit { count: Some(0), percent: None })),
        "the actor may not" => hired().with(|past| past.stage.actor = Some(super::super::Actor::User(object_id(BEN)))),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# What comes of undoing\n\nWhat a run did, what happened since, and what `undo` then plans: steps, in order; what is left \
         alone, and why. The page is written by the tests of `src/plan/`.\n",
    );
    let mut kind = "";
    for row in rows() {
        if row.kind != kind {
            kind = row.kind;
            write!(
                page,
                "\n## {kind}\n\n| what happened | what comes of undoing it |\n|---|---|\n"
            )
            .unwrap();
        }
        let lines: Vec<String> =
            came(&(row.past)().undo()).iter().map(|line| line.replace('|', "\\|")).collect();
        writeln!(page, "| {} | {} |", row.situation, lines.join("<br>")).unwrap();
    }
    page
}

#[test]
fn the_page_is_what_comes_of_undoing() {
    written("docs/undo.md", &page());
}

/// Edits that can be undone whole, each for itself and together.
const EDITS: [fn(Stage) -> Stage; 12] = [
    |stage| stage.edit("jobTitle: Engineer", "jobTitle: Lead, department: Desk"),
    |stage| stage.edit("displayName: 森 千恵", "displayName: Chie"),
    |stage| stage.add(ZOE),
    |stage| stage.add(TIER2).edit("[desk]}", "[desk, tier2]}"),
    |stage| stage.edit("email: dai@", "enabled: false, email: dai@"),
    |stage| stage.edit("agent: [admin, helpdesk]", "agent: helpdesk"),
    |stage| {
        stage.edit("email: chie@fabrikam.example, agent: none", "roles: [{role: referrals-admin, locations: [JP-13]}], email: chie@fabrikam.example, agent: none")
    },
    |stage| stage.edit("description: First line", "description: Any line"),
    |stage| stage.edit("support@fabrikam.example", "help@fabrikam.example"),
    |stage| stage.edit("city: Osaka", "city: Sakai"),
    |stage| stage.edit("agent: none, admin: global", "agent: helpdesk, admin: global"),
    |stage| stage.edit("name: Service Desk", "name: Desk"),
];

fn sorted(mut tenant: Snapshot) -> Snapshot {
    tenant.assignments.sort_by(|a, b| a.id.cmp(&b.id));
    for role in &mut tenant.account_roles {
        role.members.sort_by_key(|member| (member.user, member.account.clone()));
    }
    tenant
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// A run that is undone leaves the tenant as it was, but for the bin; and undone again, nothing
    /// is left to do.
    #[test]
    fn there_and_back(edits in prop::collection::btree_set(0..EDITS.len(), 1..6)) {
        let mut past = base(|stage| edits.iter().fold(stage, |stage, at| EDITS[*at](stage)));
        prop_assert!(!past.deeds.is_empty());
        let way_back = past.undo();
        prop_assert_eq!(&way_back.refused, &[]);
        prop_assert_eq!(&way_back.report, &[]);
        let undoing = carry(&mut past.stage.snapshot, &way_back);
        let mut now = past.stage.snapshot.clone();
        let is_new = |id: &ObjectId| !past.before.users.contains_key(id);
        now.deleted_users.retain(|id, _| !is_new(id));
        prop_assert_eq!(sorted(now), sorted(past.before.clone()));
        prop_assert_eq!(past.undo().steps, []);
        // And forth again: an undo is a run like any other.
        let again = past.stage.undo(&undoing);
        let given = |planned: &Planned| planned.steps.iter().filter(|step| step.verb == Verb::Grant).count();
        let were = past.deeds.iter().filter(|deed| deed.step.verb == Verb::Grant && is_known(&past, deed)).count();
        prop_assert!(given(&again) >= were);
    }
}

/// Whether whom a deed is about was there before the run.
fn is_known(past: &Past, deed: &Deed) -> bool {
    let is = |target: &&Target| matches!(target, Target::Id(id) if past.before.users.contains_key(id) || past.before.groups.contains_key(id));
    let targets = deed.step.change.targets();
    targets.iter().all(is)
}

/// What a run was about is looked at, whatever the manifests speak of.
#[test]
fn the_scope_holds_all_that_a_run_was_about() {
    let past = base(|stage| {
        stage
            .add(TIER2)
            .edit("roles: [desk]", "roles: [desk, tier2, referrals-admin]")
            .edit("city: Osaka", "city: Sakai")
            .edit("support@fabrikam.example", "help@fabrikam.example")
    });
    let mut scope = Scope::default();
    widen(&mut scope, &past.deeds);
    let made = crate::model::tenant::GroupRef::Id(object_id("Tier 2"));
    assert!(scope.groups.contains(&made));
    assert!(scope.account_roles);
    assert!(scope.profiles.0.contains(&crate::model::tenant::ProfileKind::Support));
    assert!(scope.details.values().any(|details| details.billing));
}
