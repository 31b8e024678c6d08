//! Situations of delegated access that take more than one run.

use std::collections::BTreeSet;

use super::world::World;
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::record::ObjectKey;
use crate::model::tenant::{DelegationStatus as Status, RelationshipId};
use crate::plan::tests::service;
use crate::plan::tests::stage::{self, BASE, Stage};
use crate::plan::{Cause, Change, Planned, State, Target};

pub(super) const OPS: &str = "---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {name: ops}\nspec: {customers: {labels: {segment: enterprise}}, duration: P730D, renewBefore: P60D, grants: [{to: desk, directoryRoles: [Directory Readers, Helpdesk Administrator]}]}\n";
pub(super) const WATCH: &str = "---\napiVersion: partnerctl/v1\nkind: Role\nmetadata: {name: watch}\nspec: {group: {name: Watch, mailNickname: watch}}\n";
pub(super) const SEAT: &str = "delegated-access/ops/contoso";
pub(super) const DECLARED: [&str; 2] = ["Directory Readers", "Helpdesk Administrator"];

pub(super) fn contoso() -> TenantId {
    TenantId("0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1".parse().unwrap())
}

/// The template is declared, and nobody was asked.
pub(super) fn world() -> World {
    let text = format!("{BASE}{WATCH}{OPS}");
    World::new(Stage::fresh(&text).with(|stage| {
        let watch = stage::group("Watch", "watch");
        stage.snapshot.groups.insert(stage::object_id("Watch"), watch);
    }))
}

pub(super) fn roles(names: &[&str]) -> BTreeSet<RoleTemplateId> {
    let named = crate::model::directory_role::DirectoryRole::named;
    names.iter().map(|name| named(name).unwrap().0).collect()
}

/// Somebody makes one with Contoso in the portal, and the customer approves it.
pub(super) fn by_hand(world: &mut World, names: &[&str], days: u32) -> RelationshipId {
    let tenant = world.tenant();
    let id = service::begin(tenant, "By hand", contoso(), days, roles(names), 0).unwrap();
    let lock = Change::LockDelegation { relationship: id.clone() };
    service::carry(tenant, &lock, |_| unreachable!()).unwrap();
    service::approve(tenant, &id);
    id
}

/// Somebody gives a group roles there.
pub(super) fn give(world: &mut World, id: &RelationshipId, group: &str, names: &[&str]) {
    let group = stage::object_id(group);
    let give = Change::AssignDelegated {
        relationship: id.clone(),
        group: Target::Id(group),
        roles: roles(names),
        instead_of: None,
    };
    service::carry(world.tenant(), &give, |_| group).unwrap();
}

pub(super) fn edit(world: &mut World, from: &str, to: &str) {
    let text = world.stage.text();
    assert!(text.contains(from), "no {from:?}");
    world.stage.rewrite(text.replacen(from, to, 1));
}

/// The template gets another name.
pub(super) fn rename(world: &mut World) {
    edit(world, "metadata: {name: ops}", "metadata: {name: night, formerly: [ops]}");
    world.renamed(|seat| {
        let name = seat.name.replace("ops/", "night/");
        ObjectKey::new(seat.kind, name)
    });
}

pub(super) fn without_template(world: &mut World) {
    let text = world.stage.text();
    let all: Vec<&str> =
        text.split("---\n").filter(|one| !one.contains("DelegatedAccess")).collect();
    world.stage.rewrite(all.join("---\n"));
}

pub(super) fn ids(planned: &Planned) -> Vec<&str> {
    let ids = planned.steps.iter().map(|step| step.id.as_str());
    ids.filter(|id| id.starts_with("delegated-access/")).collect()
}

/// What a plan says of a state.
pub(super) fn told(planned: &Planned, state: State) -> Vec<&str> {
    let all = planned.report.iter().filter(|one| one.state == state);
    let all = all.filter(|one| one.object.to_string().starts_with("delegated-access/"));
    all.map(|one| one.message.as_str()).collect()
}

pub(super) fn standing(world: &World) -> Vec<Status> {
    world.stage.snapshot.delegated.values().map(|one| one.status.clone()).collect()
}

/// What is asked for here is approved and mapped.
pub(super) fn mapped() -> World {
    let mut world = world();
    world.run();
    world.approve();
    world.run();
    assert_eq!(ids(&world.plan()), [] as [&str; 0]);
    world
}

#[test]
fn what_the_customer_ended_stays_ended_under_another_name() {
    let mut world = mapped();
    let [active] = world.with_status(&Status::Active).try_into().unwrap();
    service::refuse(world.tenant(), &active);
    rename(&mut world);
    for _ in 0..3 {
        let planned = world.run();
        assert_eq!(ids(&planned), [] as [&str; 0]);
        let [told] = told(&planned, State::Gone).try_into().unwrap();
        assert!(told.contains("--revive delegated-access/night/contoso"), "{told}");
    }
    // Nobody has to say for ever how it was called.
    edit(&mut world, ", formerly: [ops]", "");
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
    // The customer's name is half of a seat's.
    edit(&mut world, "{name: contoso, labels", "{name: contoso-japan, formerly: [contoso], labels");
    world.run();
    let planned = world.run();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    assert!(told(&planned, State::Gone)[0].contains("night/contoso-japan"));
}

#[test]
fn what_we_asked_for_is_ours_under_another_name() {
    let mut world = world();
    world.run();
    rename(&mut world);
    world.run();
    assert!(world.known("delegated-access/night/contoso").is_some());
    assert!(world.known(SEAT).is_none());
    world.approve();
    assert_eq!(ids(&world.run()), ["delegated-access/night/contoso/grant/desk"]);
    without_template(&mut world);
    let planned = world.run();
    assert_eq!(planned.steps.len(), 1, "{:?}", planned.report);
    assert_eq!(standing(&world), [Status::Terminated]);
    assert!(world.known("delegated-access/night/contoso").is_none());
}

/// Renamed and asked for anew in one run: what was there before goes along.
#[test]
fn what_was_taken_over_is_replaced_under_another_name() {
    let mut world = world();
    let old = by_hand(&mut world, &DECLARED, 730);
    give(&mut world, &old, "Service Desk", &DECLARED);
    world.run();
    rename(&mut world);
    edit(&mut world, "duration: P730D", "replace: now, duration: P365D");
    assert_eq!(ids(&world.run()), ["delegated-access/night/contoso/replace"]);
    world.approve();
    world.run();
    assert_eq!(ids(&world.run()).len(), 1);
    assert_eq!(standing(&world), [Status::Terminated, Status::Active]);
}

/// What others made is remembered as soon as it is taken over, whatever else is said of it.
#[test]
fn what_was_taken_over_is_remembered_whoever_else_has_something() {
    let mut world = world();
    let old = by_hand(&mut world, &DECLARED, 730);
    give(&mut world, &old, "Service Desk", &DECLARED);
    give(&mut world, &old, "HelpdeskAgents", &["Helpdesk Administrator"]);
    let planned = world.run();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    assert_eq!(told(&planned, State::Unmanaged).len(), 1);
    assert!(world.known(SEAT).is_some());
    edit(&mut world, "[Directory Readers, Helpdesk Administrator]", "[Directory Readers]");
    let planned = world.run();
    assert_eq!(ids(&planned), [format!("{SEAT}/revoke/desk")], "{:?}", planned.report);
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
}

/// It does not last as long as is declared, for ever: that keeps nobody from remembering it, nor what
/// groups have by it.
#[test]
fn what_waits_for_its_renewal_is_remembered() {
    let mut world = world();
    let old = by_hand(&mut world, &DECLARED, 365);
    give(&mut world, &old, "Service Desk", &DECLARED);
    let planned = world.run();
    assert!(told(&planned, State::Held)[0].contains("renewal"), "{:?}", planned.report);
    assert!(world.known(SEAT).is_some());
    edit(
        &mut world,
        "{to: desk, directoryRoles: [Directory Readers, Helpdesk Administrator]}",
        "{to: watch, directoryRoles: [Directory Readers]}",
    );
    let planned = world.run();
    assert_eq!(ids(&planned), [format!("{SEAT}/grant/watch"), format!("{SEAT}/revoke/desk")]);
}

/// What groups have that are none of our business, nobody takes by the way.
#[test]
fn what_others_have_is_not_replaced() {
    let mut world = world();
    let old = by_hand(&mut world, &DECLARED, 730);
    give(&mut world, &old, "Service Desk", &DECLARED);
    give(&mut world, &old, "HelpdeskAgents", &["Helpdesk Administrator"]);
    world.run();
    world.pass(700);
    assert_eq!(ids(&world.run()), [format!("{SEAT}/replace")]);
    world.approve();
    world.run();
    for _ in 0..2 {
        let planned = world.run();
        assert_eq!(ids(&planned), [] as [&str; 0]);
        let [told] = told(&planned, State::Unmanaged).try_into().unwrap();
        for words in [
            "By hand stays beside ops-",
            "until it ends on",
            "role/helpdesk-agent",
            "name them in a grant",
        ] {
            assert!(told.contains(words), "{told}");
        }
    }
    // Somebody does as the plan says.
    let held = world.stage.snapshot.delegated[&old].assignments.as_ref().unwrap()[1].clone();
    let take = Change::UnassignDelegated {
        relationship: old.clone(),
        assignment: held.id,
        group: held.group,
    };
    service::carry(world.tenant(), &take, |_| unreachable!()).unwrap();
    assert_eq!(ids(&world.run()), [format!("{SEAT}/end/{}", old.0)]);
    assert_eq!(standing(&world), [Status::Terminated, Status::Active]);
}

/// What we asked for ends with its document, though what was there before is let go.
#[test]
fn letting_one_go_forgets_no_other() {
    let mut world = world();
    let old = by_hand(&mut world, &DECLARED, 730);
    give(&mut world, &old, "Service Desk", &DECLARED);
    world.run();
    world.pass(700);
    assert_eq!(ids(&world.run()), [format!("{SEAT}/replace")]);
    without_template(&mut world);
    let planned = world.run();
    assert!(told(&planned, State::Final)[0].contains("lapses on"), "{:?}", planned.report);
    assert!(world.known(SEAT).is_some());
    world.approve();
    let planned = world.run();
    assert_eq!(ids(&planned), [format!("{SEAT}/end/1")], "{:?}", planned.report);
    assert_eq!(standing(&world), [Status::Active, Status::Terminated]);
    world.run();
    assert!(world.known(SEAT).is_none(), "nothing of it is ours");
}

/// Whoever is deselected while one takes over from another loses both, in one run.
#[test]
fn two_that_are_active_end_together() {
    let mut world = mapped();
    world.pass(700);
    world.run();
    world.approve();
    without_template(&mut world);
    let planned = world.run();
    assert_eq!(ids(&planned), [format!("{SEAT}/end/1"), format!("{SEAT}/end/2")]);
    assert!(world.known(SEAT).is_none(), "what ended holds nothing");
    assert_eq!(standing(&world), [Status::Terminated, Status::Terminated]);
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
    assert!(world.known(SEAT).is_none());
}

/// One that gives what nobody is to have any more does not give it until another one gives the rest.
#[test]
fn less_is_less_at_once_while_one_takes_over() {
    let mut world = world();
    edit(
        &mut world,
        "Helpdesk Administrator]}]",
        "Helpdesk Administrator]}, {to: watch, directoryRoles: [Directory Readers]}]",
    );
    world.run();
    world.approve();
    world.run();
    world.pass(700);
    world.run();
    world.approve();
    world.fails = Some(stage::object_id("Watch"));
    world.run();
    edit(&mut world, "[Directory Readers, Helpdesk Administrator]", "[Directory Readers]");
    let planned = world.run();
    let ids = ids(&planned);
    for id in [format!("{SEAT}/revoke/desk"), format!("{SEAT}/revoke/desk/1")] {
        assert!(ids.contains(&id.as_str()), "{ids:?}");
    }
    let desk = world
        .access_by_seat()
        .into_iter()
        .filter(|(_, group, _)| *group == stage::object_id("Service Desk"));
    let desk: BTreeSet<RoleTemplateId> = desk.map(|(.., role)| role).collect();
    assert_eq!(desk, roles(&["Directory Readers"]));
    world.fails = None;
    world.run();
    world.run();
    assert_eq!(standing(&world), [Status::Terminated, Status::Active]);
}

/// What is asked for anew after its end was taken by nobody.
#[test]
fn what_ran_out_is_no_drift_when_it_is_back() {
    let mut world = mapped();
    world.pass(731);
    assert_eq!(ids(&world.run()), [format!("{SEAT}/create")]);
    world.approve();
    edit(&mut world, "[Directory Readers, Helpdesk Administrator]", "[Directory Readers]");
    let planned = world.run();
    let causes: Vec<Cause> = planned.steps.iter().map(|step| step.fields[0].cause).collect();
    assert_eq!(causes, [Cause::Create]);
}

/// A customer is not shown more than what is declared.
#[test]
fn a_request_that_asks_for_more_is_asked_anew() {
    let mut world = world();
    world.run();
    edit(&mut world, "[Directory Readers, Helpdesk Administrator]", "[Directory Readers]");
    let planned = world.run();
    assert_eq!(ids(&planned), [format!("{SEAT}/replace")]);
    let [told_of] = told(&planned, State::Final).try_into().unwrap();
    assert!(told_of.contains("it asks for Helpdesk Administrator, too"), "{told_of}");
    assert!(told_of.contains("cannot be withdrawn"), "{told_of}");
    let planned = world.run();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    let waits = planned.report.iter().find(|one| one.state == State::Waiting).unwrap();
    let asks = waits.asks.as_ref().unwrap();
    assert_eq!(asks.roles, ["Directory Readers"]);
    assert_eq!((asks.days, asks.extends), (Some(730), false));
    // Both are approved: one is enough.
    world.approve();
    world.run();
    world.run();
    assert_eq!(world.with_status(&Status::Active).len(), 1);
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
    assert_eq!(world.access_by_seat().len(), 1);
}

/// The roles of a template expire: groups lose what they had, and the customer's yes is kept.
#[test]
fn roles_that_expire_do_not_end_what_the_customer_approved() {
    let mut world = mapped();
    let desk = "metadata: {name: desk}";
    edit(&mut world, desk, "metadata: {name: desk, expires: 2026-11-01}");
    let planned = world.run();
    assert_eq!(ids(&planned), [format!("{SEAT}/revoke/desk")]);
    assert_eq!(planned.steps[0].fields[0].cause, Cause::Expiry);
    assert_eq!(planned.limits.irreversible.planned, 0);
    for _ in 0..2 {
        let planned = world.run();
        assert_eq!(ids(&planned), [] as [&str; 0]);
        assert!(told(&planned, State::Held)[0].contains("stays, and gives nobody anything"));
    }
    // Nobody is asked for something that nobody is to have.
    world.pass(700);
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
    edit(&mut world, ", expires: 2026-11-01", "");
    let planned = world.run();
    assert!(ids(&planned).contains(&format!("{SEAT}/grant/desk").as_str()), "{:?}", ids(&planned));
    assert_eq!(standing(&world)[0], Status::Active);
}

/// Global Administrator is not given back because a role of ours expired: only the customer could bring
/// it back.
#[test]
fn an_expired_role_gives_nothing_back_for_good() {
    let mut world = world();
    edit(
        &mut world,
        "Helpdesk Administrator]}]",
        "Helpdesk Administrator]}, {to: watch, directoryRoles: [Global Administrator]}]",
    );
    world.run();
    world.approve();
    world.run();
    edit(&mut world, "metadata: {name: watch}", "metadata: {name: watch, expires: 2026-11-01}");
    assert_eq!(ids(&world.run()), [format!("{SEAT}/revoke/watch")]);
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
}

/// While nobody knows which tenant a customer is, nothing is done about what it approved.
#[test]
fn what_cannot_be_placed_is_not_ended() {
    let mut world = mapped();
    edit(&mut world, ", tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1", "");
    world.tenant().customers.clear();
    let planned = world.run();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    assert!(told(&planned, State::Held)[0].contains("tenant id is not known"));
    assert!(world.known(SEAT).is_some());
    assert_eq!(standing(&world), [Status::Active]);
}
