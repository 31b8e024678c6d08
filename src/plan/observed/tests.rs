use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use uuid::Uuid;

use super::naming::slug;
use super::*;
use crate::model::customer;
use crate::model::directory_role::{DirectoryRole, GLOBAL_ADMINISTRATOR};
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::role::{Group as Carrier, Role};
use crate::model::scalar::Scalar;
use crate::model::tenant::{
    self, AccountRole, AccountRoleMember, CustomerDetails, Group, GroupKind, Partnership, Profile,
    ProfileKind, RoleAssignment, Side, User,
};
use crate::model::user::RoleGrant;

fn uuid(n: u64) -> Uuid {
    Uuid::from_u128(0xaaaa_0000_0000_4000_8000_0000_0000_0000 + u128::from(n))
}

fn id(n: u64) -> ObjectId {
    ObjectId(uuid(n))
}

fn empty() -> Snapshot {
    Snapshot {
        observed_at: "2026-11-20T09:00:00Z".parse().unwrap(),
        tenant: Some(TenantId(uuid(999))),
        domains: BTreeSet::from(["fabrikam.example".to_owned()]),
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        assignments: Vec::new(),
        deleted_users: BTreeMap::new(),
        customers: BTreeMap::new(),
        partnerships: Vec::new(),
        profiles: BTreeMap::new(),
        account_roles: Vec::new(),
        delegated: BTreeMap::new(),
        blind: Vec::new(),
        marks: tenant::Marks::default(),
    }
}

fn user(name: &str) -> User {
    User {
        display_name: name.to_owned(),
        sign_in_name: format!("{name}@fabrikam.example"),
        email: Some(format!("{name}@fabrikam.example")),
        enabled: Some(true),
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
    }
}

fn group(name: &str, members: &[(u64, MemberKind)]) -> Group {
    Group {
        name: name.to_owned(),
        description: None,
        mail_nickname: None,
        kind: GroupKind::Security,
        is_synced: false,
        is_role_assignable: false,
        members: Some(members.iter().map(|(n, kind)| (id(*n), kind.clone())).collect()),
        owners: None,
    }
}

fn assignment(
    role: RoleTemplateId,
    n: u64,
    scope: &str,
    holding: tenant::Holding,
) -> RoleAssignment {
    let id_text = format!("{n}-{scope}-{holding:?}");
    RoleAssignment { id: id_text, role, principal: id(n), scope: scope.to_owned(), holding }
}

fn spec<'a>(observed: &'a Observed, name: &str) -> &'a crate::model::user::User {
    &observed.estate.users[name].spec
}

fn person<'a>(observed: &'a Observed, name: &str) -> &'a Person {
    &observed.people[name]
}

#[test]
fn names_are_readable_whatever_the_script() {
    for (text, expected) in [
        ("Tier 2 Support", "tier-2-support"),
        ("Contoso株式会社", "contoso"),
        ("株式会社", ""),
        ("Müller & Söhne GmbH", "muller-and-sohne-gmbh"),
        ("Straße Łódź Æther Øst", "strasse-lodz-aether-ost"),
        ("O'Brien", "obrien"),
        ("ＡＢＣ　商事", "abc"),
        ("  --a__b..c-- ", "a-b-c"),
        ("\u{202e}evil", "evil"),
    ] {
        assert_eq!(slug(text), expected, "{text}");
        assert!(expected.is_empty() || Name::parse(expected).is_ok());
    }
    assert!(slug(&"long name ".repeat(20)).len() <= 52);
}

#[test]
fn two_of_one_name_are_told_apart_and_what_is_known_keeps_its_name() {
    let mut snapshot = empty();
    for (n, name) in [(1, "Contoso"), (2, "Contoso"), (3, "CONTOSO!"), (4, "株式会社"), (5, "7")]
    {
        let customer = tenant::Customer {
            company_name: name.to_owned(),
            domain: format!("c{n}-co.onmicrosoft.com"),
            relationship: tenant::Relationship::Reseller,
            details: CustomerDetails::default(),
        };
        snapshot.customers.insert(TenantId(uuid(n)), customer);
    }
    let keys = |names: &Names| -> Vec<String> {
        let observed = observed(&snapshot, None, names);
        let customers = observed.estate.customers.iter();
        let mut keys: Vec<_> =
            customers.map(|(key, customer)| (customer.spec.tenant_id, key.to_string())).collect();
        keys.sort();
        keys.into_iter().map(|(_, key)| key).collect()
    };
    assert_eq!(
        keys(&Names::default()),
        ["contoso", "contoso-aaaa", "contoso-aaaa0", "c4-co", "c5-co"]
    );
    let known = Names {
        customers: BTreeMap::from([(TenantId(uuid(3)), CustomerKey::parse("contoso").unwrap())]),
        ..Names::default()
    };
    assert_eq!(keys(&known), ["contoso-aaaa", "contoso-aaaa0", "contoso", "c4-co", "c5-co"]);
}

#[test]
fn no_group_takes_the_name_of_a_built_in_role() {
    let mut snapshot = empty();
    snapshot.groups.insert(id(1), group("Global Admin", &[]));
    let observed = observed(&snapshot, None, &Names::default());
    let keys: Vec<&str> = observed.estate.roles.keys().map(RoleKey::as_str).collect();
    assert_eq!(keys, ["global-admin-aaaa"]);
}

#[test]
fn what_is_held_directly_and_what_comes_through_groups_are_two_things() {
    use MemberKind::{Group as InGroup, ServicePrincipal, User as InUser};
    use tenant::Holding::{Active, Eligible};
    let mut snapshot = empty();
    for (n, name) in [(1, "aiko"), (2, "ben"), (3, "chie"), (4, "dana")] {
        snapshot.users.insert(id(n), user(name));
    }
    // Ben is in a group that is in AdminAgents and, in a circle, in itself.
    snapshot.groups.insert(
        id(10),
        group("AdminAgents", &[(1, InUser), (11, InGroup), (50, ServicePrincipal)]),
    );
    snapshot.groups.insert(id(11), group("Second Line", &[(2, InUser), (12, InGroup)]));
    snapshot.groups.insert(id(12), group("Third Line", &[(3, InUser), (11, InGroup)]));
    let mut assignable = group("Directory Keepers", &[(4, InUser)]);
    assignable.is_role_assignable = true;
    snapshot.groups.insert(id(13), assignable);
    let users = DirectoryRole::named("User Administrator").unwrap().0;
    let global = GLOBAL_ADMINISTRATOR.0;
    snapshot.assignments = vec![
        assignment(global, 1, "/", Active),
        // Activated, for a while.
        assignment(global, 2, "/", Active),
        assignment(global, 2, "/", Eligible),
        // In a part of the tenant alone.
        assignment(users, 3, "/administrativeUnits/1", Active),
        assignment(users, 13, "/", Active),
        assignment(global, 60, "/", Active),
    ];
    let observed = observed(&snapshot, None, &Names::default());
    let holds = |name: &str| {
        let user = spec(&observed, name);
        let roles: Vec<String> = user
            .roles
            .iter()
            .flatten()
            .map(|grant| match grant {
                RoleGrant::Custom(key) => key.to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        (user.agent.clone(), user.admin.clone(), roles)
    };
    assert_eq!(
        holds("aiko"),
        (vec![AgentLevel::Admin], vec![(AdminLevel::Global, Holding::Active)], vec![])
    );
    assert_eq!(
        holds("ben"),
        (vec![], vec![(AdminLevel::Global, Holding::Eligible)], vec!["second-line".to_owned()])
    );
    assert_eq!(holds("chie"), (vec![], vec![], vec!["third-line".to_owned()]));
    assert_eq!(holds("dana"), (vec![], vec![], vec!["directory-keepers".to_owned()]));
    let through = |name: &str| person(&observed, name).through.clone();
    assert!(through("aiko").is_empty());
    let key = |name: &str| RoleKey::parse(name).unwrap();
    assert_eq!(
        through("ben"),
        Through {
            agent: BTreeSet::from([AgentLevel::Admin]),
            // Second Line is in Third Line, which is in Second Line.
            roles: BTreeSet::from([key("third-line")]),
            activated: BTreeSet::from([AdminLevel::Global]),
            ..Through::default()
        }
    );
    assert_eq!(through("chie").agent, BTreeSet::from([AgentLevel::Admin]));
    assert_eq!(
        through("dana").admin,
        BTreeSet::from([(AdminLevel::UserManagement, Holding::Active)])
    );
    let outsiders: Vec<String> = observed
        .outsiders
        .iter()
        .map(|one| format!("{:?} {:?} {:?}", one.holds, one.kind, one.name.as_deref()))
        .collect();
    assert_eq!(
        outsiders,
        [
            "Agent(Admin) Group Some(\"Second Line\")",
            "Agent(Admin) ServicePrincipal None",
            "Admin(Global, Active) ServicePrincipal None",
            "Admin(UserManagement, Active) Group Some(\"Directory Keepers\")",
            "Role(RoleKey(Name(\"second-line\"))) Group Some(\"Third Line\")",
            "Role(RoleKey(Name(\"third-line\"))) Group Some(\"Second Line\")",
        ]
    );
    assert_eq!(
        observed.unsaid.iter().map(|unsaid| unsaid.value.as_str()).collect::<Vec<_>>(),
        ["", "user-management at /administrativeUnits/1"],
        "{:?}",
        observed.unsaid
    );
}

#[test]
fn a_role_is_a_group_whose_members_are_ours_to_set() {
    let mut snapshot = empty();
    let mut add = |n, name: &str, change: fn(&mut Group)| {
        let mut made = group(name, &[]);
        change(&mut made);
        snapshot.groups.insert(id(n), made);
    };
    add(1, "Ours", |_| {});
    add(2, "Dynamic", |group| group.kind = GroupKind::Dynamic);
    add(3, "Mail", |group| group.kind = GroupKind::MailEnabledSecurity);
    add(4, "Teams", |group| group.kind = GroupKind::Microsoft365);
    add(5, "Synced", |group| group.is_synced = true);
    add(6, "Unread", |group| group.members = None);
    add(7, "adminagents", |_| {});
    // Two of one name, and one that no manifest could hold, are known by id.
    add(8, "Twins", |_| {});
    add(9, "twins", |_| {});
    add(10, "with\u{1b}[31m colour", |_| {});
    let observed = observed(&snapshot, None, &Names::default());
    let roles: Vec<(String, bool)> = observed
        .estate
        .roles
        .iter()
        .map(|(key, role)| {
            let Role { group, .. } = &*role.spec;
            (key.to_string(), matches!(group, Some(Carrier::Named { .. })))
        })
        .collect();
    let expected =
        [("ours", true), ("twins", false), ("twins-aaaa", false), ("with-31m-colour", false)];
    assert_eq!(roles, expected.map(|(key, is_named)| (key.to_owned(), is_named)));
    assert!(observed.unsaid.iter().any(|unsaid| unsaid.object == "role/with-31m-colour"));
}

#[test]
fn what_the_model_refuses_is_left_out_and_listed() {
    let mut snapshot = empty();
    let strange = User {
        display_name: "a\u{1b}[2Jb".to_owned(),
        mobile_phone: Some("ask reception".to_owned()),
        usage_location: Some("jp".to_owned()),
        preferred_language: Some("??".to_owned()),
        job_title: Some("  ".to_owned()),
        ..user("mika")
    };
    snapshot.users.insert(id(1), strange);
    snapshot
        .users
        .insert(id(2), User { email: None, sign_in_name: "no address".into(), ..user("x") });
    let guest = User {
        is_guest: true,
        email: Some("ken@contoso.example".into()),
        sign_in_name: "ken_contoso.example#EXT#@fabrikam.onmicrosoft.com".into(),
        enabled: Some(false),
        is_synced: true,
        ..user("Ken")
    };
    snapshot.users.insert(id(3), guest);
    let observed = observed(&snapshot, None, &Names::default());
    let mika = spec(&observed, "mika");
    assert_eq!(mika.display_name.as_str(), "mika@fabrikam.example");
    assert_eq!(mika.usage_location.unwrap().as_str(), "JP");
    assert_eq!(
        (&mika.mobile_phone, &mika.preferred_language, &mika.job_title),
        (&None, &None, &None)
    );
    assert_eq!(mika.sign_in_name, None, "it is the address");
    let ken = spec(&observed, "ken-contoso-example");
    assert!(ken.is_guest() && !ken.enabled);
    assert!(person(&observed, "ken-contoso-example").is_synced);
    assert_eq!(observed.estate.users.len(), 2);
    // What was made up for it is left as it is there.
    let ignored = |name: &str| -> Vec<String> {
        let ignored = observed.estate.users[name].metadata.ignore.iter();
        ignored.map(|path| path.as_str().to_owned()).collect()
    };
    assert_eq!(
        (ignored("mika"), ignored("ken-contoso-example")),
        (vec!["spec.displayName".to_owned()], vec![])
    );
    let unsaid: Vec<String> = observed
        .unsaid
        .iter()
        .filter(|unsaid| unsaid.object.starts_with("user/"))
        .map(|unsaid| format!("{} {}: {}", unsaid.object, unsaid.field, unsaid.why))
        .collect();
    assert_eq!(
        unsaid,
        [
            "user/mika spec.displayName: it holds characters that act on what shows them",
            "user/mika spec.mobilePhone: it is not a telephone number with its country code",
            "user/mika spec.preferredLanguage: it is not a language",
            "user/no-address spec.email: there is no address",
            "user/no-address spec.signInName: it is not a sign-in name",
        ]
    );
}

#[test]
fn account_roles_keep_their_locations_and_never_become_wider() {
    let mut snapshot = empty();
    snapshot.users.insert(id(1), user("aiko"));
    snapshot.users.insert(id(2), user("ben"));
    let member = |n, account: Option<&str>| AccountRoleMember {
        user: id(n),
        account: account.map(str::to_owned),
        display_name: String::new(),
        sign_in_name: String::new(),
    };
    let role = |name: &str, members| AccountRole {
        id: name.to_owned(),
        name: name.to_owned(),
        category: None,
        members,
    };
    let whole = uuid(999).to_string().to_uppercase();
    snapshot.account_roles = vec![
        role("Co-Sell Solution Admin", vec![member(1, Some("JP-13")), member(1, Some("JP-27"))]),
        role("Referrals User", vec![member(1, Some("JP-13")), member(1, Some(&whole))]),
        role("Sunshine Admin", vec![member(1, None)]),
        role("Referrals Admin", vec![member(2, Some("a\u{7}b"))]),
    ];
    let observed = observed(&snapshot, None, &Names::default());
    let shown = |name: &str| -> Vec<String> {
        spec(&observed, name)
            .roles
            .iter()
            .flatten()
            .map(|grant| match grant {
                RoleGrant::Account { role, locations } => format!("{role} {}", locations.len()),
                RoleGrant::Unrecognised { role, locations } => {
                    format!("?{role} {}", locations.len())
                }
                RoleGrant::Custom(key) => key.to_string(),
            })
            .collect()
    };
    assert_eq!(shown("aiko"), ["cosell-solution-admin 2", "referrals-user 0", "?sunshine-admin 0"]);
    assert_eq!(shown("ben"), [] as [&str; 0]);
    assert!(observed.unsaid.iter().any(|unsaid| unsaid.object == "account role Referrals Admin"));
}

#[test]
fn the_account_is_what_its_profiles_say_and_what_only_manifests_know() {
    let mut snapshot = empty();
    let place = json!({"addressLine1": "1-2-3 Marunouchi", "city": "Tokyo", "postalCode": "100-0005", "country": "JP"});
    let contact = json!({"firstName": "Aiko", "lastName": "Tanaka", "email": "aiko@fabrikam.example", "phoneNumber": "4255550100"});
    let profile = |value: serde_json::Value| match value {
        serde_json::Value::Object(map) => Profile(map),
        _ => unreachable!(),
    };
    let legal =
        json!({"companyName": "Fabrikam K.K.", "address": place, "primaryContact": contact});
    snapshot.profiles.insert(ProfileKind::Legal, profile(legal));
    snapshot.profiles.insert(ProfileKind::PartnerNetwork, profile(json!({"mpnId": 4_567_890})));
    snapshot.profiles.insert(ProfileKind::Support, profile(json!({"email": "", "website": null})));
    snapshot.domains.insert("a-fabrikam.onmicrosoft.com".to_owned());
    snapshot.partnerships.push(Partnership {
        tenant: TenantId(uuid(1)),
        name: "Northwind".to_owned(),
        side: Side::IndirectProvider,
        state: "active".to_owned(),
        partner_id: Some("1234567".to_owned()),
        country: None,
        has_signed_agreement: None,
    });
    let alone = observed(&snapshot, None, &Names::default());
    let account = alone.estate.account.as_ref().unwrap();
    assert_eq!(account.metadata.name.as_str(), "fabrikam-k-k");
    assert_eq!(account.spec.program.word(), "indirect-reseller");
    assert_eq!(account.spec.partner_id.as_str(), "4567890");
    assert_eq!(account.spec.support, None);
    let domains: Vec<&str> =
        account.spec.domains.iter().map(crate::model::contact::Domain::as_str).collect();
    assert_eq!(domains, ["fabrikam.example", "a-fabrikam.onmicrosoft.com"]);
    assert_eq!(account.spec.legal.primary_contact.phone, None);
    let fields: Vec<&str> = alone.unsaid.iter().map(|unsaid| unsaid.field).collect();
    assert_eq!(fields, ["spec.legal.primaryContact", "spec.program"]);
    let partnership = &alone.estate.partnerships["northwind"].spec;
    assert_eq!(partnership.acknowledge.len(), 2);

    let mut declared = (*account.spec).clone();
    declared.program = crate::model::account::Program::DirectBill;
    declared.tax_exemptions = Some(Vec::new());
    let known = observed(&snapshot, Some(&declared), &Names::default());
    assert_eq!(*known.estate.account.unwrap().spec, declared);
}

#[test]
fn only_what_is_ours_is_a_customer() {
    use tenant::Relationship::{Advisor, None as Over, Other, Reseller};
    let mut snapshot = empty();
    for (n, relationship) in
        [(1, Reseller), (2, Advisor), (3, Over), (4, Other("distributor".to_owned()))]
    {
        let customer = tenant::Customer {
            company_name: format!("Customer {n}"),
            domain: format!("c{n}.onmicrosoft.com"),
            relationship,
            details: CustomerDetails::default(),
        };
        snapshot.customers.insert(TenantId(uuid(n)), customer);
    }
    let observed = observed(&snapshot, None, &Names::default());
    let keys: Vec<&str> = observed.estate.customers.keys().map(CustomerKey::as_str).collect();
    assert_eq!(keys, ["customer-1"]);
    let spec = &observed.estate.customers["customer-1"].spec;
    assert_eq!(spec.relationship, customer::Relationship::Reseller);
    assert_eq!(observed.unsaid.iter().filter(|one| one.field == "spec.relationship").count(), 2);
}

#[test]
fn what_manifests_cannot_say_is_marked() {
    use MemberKind::{Group as InGroup, ServicePrincipal, User as InUser};
    let mut snapshot = empty();
    snapshot.users.insert(id(1), User { is_synced: true, ..user("aiko") });
    snapshot.users.insert(id(2), user("ben"));
    let members = [(1, InUser), (11, InGroup), (50, ServicePrincipal)];
    snapshot.groups.insert(id(10), group("AdminAgents", &members));
    let hostile = "Desk\nkind: User";
    snapshot.groups.insert(id(11), group(hostile, &[(2, InUser)]));
    snapshot
        .groups
        .insert(id(12), group("Line", &[(2, InUser), (11, InGroup), (50, ServicePrincipal)]));
    let global = GLOBAL_ADMINISTRATOR.0;
    snapshot.assignments = vec![
        assignment(global, 2, "/", tenant::Holding::Active),
        assignment(global, 2, "/", tenant::Holding::Eligible),
    ];
    let observed = observed(&snapshot, None, &Names::default());
    let expected = "\
# no user, and not kept here: the group aaaa0000-0000-4000-8000-00000000000b, an admin agent
# no user, and not kept here: the service principal aaaa0000-0000-4000-8000-000000000032, an admin agent
# kept on premises: name, address and whether they can sign in are changed there
apiVersion: partnerctl/v1
kind: User
metadata: {name: aiko}
spec:
  displayName: aiko
  email: aiko@fabrikam.example
  agent: admin
  admin: none
---
# through groups, and not kept here: agent: admin; activated for now: global
apiVersion: partnerctl/v1
kind: User
metadata: {name: ben}
spec:
  displayName: ben
  email: ben@fabrikam.example
  agent: none
  admin: {global: eligible}
  roles: [desk-kind-user, line]
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk-kind-user}
spec:
  group: {id: aaaa0000-0000-4000-8000-00000000000b}
---
# also in the group, and not kept here: the group aaaa0000-0000-4000-8000-00000000000b
# also in the group, and not kept here: the service principal aaaa0000-0000-4000-8000-000000000032
apiVersion: partnerctl/v1
kind: Role
metadata: {name: line}
spec:
  group: Line
";
    assert_eq!(written::stream(&observed), expected);
}

/// A relationship with these assignments: a group, directory roles, a status.
fn delegation(
    customer: u64,
    status: tenant::DelegationStatus,
    roles: &[&str],
    assignments: &[(u64, &[&str], &str)],
) -> tenant::Delegation {
    let ids = |names: &[&str]| -> BTreeSet<RoleTemplateId> {
        names.iter().map(|name| DirectoryRole::named(name).unwrap().0).collect()
    };
    let assignments =
        assignments.iter().map(|(group, roles, status)| tenant::DelegatedAssignment {
            id: format!("{group}-{status}"),
            group: id(*group),
            roles: ids(roles),
            status: (*status).to_owned(),
            etag: None,
        });
    tenant::Delegation {
        name: format!("ops-{customer}"),
        customer: Some(TenantId(uuid(customer))),
        duration_days: Some(730),
        roles: ids(roles),
        auto_extend_days: 0,
        status,
        created_at: None,
        modified_at: None,
        activated_at: None,
        ends_at: None,
        etag: None,
        provider: None,
        awaits_our_consent: false,
        assignments: Some(assignments.collect()),
    }
}

#[test]
fn delegated_access_counts_where_relationship_and_assignment_are_active() {
    use MemberKind::User as InUser;
    use tenant::DelegationStatus::{Active, ApprovalPending, Expired};
    let mut snapshot = empty();
    snapshot.users.insert(id(1), user("aiko"));
    snapshot.groups.insert(id(10), group("AdminAgents", &[(1, InUser)]));
    snapshot.groups.insert(id(11), group("Desk", &[(1, InUser)]));
    snapshot.groups.insert(id(12), Group { members: None, ..group("Unread", &[]) });
    for n in 101..=106 {
        let customer = tenant::Customer {
            company_name: format!("Customer {n}"),
            domain: format!("c{n}.onmicrosoft.com"),
            relationship: tenant::Relationship::Reseller,
            details: CustomerDetails::default(),
        };
        snapshot.customers.insert(TenantId(uuid(n)), customer);
    }
    let (reader, helpdesk) = ("Directory Readers", "Helpdesk Administrator");
    let both = &[reader, helpdesk][..];
    let given = [
        // Two relationships are their union; a role outside the relationship is none.
        delegation(101, Active, &[reader], &[(11, both, "active")]),
        delegation(101, Active, &[helpdesk], &[(11, &[helpdesk], "active")]),
        delegation(102, Active, both, &[(11, both, "active"), (10, &[reader], "active")]),
        // Not yet, and not any more.
        delegation(103, ApprovalPending, both, &[(11, both, "active")]),
        delegation(104, Expired, both, &[(11, both, "active")]),
        delegation(105, Active, both, &[(11, both, "pending"), (10, both, "deleting")]),
        delegation(106, Active, both, &[(12, both, "active")]),
        // No customer of ours.
        delegation(199, Active, both, &[(11, both, "active")]),
        tenant::Delegation { assignments: None, ..delegation(106, Active, both, &[]) },
    ];
    for (n, one) in given.into_iter().enumerate() {
        snapshot.delegated.insert(tenant::RelationshipId(format!("r{n}")), one);
    }
    let observed = observed(&snapshot, None, &Names::default());
    let Given { delegated, untold } = delegated(&snapshot, &observed, &Estate::default());
    let mut world = crate::policy::world::World::declared(
        &effective(&observed, &Estate::default(), &delegated),
        crate::model::time::Day(jiff::civil::date(2026, 11, 20)),
    );
    delegated.tell(&mut world);
    let gifts: BTreeMap<&str, String> = delegated
        .gifts()
        .map(|(gift, name)| {
            let roles: Vec<String> = gift.directory_roles.iter().map(ToString::to_string).collect();
            (name.as_str(), format!("{}: {}", gift.to, roles.join(", ")))
        })
        .collect();
    let told: Vec<String> = world
        .of(crate::policy::world::Type::Customer)
        .iter()
        .filter_map(|(name, shape)| {
            let attributes = &world.shape(*shape)?.attributes;
            let (_, value) = attributes.iter().find(|(name, _)| *name == "delegated")?;
            let crate::policy::world::Value::Texts(names) = value else { return None };
            let gifts: Vec<&str> = names.iter().map(|name| gifts[name.as_str()].as_str()).collect();
            Some(format!("{name} - {}", gifts.join("; ")))
        })
        .collect();
    assert_eq!(
        told,
        [
            "customer-101 - desk: Helpdesk Administrator, Directory Readers",
            "customer-102 - admin-agent: Directory Readers; desk: Helpdesk Administrator, Directory Readers",
        ]
    );
    let expected = Untold {
        strangers: BTreeSet::from([TenantId(uuid(199))]),
        groups: BTreeSet::from([id(12)]),
        directory_roles: BTreeSet::new(),
        unseen: 1,
    };
    assert_eq!(untold, expected);
}

#[test]
fn a_group_that_nobody_declared_counts_if_access_was_delegated_to_it() {
    let mut snapshot = empty();
    snapshot.users.insert(id(1), user("mallory"));
    snapshot.groups.insert(id(11), group("Back Door", &[(1, MemberKind::User)]));
    snapshot.groups.insert(id(12), group("Choir", &[(1, MemberKind::User)]));
    let customer = tenant::Customer {
        company_name: "Contoso".to_owned(),
        domain: "contoso.onmicrosoft.com".to_owned(),
        relationship: tenant::Relationship::Reseller,
        details: CustomerDetails::default(),
    };
    snapshot.customers.insert(TenantId(uuid(101)), customer);
    let roles = &["Global Administrator"][..];
    let active = tenant::DelegationStatus::Active;
    let one = delegation(101, active, roles, &[(11, roles, "active")]);
    snapshot.delegated.insert(tenant::RelationshipId("r".to_owned()), one);
    let declared = Estate::default();
    let observed = observed(&snapshot, None, &Names::declared(&declared, &snapshot));
    let given = delegated(&snapshot, &observed, &declared);
    let effective = effective(&observed, &declared, &given.delegated);
    let roles: Vec<&str> = effective.roles.keys().map(RoleKey::as_str).collect();
    assert_eq!(roles, ["back-door"]);
    let held = effective.users["mallory"].spec.roles.as_deref().unwrap();
    assert!(matches!(held, [RoleGrant::Custom(key)] if key.as_str() == "back-door"), "{held:?}");
}
