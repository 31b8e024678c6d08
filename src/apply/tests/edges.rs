//! What holds a seat of delegated access, at the edges: what is no refusal, what is nobody else's, what
//! comes first, what counts.

use super::scenes::{
    DECLARED, SEAT, by_hand, edit, give, ids, mapped, standing, told, without_template, world,
};
use super::world::World;
use crate::model::record::{ObjectKey, Waiting, WaitingSince};
use crate::model::tenant::{DelegationStatus as Status, RelationshipId};
use crate::plan::step::Cost;
use crate::plan::tests::service;
use crate::plan::tests::stage;
use crate::plan::{Change, State};

fn only(world: &World, status: &Status) -> RelationshipId {
    let [id] = world.with_status(status).try_into().unwrap();
    id
}

fn says(world: &mut World, id: &RelationshipId, status: Status) {
    world.tenant().delegated.get_mut(id).unwrap().status = status;
}

const DESK: &str = "{to: desk, directoryRoles: [Directory Readers, Helpdesk Administrator]}";

/// The next one takes over when everything declared is given by it, not only what the old one gives.
#[test]
fn the_old_one_stays_until_the_next_is_mapped() {
    let mut world = mapped();
    let more = format!("{DESK}, {{to: watch, directoryRoles: [Global Reader]}}");
    edit(&mut world, DESK, &more);
    edit(&mut world, "duration: P730D", "replace: now, duration: P365D");
    world.fails = Some(stage::object_id("Watch"));
    world.run();
    world.approve();
    world.run();
    for _ in 0..3 {
        let planned = world.run();
        assert_eq!(ids(&planned), [format!("{SEAT}/grant/watch")]);
        assert!(told(&planned, State::Held)[0].contains("stays until"), "{:?}", planned.report);
        world.pass(1);
    }
    world.fails = None;
    world.run();
    assert_eq!(ids(&world.run()), [format!("{SEAT}/end/1")]);
    assert_eq!(standing(&world), [Status::Terminated, Status::Active]);
}

/// Who said no to one thing has said nothing of another.
#[test]
fn a_refusal_is_of_what_was_asked() {
    let mut world = mapped();
    world.pass(1);
    edit(&mut world, "duration: P730D", "replace: now, duration: P365D");
    world.run();
    let asked = only(&world, &Status::ApprovalPending);
    service::refuse(world.tenant(), &asked);
    let planned = world.run();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    assert!(told(&planned, State::Gone)[0].contains("declined the next one"));
    edit(&mut world, "duration: P365D", "duration: P180D");
    assert_eq!(ids(&world.run()), [format!("{SEAT}/replace")]);
    let asked = only(&world, &Status::ApprovalPending);
    service::refuse(world.tenant(), &asked);
    edit(&mut world, "duration: P180D", "duration: P365D");
    edit(&mut world, "Helpdesk Administrator]", "Helpdesk Administrator, Global Reader]");
    assert_eq!(ids(&world.run()), [format!("{SEAT}/replace")]);
}

/// What the customer has just approved is not asked for once more, whatever is declared meanwhile.
#[test]
fn what_becomes_active_is_waited_for() {
    for status in [Status::Approved, Status::Activating] {
        let mut world = world();
        world.run();
        let asked = only(&world, &Status::ApprovalPending);
        says(&mut world, &asked, status);
        edit(&mut world, DESK, "{to: desk, directoryRoles: [Global Reader]}");
        let planned = world.run();
        assert_eq!(ids(&planned), [] as [&str; 0]);
        assert!(told(&planned, State::Waiting)[0].contains("is making it active"));
    }
}

/// Global Administrator is given back when no group has it any more: else the service takes both.
#[test]
fn groups_lose_global_administrator_before_the_relationship_does() {
    let mut world = world();
    let more = format!("{DESK}, {{to: watch, directoryRoles: [Global Administrator]}}");
    edit(&mut world, DESK, &more);
    world.run();
    world.approve();
    world.run();
    edit(&mut world, &more, DESK);
    let planned = world.run();
    let first = format!("{SEAT}/revoke/watch");
    assert_eq!(ids(&planned), [first.clone(), format!("{SEAT}/revoke/global-administrator")]);
    assert_eq!(planned.steps[1].depends_on, [first]);
}

/// A request that is not listed any more has lapsed when its time is over, and before was taken away.
#[test]
fn what_is_not_listed_lapses_by_the_clock() {
    let mut world = world();
    world.run();
    let asked = only(&world, &Status::ApprovalPending);
    world.tenant().delegated.remove(&asked);
    let since = world.stage.now;
    let until = since + jiff::SignedDuration::from_hours(90 * 24);
    world.stage.waiting = vec![WaitingSince {
        waiting: Waiting {
            object: ObjectKey::parse(SEAT).unwrap(),
            step: format!("{SEAT}/approve"),
            awaiting: "a global admin".to_owned(),
            link: None,
            instructions: None,
            until: Some(until),
        },
        since,
    }];
    world.pass(89);
    let planned = world.plan();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    assert!(told(&planned, State::Gone)[0].contains("no longer there"));
    world.pass(2);
    assert_eq!(ids(&world.plan()), [format!("{SEAT}/create")]);
}

/// To carry out what a customer has just approved for us touches nobody; to use what others made does.
#[test]
fn the_first_roles_in_what_others_made_touch_the_customer() {
    let mut world = world();
    by_hand(&mut world, &DECLARED, 730);
    let planned = world.run();
    assert_eq!(ids(&planned), [format!("{SEAT}/grant/desk")]);
    assert!(planned.steps[0].cost.customer.is_some());
}

/// What is left to others is not taken, though no grant names it.
#[test]
fn what_is_ignored_is_not_taken() {
    let mut world = world();
    let more = format!("{DESK}, {{to: watch, directoryRoles: [Directory Readers]}}");
    edit(&mut world, DESK, &more);
    world.run();
    world.approve();
    world.run();
    edit(&mut world, &more, DESK);
    edit(&mut world, "{name: ops}", "{name: ops, ignore: [spec.grants]}");
    let planned = world.plan();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    assert_eq!(told(&planned, State::Ignored).len(), 1, "{:?}", planned.report);
    edit(&mut world, ", ignore: [spec.grants]", "");
    assert_eq!(ids(&world.plan()), [format!("{SEAT}/revoke/watch")]);
}

/// An assignment that failed gives nothing, so nothing of it is narrowed.
#[test]
fn what_failed_is_not_narrowed() {
    let mut world = mapped();
    let first = only(&world, &Status::Active);
    world.pass(700);
    world.run();
    world.approve();
    world.run();
    let one = world.tenant().delegated.get_mut(&first).unwrap();
    one.assignments.as_mut().unwrap()[0].status = "error".to_owned();
    edit(&mut world, "[Directory Readers, Helpdesk Administrator]", "[Directory Readers]");
    let planned = world.plan();
    assert!(!ids(&planned).iter().any(|id| *id == format!("{SEAT}/revoke/desk/1")));
}

/// Somebody makes by hand what is declared, after the customer ended ours: it is as good as another.
#[test]
fn what_others_made_anew_is_taken_over() {
    let mut world = mapped();
    let first = only(&world, &Status::Active);
    service::refuse(world.tenant(), &first);
    assert_eq!(told(&world.run(), State::Gone).len(), 1);
    by_hand(&mut world, &DECLARED, 730);
    assert_eq!(ids(&world.run()), [format!("{SEAT}/grant/desk")]);
    let planned = world.run();
    assert_eq!(ids(&planned), [] as [&str; 0]);
    assert_eq!(told(&planned, State::Gone), [] as [&str; 0]);
    // It was there before us.
    without_template(&mut world);
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
    assert_eq!(standing(&world), [Status::Terminated, Status::Active]);
}

/// Under a name of which nobody says that it was another, it is another one.
#[test]
fn what_another_template_had_is_nobody_elses() {
    let mut world = mapped();
    edit(&mut world, "metadata: {name: ops}", "metadata: {name: night}");
    let planned = world.run();
    let night = "delegated-access/night/contoso/create".to_owned();
    assert_eq!(ids(&planned), [night, format!("{SEAT}/end/1")]);
}

/// A customer of another name is the same customer: its relationship bears no name of its own.
#[test]
fn a_customer_of_another_name_keeps_what_it_has() {
    let mut world = mapped();
    edit(&mut world, "{name: contoso, labels", "{name: contoso-japan, labels");
    world.renamed(|seat| ObjectKey::new(seat.kind, format!("{}-japan", seat.name)));
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
    assert_eq!(ids(&world.run()), [] as [&str; 0]);
    assert_eq!(standing(&world), [Status::Active]);
    assert!(world.known("delegated-access/ops/contoso-japan").is_some());
    assert!(world.known(SEAT).is_none());
}

/// Names are not given twice, though nothing of the first is listed any more.
#[test]
fn a_number_is_given_once() {
    let mut world = mapped();
    let first = only(&world, &Status::Active);
    world.tenant().delegated.remove(&first);
    world.stage.revive_all(vec![ObjectKey::parse(SEAT).unwrap()]);
    let planned = world.run();
    let [step] = planned.steps.as_slice() else { panic!("{:?}", planned.steps) };
    let Change::RequestDelegation { name, .. } = &step.change else { panic!("{step:?}") };
    assert!(name.ends_with("-2"), "{name}");
}

/// Of a group that does not exist any more nobody loses anything.
#[test]
fn what_nobody_has_is_no_removal() {
    for (exists, removals) in [(true, 1), (false, 0)] {
        let mut world = mapped();
        let id = only(&world, &Status::Active);
        give(&mut world, &id, "Watch", &["Directory Readers"]);
        if !exists {
            world.tenant().groups.remove(&stage::object_id("Watch"));
        }
        let planned = world.plan();
        let step = planned.steps.iter().find(|step| step.id.contains("/revoke/")).unwrap();
        assert_eq!(step.cost.removals, removals, "{}", step.summary);
    }
}

/// Of a request that nobody was shown nobody has anything: to correct it costs nothing.
#[test]
fn what_is_corrected_before_it_is_shown_costs_nothing() {
    let mut world = world();
    world.run();
    let asked = only(&world, &Status::ApprovalPending);
    says(&mut world, &asked, Status::Created);
    edit(&mut world, "[Directory Readers, Helpdesk Administrator]", "[Directory Readers]");
    let planned = world.plan();
    assert_eq!(ids(&planned), [format!("{SEAT}/correct"), format!("{SEAT}/request")]);
    assert_eq!(planned.steps[0].cost, Cost::default());
}
