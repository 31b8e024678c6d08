//! What answers look like.

use std::collections::HashMap;
use std::fmt::Write as _;

use cedar_policy::{PolicyId, PolicySet, SlotId, Template};

use super::super::*;
use crate::policy::world::{Shape, Value};

/// Policies with the ids that they are annotated with.
fn policies(text: &str) -> PolicySet {
    let mut named = PolicySet::new();
    for policy in text.parse::<PolicySet>().unwrap().policies() {
        let id = PolicyId::new(policy.annotation("id").unwrap());
        named.add(policy.new_id(id)).unwrap();
    }
    named
}

/// Three users with roles, twenty customers with a label that no two share.
fn world(roles: &[(&str, &[&str])]) -> World {
    let mut world = World::default();
    for (user, roles) in roles {
        let parents = roles.iter().map(|role| Uid::new(Type::Role, *role)).collect();
        let attributes = vec![("guest", Value::Bool(*user == "dai"))];
        world.add(Type::User, (*user).into(), Shape { attributes, parents, ..Shape::default() });
    }
    for at in 0..20 {
        let segment = if at % 4 == 0 { "enterprise" } else { "smb" };
        let tags =
            vec![("contract".into(), format!("C-{at}").into()), ("segment".into(), segment.into())];
        let shape = Shape { tags, ..Shape::default() };
        world.add(Type::Customer, format!("customer-{at:02}").into(), shape);
    }
    world
}

const STAFF: &[(&str, &[&str])] =
    &[("aiko", &["admin-agent"]), ("ben", &["helpdesk"]), ("dai", &[])];

const POLICIES: &str = r#"
@id("admin") permit(principal in Role::"admin-agent", action in Action::"customer-data", resource);
@id("helpdesk") permit(principal in Role::"helpdesk", action == Action::"view-customer", resource is Customer)
  when { resource.getTag("segment") == "enterprise" };
@id("own") permit(principal, action == Action::"reset-password", resource is User) when { principal == resource };
@id("others") permit(principal, action == Action::"view-users", resource is User) when { principal != resource };
@id("guests") forbid(principal, action == Action::"view-users", resource) when { principal.guest };
"#;

/// As a page: people, pairing, actions, resources, count, and who decided.
fn shown(access: &Access<'_>) -> String {
    let mut shown = String::new();
    for rectangle in access.rectangles() {
        let names = |uids: Vec<Uid>| match uids.as_slice() {
            [first, .., last] if uids.len() > 3 => format!("{}..{}", first.name, last.name),
            _ => uids.iter().map(|uid| uid.name.as_str()).collect::<Vec<_>>().join(" "),
        };
        let actions: Vec<&str> = rectangle.actions.iter().map(|action| action.word()).collect();
        let policies: Vec<&str> = rectangle.policies.iter().map(AsRef::as_ref).collect();
        let _ = writeln!(
            shown,
            "{} | {:?} | {} | {} | {} | {}",
            names(access.principals_of(rectangle).collect()),
            rectangle.pairing,
            actions.join(" "),
            names(access.resources_of(rectangle).collect()),
            rectangle.count,
            policies.join(" "),
        );
    }
    shown
}

#[test]
fn a_matrix() {
    let (policies, world) = (policies(POLICIES), world(STAFF));
    let access = matrix(&Side::new(&policies, &world), &Universe::default()).unwrap();
    snapbox::assert_data_eq!(
        shown(&access),
        snapbox::str![[r"
ben | All | view-customer | customer-00..customer-16 | 5 | helpdesk
aiko | All | view-customer edit-customer view-customer-agreement request-relationship end-relationship | customer-00..customer-19 | 100 | admin
aiko ben | Others | view-users | aiko ben dai | 4 | others
aiko ben dai | Same | reset-password | aiko ben dai | 3 | own

"]]
    );
}

#[test]
fn nothing_differs_from_itself() {
    let (policies, world) = (policies(POLICIES), world(STAFF));
    let side = Side::new(&policies, &world);
    let Difference { gained, lost } = difference(&side, &side, &Universe::default()).unwrap();
    assert!(gained.is_empty() && lost.is_empty());
    assert_eq!((gained.count(), lost.count()), (0, 0));
}

#[test]
fn a_difference() {
    let before = policies(POLICIES);
    let after = policies(&POLICIES.replace(r#"== "enterprise""#, r#"!= "none""#));
    let old = world(STAFF);
    let new = world(&[("aiko", &[]), ("ben", &["helpdesk"]), ("chie", &["admin-agent"])]);
    let (before, after) = (Side::new(&before, &old), Side::new(&after, &new));
    let Difference { gained, lost } = difference(&before, &after, &Universe::default()).unwrap();
    snapbox::assert_data_eq!(
        format!("gained\n{}lost\n{}", shown(&gained), shown(&lost)),
        snapbox::str![[r"
gained
ben | All | view-customer | customer-01..customer-19 | 15 | helpdesk
chie | All | view-customer edit-customer view-customer-agreement request-relationship end-relationship | customer-00..customer-19 | 100 | admin
aiko ben | All | view-users | chie | 2 | others
chie | All | view-users | aiko ben | 2 | others
chie | Same | reset-password | chie | 1 | own
lost
aiko | All | view-customer edit-customer view-customer-agreement request-relationship end-relationship | customer-00..customer-19 | 100 | admin
aiko ben | All | view-users | dai | 2 | others
dai | Same | reset-password | dai | 1 | own

"]]
    );
}

#[test]
fn a_label_that_no_two_share_makes_no_classes() {
    let (policies, world) = (policies(POLICIES), world(STAFF));
    let side = Side::new(&policies, &world);
    let access = matrix(&side, &Universe::default()).unwrap();
    let customers = access.classes[0].iter().filter(|(_, class)| class.ty == Type::Customer);
    assert_eq!(customers.count(), 2, "enterprise, and others");
    // One policy that reads it, but asks only one thing, makes two of those.
    let text = r#"@id("odd") permit(principal, action, resource is Customer)
        when { resource.getTag("contract") like "*1" };"#;
    let odd = super::examples::policies(text);
    let access = matrix(&Side { policies: &odd, ..side }, &Universe::default()).unwrap();
    let customers = access.classes[0].iter().filter(|(_, class)| class.ty == Type::Customer);
    assert_eq!(customers.count(), 2);
}

#[test]
fn the_same_input_makes_the_same_answer() {
    let (policies, world) = (policies(POLICIES), world(STAFF));
    let side = Side::new(&policies, &world);
    let [one, two] = [0, 1].map(|_| matrix(&side, &Universe::default()).unwrap());
    assert_eq!(format!("{:?}", one.rectangles()), format!("{:?}", two.rectangles()));
}

#[test]
fn a_linked_policy_is_refused() {
    let mut policies = PolicySet::new();
    let text = "permit(principal == ?principal, action, resource);";
    policies.add_template(Template::parse(Some(PolicyId::new("t")), text).unwrap()).unwrap();
    let values = HashMap::from([(SlotId::principal(), Uid::new(Type::User, "aiko").cedar())]);
    policies.link(PolicyId::new("t"), PolicyId::new("aiko"), values).unwrap();
    let world = world(STAFF);
    let refused = matrix(&Side::new(&policies, &world), &Universe::default());
    let refused = refused.unwrap_err();
    assert_eq!(refused, Refused::Linked { policy: PolicyId::new("aiko") });
    assert_eq!(refused.to_string(), "policy `aiko` is linked to a template: write it out instead");
}
