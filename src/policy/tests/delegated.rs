//! Delegated access in the world: who has what, in whose tenant, and why.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{estate, today};
use crate::manifest::Loaded;
use crate::model::action::Action;
use crate::model::directory_role::DirectoryRole;
use crate::model::estate::CustomerIndex;
use crate::model::label::Selector;
use crate::model::name::{CustomerKey, RoleKey};
use crate::model::scalar::Scalar;
use crate::policy::access::{Side, Universe, Which, matrix};
use crate::policy::delegated::Delegated;
use crate::policy::directory;
use crate::policy::judge::Judge;
use crate::policy::rules::{Placed, Rules};
use crate::policy::world::{Type, Uid, World};

const PEOPLE: &str = "\
apiVersion: partnerctl/v1
kind: User
metadata: {name: desk}
spec: {displayName: Desk, email: desk@fabrikam.example, agent: none, admin: none, roles: [desk]}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: lead}
spec: {displayName: Lead, email: lead@fabrikam.example, agent: none, admin: none, roles: [lead]}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: guest}
spec: {displayName: Guest, email: guest@else.example, agent: none, admin: none, roles: [desk], userType: guest}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: gone}
spec: {displayName: Gone, email: gone@fabrikam.example, agent: none, admin: none, roles: [desk], enabled: false}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: helper}
spec: {displayName: Helper, email: helper@fabrikam.example, agent: helpdesk, admin: none}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: chief}
spec: {displayName: Chief, email: chief@fabrikam.example, agent: none, admin: global}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: desk}
spec: {group: Desk}
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: lead}
spec: {group: Leads, includes: [desk, helpdesk-agent]}
";

fn customers(labels: &[&str], over: usize) -> String {
    let document = |(at, labels): (usize, &&str)| {
        let relationship = if at == over { "none" } else { "reseller" };
        format!(
            "---\napiVersion: partnerctl/v1\nkind: Customer\nmetadata: {{name: c{at}, labels: {{{labels}}}}}\nspec: {{companyName: C{at}, domain: c{at}.onmicrosoft.com, relationship: {relationship}}}\n"
        )
    };
    labels.iter().enumerate().map(document).collect()
}

fn template(to: &str, directory_roles: &[&str], selector: &str) -> String {
    format!(
        "---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {{name: ops}}\nspec:\n  customers: {selector}\n  duration: P180D\n  grants:\n    - {{to: {to}, directoryRoles: [{}]}}\n",
        directory_roles.join(", ")
    )
}

fn uid(ty: Type, name: &str) -> Uid {
    Uid::new(ty, name)
}

/// Who may do what in whose tenant, by delegated access.
fn given(rules: &Rules, world: &World) -> BTreeSet<(String, Action, String)> {
    let judge = Judge::new(rules, world).unwrap();
    let mut found = BTreeSet::new();
    for (who, _) in world.of(Type::User) {
        for (whose, _) in world.of(Type::Customer) {
            for action in Action::ALL.iter().filter(|action| action.is_done_to_customers()) {
                let decision =
                    judge.decide(&uid(Type::User, who), *action, &uid(Type::Customer, whose));
                let by = decision.by.iter().any(|id| id.starts_with("delegated-access."));
                assert!(decision.failed.is_empty(), "{:?}", decision.failed);
                if decision.allowed && by {
                    found.insert((who.to_string(), *action, whose.to_string()));
                }
            }
        }
    }
    found
}

fn declared(loaded: &Loaded) -> (Rules, World) {
    let rules = Rules::declared(&loaded.estate, &loaded.findings.sources, today());
    (rules, World::declared(&loaded.estate, today()))
}

#[test]
fn who_is_in_the_group_may_do_what_its_directory_roles_allow_and_nobody_else() {
    let text = [
        PEOPLE,
        &customers(&["segment: smb", "segment: public"], 9),
        &template("desk", &["User Administrator"], "{labels: {segment: smb}}"),
    ];
    let loaded = estate(&[("all.yaml", &text.concat())]);
    let (rules, world) = declared(&loaded);
    let user_administrator = DirectoryRole::named("User Administrator").unwrap();
    let wanted: BTreeSet<_> = directory::allowed(user_administrator)
        .unwrap()
        .iter()
        .map(|action| ("desk".to_owned(), *action, "c0".to_owned()))
        .collect();
    // The lead's role includes the desk's, and the lead is not in its group; a guest is nobody there;
    // whoever is disabled does nothing.
    assert_eq!(given(&rules, &world), wanted);
    let rule = rules.by_id("delegated-access.ops.0").unwrap();
    assert_eq!(rule.reason(), Some("delegated-access/ops gives role/desk User Administrator"));
    assert!(
        matches!(&rule.place, Placed::DelegatedAccess { access, index: 0 } if access.as_str() == "ops")
    );
    // A global admin of ours is nobody in their tenants.
    let judge = Judge::new(&rules, &world).unwrap();
    let chief = uid(Type::User, "chief");
    assert!(judge.decide(&chief, Action::ManageUsers, &uid(Type::User, "desk")).allowed);
    assert!(!judge.decide(&chief, Action::ManageUsers, &uid(Type::Customer, "c0")).allowed);
}

#[test]
fn an_agent_groups_access_is_its_members() {
    let text = [
        PEOPLE,
        &customers(&["segment: smb"], 9),
        &template("helpdesk-agent", &["Password Administrator"], "{all: true}"),
    ];
    let loaded = estate(&[("all.yaml", &text.concat())]);
    let (rules, world) = declared(&loaded);
    let who: BTreeSet<String> = given(&rules, &world).into_iter().map(|(who, ..)| who).collect();
    assert_eq!(who, BTreeSet::from(["helper".to_owned()]));
}

#[test]
fn what_has_expired_or_is_not_known_gives_nothing() {
    let expired = PEOPLE
        .replace("{name: desk}\nspec: {group", "{name: desk, expires: 2026-01-31}\nspec: {group");
    let all = template("desk", &["User Administrator"], "{all: true}");
    let unknown = template("desk", &["11111111-2222-3333-4444-555555555555"], "{all: true}");
    let over = all.replace("{name: ops}", "{name: ops, expires: 2026-01-31}");
    assert!(expired != PEOPLE && over != all);
    for (people, template) in [(expired.as_str(), &all), (PEOPLE, &over), (PEOPLE, &unknown)] {
        let text = [people, &customers(&["segment: smb"], 9), template];
        let loaded = estate(&[("all.yaml", &text.concat())]);
        let (rules, world) = declared(&loaded);
        assert_eq!(given(&rules, &world), BTreeSet::new(), "{template}");
    }
}

#[test]
fn people_are_ours_unless_customers_are_named() {
    let role = "\
---
apiVersion: partnerctl/v1
kind: Role
metadata: {name: passwords}
spec:
  group: Passwords
  permissions:
    - allow: [view-customer, reset-password]
    - allow: [reset-password]
    - {allow: [view-users], customers: {all: true}}
---
apiVersion: partnerctl/v1
kind: User
metadata: {name: pat}
spec: {displayName: Pat, email: pat@fabrikam.example, agent: none, admin: none, roles: [passwords]}
";
    let text = [PEOPLE, &customers(&["segment: smb"], 9), role];
    let loaded = estate(&[("all.yaml", &text.concat())]);
    let (rules, world) = declared(&loaded);
    let judge = Judge::new(&rules, &world).unwrap();
    let may = |action, what: &Uid| judge.decide(&uid(Type::User, "pat"), action, what).by;
    let (ours, theirs) = (uid(Type::User, "desk"), uid(Type::Customer, "c0"));
    assert_eq!(may(Action::ResetPassword, &ours), ["role.passwords.0", "role.passwords.1"]);
    assert_eq!(may(Action::ResetPassword, &theirs), [] as [&str; 0]);
    assert_eq!(may(Action::ViewCustomer, &theirs), ["role.passwords.0"]);
    assert_eq!(may(Action::ViewUsers, &theirs), ["role.passwords.2"]);
    assert_eq!(may(Action::ViewUsers, &ours), [] as [&str; 0]);
}

const LABELS: [&str; 4] = ["segment: smb", "segment: public, tier: gold", "tier: gold", ""];
const SELECTORS: [&str; 9] = [
    "{all: true}",
    "{labels: {segment: smb}}",
    "{labels: {segment: public, tier: gold}}",
    "{exists: [tier], except: [c1]}",
    "{notIn: {segment: [smb]}}",
    "{in: {segment: [smb, public]}, names: [c2]}",
    "{names: [c0, c3]}",
    "{names: [c4], except: [c4]}",
    "{all: true, except: [c0, c2]}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A policy of a template reaches whom the template selects, and gives what its roles allow: held
    /// against what a plan would make relationships of.
    #[test]
    fn a_template_reaches_whom_it_selects(
        labels in prop::collection::vec(prop::sample::select(&LABELS[..]), 5),
        over in 0..8usize,
        selector in prop::sample::select(&SELECTORS[..]),
        roles in prop::collection::vec(prop::sample::select(DirectoryRole::names().collect::<Vec<_>>()), 1..4),
    ) {
        let roles: BTreeSet<&str> = roles.into_iter().collect();
        let roles: Vec<&str> = roles.into_iter().collect();
        let text = [PEOPLE, &customers(&labels, over), &template("desk", &roles, selector)].concat();
        let loaded = super::estate_if_right(&[("all.yaml", &text)]);
        prop_assume!(loaded.is_some());
        let Some(loaded) = loaded else { return Ok(()) };
        let (rules, world) = declared(&loaded);
        let access = loaded.estate.delegated_access.values().next().unwrap();
        let selector: &Selector = &access.spec.customers;
        let index = CustomerIndex::of(&loaded.estate, |_| true);
        let allowed = directory::allowed_by(&access.spec.grants[0].directory_roles);
        let mut wanted = BTreeSet::new();
        for (customer, _) in index.selected(selector) {
            wanted.extend(allowed.iter().map(|action| ("desk".to_owned(), *action, customer.to_string())));
        }
        prop_assert_eq!(given(&rules, &world), wanted);
    }

    /// What a tenant gives is told customer by customer, and exact access over it is the same.
    #[test]
    fn what_a_tenant_gives_is_counted_customer_by_customer(
        held in prop::collection::vec(
            prop::collection::vec((0..3usize, prop::sample::select(DirectoryRole::names().collect::<Vec<_>>())), 0..5),
            5,
        ),
        over in 0..8usize,
    ) {
        // What documents say of tenants counts for nothing there, be it of templates or of roles.
        let people = PEOPLE.replace(
            "spec: {group: Desk}",
            "spec: {group: Desk, permissions: [{allow: [reset-password, administer-on-behalf], customers: {all: true}}, {allow: [view-service-health]}]}",
        );
        let text = [people, customers(&LABELS.repeat(2)[..5], over), template("desk", &["Global Administrator"], "{all: true}")];
        let loaded = estate(&[("all.yaml", &text.concat())]);
        let groups = [("desk", "desk"), ("lead", "lead"), ("helpdesk-agent", "helper")];
        let mut all: BTreeMap<CustomerKey, BTreeMap<RoleKey, BTreeSet<DirectoryRole>>> = BTreeMap::new();
        let mut wanted = BTreeSet::new();
        for (at, held) in held.iter().enumerate() {
            let name = format!("c{at}");
            let of = all.entry(CustomerKey::parse(&name).unwrap()).or_default();
            for (group, role) in held {
                let (role_key, who) = groups[*group];
                let role = DirectoryRole::named(role).unwrap();
                of.entry(RoleKey::parse(role_key).unwrap()).or_default().insert(role);
                // It outlives the relationship.
                let allowed = directory::allowed(role).unwrap().iter();
                wanted.extend(allowed.map(|action| (who.to_owned(), *action, name.clone())));
            }
        }
        let delegated = Delegated::of(all);
        let (rules, mut world) = declared(&loaded);
        let rules = rules.with_delegated(&delegated, &loaded.estate, today());
        delegated.tell(&mut world);
        prop_assert_eq!(given(&rules, &world), wanted.clone());
        // Where the relationship is over nothing else is left, whatever roles people hold.
        let ended = format!("c{over}");
        let judge = Judge::new(&rules, &world).unwrap();
        for (who, _) in world.of(Type::User).iter().filter(|_| over < held.len()) {
            for action in Action::ALL.iter().filter(|action| action.is_done_in_tenants()) {
                let whose = uid(Type::Customer, &ended);
                let said = judge.decide(&uid(Type::User, who), *action, &whose);
                let given = wanted.contains(&(who.to_string(), *action, ended.clone()));
                prop_assert_eq!(said.allowed, given, "{} {}: {:?}", who, action, said);
            }
        }
        // The same question, asked of classes. The helper has a level that gives more.
        let policies = rules.set();
        let side = Side::new(&policies, &world);
        let access = matrix(&side, &Universe {
            principals: Which::Listed(["desk", "lead"].map(|name| uid(Type::User, name)).into()),
            actions: [Action::ResetPassword, Action::ManageUsers].into(),
            resources: Which::Types([Type::Customer].into()),
            ..Universe::default()
        }).unwrap();
        let mut counted = BTreeSet::new();
        for rectangle in access.rectangles() {
            for who in access.principals_of(rectangle) {
                for whose in access.resources_of(rectangle) {
                    counted.extend(rectangle.actions.iter().map(|action| (who.name.to_string(), *action, whose.name.to_string())));
                }
            }
        }
        wanted.retain(|(who, action, _)| who != "helper" && matches!(action, Action::ResetPassword | Action::ManageUsers));
        prop_assert_eq!(counted, wanted);
    }
}
