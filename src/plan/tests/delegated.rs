//! Situations of delegated access, for the page of all situations.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::stage::*;
use super::table::{Row, rows};
use crate::model::directory_role::DirectoryRole;
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::record::{Managed, ObjectKey, Origin as How, Recorded};
use crate::model::scalar::Scalar;
use crate::model::tenant::{
    DelegatedAssignment, Delegation, DelegationStatus as Status, RelationshipId, Snapshot,
};
use crate::plan::Applied;
use crate::plan::delegated::series;
use crate::plan::record::Hold;

const CONTOSO: &str = "0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1";
const OPS: &str = "kind: DelegatedAccess\nmetadata: {name: ops}\nspec: {customers: {labels: {segment: enterprise}}, duration: P730D, grants: [{to: desk, directoryRoles: [Directory Readers, Helpdesk Administrator]}]}\n";
const SEAT: &str = "delegated-access/ops/contoso";

fn contoso() -> TenantId {
    TenantId(CONTOSO.parse().unwrap())
}

pub(crate) fn roles(names: &str) -> BTreeSet<RoleTemplateId> {
    names
        .split(", ")
        .filter(|name| !name.is_empty())
        .map(|name| DirectoryRole::parse(name).unwrap().0)
        .collect()
}

const DECLARED: &str = "Directory Readers, Helpdesk Administrator";

/// The template is declared, and nothing else is there.
fn ops() -> Stage {
    Stage::base().add(OPS)
}

fn name(generation: u32) -> String {
    series("ops", contoso()).name(generation)
}

fn id(generation: u32) -> RelationshipId {
    RelationshipId(format!("relationship-{generation}"))
}

/// As we ask for it, a month ago.
fn relationship(tenant: &Snapshot, generation: u32, status: Status) -> Delegation {
    let month = SignedDuration::from_hours(30 * 24);
    let at = tenant.observed_at - month;
    let was_active = !matches!(
        status,
        Status::Created | Status::ApprovalPending | Status::Approved | Status::Activating
    );
    Delegation {
        name: name(generation),
        customer: Some(contoso()),
        duration_days: Some(730),
        roles: roles(DECLARED),
        auto_extend_days: 0,
        status,
        created_at: Some(at),
        modified_at: Some(at),
        activated_at: was_active.then_some(at),
        ends_at: was_active.then_some(at + SignedDuration::from_hours(730 * 24)),
        etag: Some("W/\"1\"".to_owned()),
        provider: None,
        awaits_our_consent: false,
        assignments: was_active.then(Vec::new),
    }
}

fn assigned(group: &str, names: &str) -> DelegatedAssignment {
    DelegatedAssignment {
        id: format!("assignment-{group}"),
        group: object_id(group),
        roles: roles(names),
        status: "active".to_owned(),
        etag: Some("W/\"1\"".to_owned()),
    }
}

/// It is there, and remembered as ours.
fn with(stage: Stage, generation: u32, status: Status, edit: fn(&mut Delegation)) -> Stage {
    let stage = without_memory(stage, generation, status, edit);
    remember(stage, &[(generation, Hold::Made)])
}

/// It is there.
fn without_memory(
    stage: Stage,
    generation: u32,
    status: Status,
    edit: fn(&mut Delegation),
) -> Stage {
    stage.live(|tenant| {
        let mut one = relationship(tenant, generation, status);
        edit(&mut one);
        tenant.delegated.insert(id(generation), one);
    })
}

fn remember(stage: Stage, held: &[(u32, Hold)]) -> Stage {
    let key = ObjectKey::parse(SEAT).unwrap();
    stage.with(|stage| {
        let at = stage.now - SignedDuration::from_hours(2);
        let before = stage.object(&key).map(|known| Applied::read(&known.managed.spec));
        let mut what = before.unwrap_or_default();
        for (generation, hold) in held {
            what.relationships.insert(id(*generation), *hold);
            what.generation = what.generation.max(*generation);
        }
        what.fields = [
            (
                "spec.grants.desk",
                serde_json::json!(["Directory Readers", "Helpdesk Administrator"]),
            ),
            ("spec.autoExtend", "none".into()),
        ]
        .map(|(path, value)| (path.to_owned(), value))
        .into();
        let managed = Managed {
            key: key.clone(),
            estate: "fabrikam".into(),
            remote_id: Some(id(held[0].0).0.as_str().into()),
            origin: How::Made,
            spec: what.to_json().unwrap(),
            exchanges: BTreeMap::new(),
            is_protected: false,
            formerly: Vec::new(),
            run: Some("run-1".into()),
        };
        stage.keep(Recorded { managed, at });
    })
}

/// Active, ours, and everything mapped.
fn whole() -> Stage {
    with(ops(), 1, Status::Active, |one| {
        one.assignments = Some(vec![assigned("Service Desk", DECLARED)]);
    })
}

fn in_days(one: &mut Delegation, days: i64) {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    one.ends_at = Some(now + SignedDuration::from_hours(days * 24));
}

/// Near its end.
fn ending(edit: fn(&mut Delegation)) -> Stage {
    with(ops(), 1, Status::Active, edit).live(|tenant| {
        let one = tenant.delegated.get_mut(&id(1)).unwrap();
        one.assignments = Some(vec![assigned("Service Desk", DECLARED)]);
        in_days(one, 30);
    })
}

const MORE: (&str, &str) =
    ("Helpdesk Administrator]", "Helpdesk Administrator, License Administrator]");
const LESS: (&str, &str) = ("Directory Readers, Helpdesk Administrator]", "Directory Readers]");
const NOW_TOO: (&str, &str) = ("duration: P730D", "duration: P730D, replace: now");

/// Made by hand: another name, and nothing remembered.
fn by_hand(one: &mut Delegation) {
    one.name = "Our admins at Contoso".to_owned();
    one.assignments = Some(vec![assigned("Service Desk", DECLARED)]);
}

/// Asked for a week ago, and declined.
fn after_the_first(one: &mut Delegation) {
    let week = SignedDuration::from_hours(7 * 24);
    let at = NOW.parse::<jiff::Timestamp>().unwrap() - week;
    (one.created_at, one.modified_at, one.activated_at) = (Some(at), Some(at), None);
}

fn edited(stage: Stage, (from, to): (&str, &str)) -> Stage {
    stage.edit(from, to)
}

pub(super) fn all() -> Vec<Row> {
    rows![
        # "Delegated access"
        "declared" => ops(),
        "declared, the customer has not accepted us yet" => ops().live(|tenant| { tenant.customers.remove(&contoso()); }),
        "declared, the tenant of the customer is not known" => Stage::fresh(&BASE.replace(", tenantId: 0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1", "")).add(OPS).live(|tenant| { tenant.customers.clear(); }),
        "declared for a customer whose last day has passed" => ops().edit("labels: {segment: enterprise}}\nspec: {companyName", "labels: {segment: enterprise}, expires: 2026-11-01}\nspec: {companyName"),
        "made, and nobody was asked" => with(ops(), 1, Status::Created, |_| ()),
        "made, and asked otherwise by now" => edited(with(ops(), 1, Status::Created, |_| ()), MORE),
        "waits for the customer" => with(ops(), 1, Status::ApprovalPending, |_| ()),
        "waits, and less is wanted by now" => edited(with(ops(), 1, Status::ApprovalPending, |_| ()), LESS),
        "waits, and more is wanted by now" => edited(with(ops(), 1, Status::ApprovalPending, |_| ()), MORE),
        "waits, and the one that is wanted by now waits too" => with(edited(with(ops(), 1, Status::ApprovalPending, |_| ()), MORE), 2, Status::ApprovalPending, |one| one.roles = roles("Directory Readers, Helpdesk Administrator, License Administrator")),
        "approved a moment ago" => with(ops(), 1, Status::Activating, |_| ()),
        "was asked for a moment ago, and is not listed yet" => remember(ops(), &[(1, Hold::Made)]).with(|stage| stage.lags = true).with(|stage| { let at = stage.now; stage.remember(SEAT, |known| known.at = at); }),
        "nobody approved it in time" => with(ops(), 1, Status::Expired, |one| one.activated_at = None),
        "the customer declined" => with(ops(), 1, Status::Terminated, |one| one.activated_at = None),
        "the customer ended it" => with(ops(), 1, Status::Terminated, |_| ()),
        "the customer ended it, and it is to be there again" => with(ops(), 1, Status::Terminated, |_| ()).revive(SEAT),
        "is being ended" => with(ops(), 1, Status::TerminationRequested, |_| ()),
        "it ran out" => with(ops(), 1, Status::Expired, |_| ()),
        "is in a state that we do not know" => with(ops(), 1, Status::Other("suspended".into()), |_| ()),
        "ended long ago under our name, and declared again" => without_memory(ops(), 3, Status::Terminated, |_| ()),

        # "Delegated access that is active"
        "everything as declared" => whole(),
        "everything as declared, and nothing is remembered" => without_memory(ops(), 1, Status::Active, |one| one.assignments = Some(vec![assigned("Service Desk", DECLARED)])),
        "the service says P2Y where we say P730D" => edited(whole(), ("P730D", "P2Y")),
        "no group has its roles yet" => with(ops(), 1, Status::Active, |_| ()).remembered(SEAT, |known| { let mut what = Applied::read(&known.managed.spec); what.fields.clear(); known.managed.spec = what.to_json().unwrap(); }),
        "half of the groups have their roles" => whole().edit("directoryRoles: [Directory Readers, Helpdesk Administrator]}", "directoryRoles: [Directory Readers, Helpdesk Administrator]}, {to: helpdesk-agent, directoryRoles: [Directory Readers]}"),
        "a group is about to get its roles" => whole().live(|tenant| assignment(tenant).status = "pending".into()),
        "what a group was to get has failed" => whole().live(|tenant| assignment(tenant).status = "error".into()),
        "an assignment that is being deleted does not count" => whole().live(|tenant| assignment(tenant).status = "deleting".into()),
        "a role's group was deleted, and its assignment is still there" => whole().live(|tenant| { tenant.groups.remove(&object_id("Service Desk")); }),
        "a role's group is made in the same plan" => Stage::empty().add(OPS).live(|tenant| { let stage = Stage::base(); tenant.customers = stage.snapshot.customers; }).live(|tenant| { let one = relationship(tenant, 1, Status::Active); tenant.delegated.insert(id(1), one); }),
        "somebody gave another group roles" => whole().live(|tenant| add(tenant, assigned("HelpdeskAgents", "Directory Readers"))),
        "somebody gave a group that is gone by now roles" => whole().live(|tenant| add(tenant, assigned("Old Desk", "Directory Readers"))),
        "somebody took a group's roles" => whole().live(|tenant| assignment(tenant).roles = roles("Directory Readers")),
        "somebody took all that a group had" => whole().live(|tenant| tenant.delegated.get_mut(&id(1)).unwrap().assignments = Some(Vec::new())),
        "less is wanted by now" => edited(whole(), LESS),
        "a group is to have nothing any more" => whole().edit("{to: desk,", "{to: helpdesk-agent,"),
        "others may keep what groups have" => whole().edit("metadata: {name: ops}", "metadata: {name: ops, ignore: [spec.grants]}").live(|tenant| assignment(tenant).roles = roles("Directory Readers")),
        "it is to extend itself" => edited(whole(), ("duration: P730D", "duration: P730D, autoExtend: P180D")),
        "somebody let it extend itself" => whole().live(|tenant| tenant.delegated.get_mut(&id(1)).unwrap().auto_extend_days = 180),
        "it is to extend itself, and has Global Administrator" => edited(whole(), ("duration: P730D", "duration: P730D, autoExtend: P180D")).live(|tenant| { tenant.delegated.get_mut(&id(1)).unwrap().roles.extend(roles("Global Administrator")); }),
        "Global Administrator is not wanted any more" => whole().live(|tenant| { tenant.delegated.get_mut(&id(1)).unwrap().roles.extend(roles("Global Administrator")); assignment(tenant).roles.extend(roles("Global Administrator")); }),
        "what groups may do cannot be seen" => whole().live(|tenant| tenant.delegated.get_mut(&id(1)).unwrap().assignments = None),

        # "Delegated access that is replaced"
        "more is wanted, at the renewal" => edited(whole(), MORE),
        "more is wanted now" => edited(edited(whole(), MORE), NOW_TOO),
        "another duration, now" => edited(edited(whole(), NOW_TOO), ("duration: P730D", "duration: P365D")),
        "another duration, at the renewal" => edited(whole(), ("duration: P730D", "duration: P365D")),
        "its end is near" => ending(|_| ()),
        "its end is near, and it extends itself" => edited(ending(|one| one.auto_extend_days = 180), ("duration: P730D", "duration: P730D, autoExtend: P180D")),
        "its end is near, and it extends itself, and more is wanted" => edited(edited(ending(|one| one.auto_extend_days = 180), ("duration: P730D", "duration: P730D, autoExtend: P180D")), MORE),
        "the next one waits for the customer" => next(Status::ApprovalPending, &[]),
        "the next one waits, and is not needed any more" => with(whole(), 2, Status::ApprovalPending, |_| ()),
        "the next one was made and not asked, and is not needed any more" => with(whole(), 2, Status::Created, |_| ()),
        "the customer declined the next one" => with(ending(|_| ()), 2, Status::Terminated, after_the_first),
        "the customer declined the next one, and is to be asked again" => with(ending(|_| ()), 2, Status::Terminated, after_the_first).revive("delegated-access/ops"),
        "all roles that it grants something to have expired" => whole().edit("metadata: {name: desk}", "metadata: {name: desk, expires: 2026-11-01}"),
        "all roles that it grants something to have expired, and nobody was asked" => ops().edit("metadata: {name: desk}", "metadata: {name: desk, expires: 2026-11-01}"),
        "the next one is active, and no group has its roles yet" => next(Status::Active, &[]),
        "the next one is active, and everything is mapped" => next(Status::Active, &["Service Desk"]),
        "the one before was made by hand, and everything is mapped" => remember(next(Status::Active, &["Service Desk"]).live(|tenant| tenant.delegated.get_mut(&id(1)).unwrap().name = "Our admins at Contoso".into()), &[(1, Hold::Adopted), (2, Hold::Made)]),

        # "Delegated access that others made"
        "just what is declared" => without_memory(ops(), 9, Status::Active, by_hand),
        "just what is declared, and it ends otherwise" => edited(without_memory(ops(), 9, Status::Active, by_hand), ("duration: P730D", "duration: P730D, autoExtend: P180D")),
        "the roles, and another group has some too" => without_memory(ops(), 9, Status::Active, by_hand).live(|tenant| tenant.delegated.get_mut(&id(9)).unwrap().assignments.as_mut().unwrap().push(assigned("HelpdeskAgents", "Directory Readers"))),
        "waits for the customer already" => without_memory(ops(), 9, Status::ApprovalPending, |one| one.name = "By hand".into()),
        "other roles" => without_memory(ops(), 9, Status::Active, |one| { by_hand(one); one.roles = roles("Global Reader"); }),
        "two that are just what is declared" => without_memory(without_memory(ops(), 9, Status::Active, by_hand), 8, Status::Active, |one| { by_hand(one); one.name = "Once more".into(); }),
        "a provider made it for us, and awaits our consent" => without_memory(ops(), 9, Status::ApprovalPending, |one| { one.name = "From Northwind".into(); one.provider = Some(TenantId("7f1b0c52-0d3c-4b3e-9c6a-2a2b1f0d9a10".parse().unwrap())); one.awaits_our_consent = true; }),
        "two templates ask for the same of one customer" => without_memory(ops().add(&OPS.replace("name: ops", "name: second")), 9, Status::Active, by_hand),
        "another estate manages it" => without_memory(ops(), 9, Status::Active, by_hand).with(|stage| { let at = stage.now; stage.keep(elsewhere(at)); }),

        # "Delegated access that nobody declares any more"
        "the customer is not selected any more" => whole().edit("labels: {segment: enterprise}}\nspec: {companyName", "labels: {segment: public}}\nspec: {companyName").edit("{labels: {segment: enterprise}}, duration", "{names: [woodgrove]}, duration"),
        "the template is gone" => whole().without("ops"),
        "the template is gone, and not all manifests are there" => whole().without("ops").with(|stage| stage.is_complete = false),
        "its last day has passed" => whole().edit("metadata: {name: ops}", "metadata: {name: ops, expires: 2026-11-01}"),
        "nobody was asked yet" => with(ops(), 1, Status::Created, |_| ()).without("ops"),
        "the customer was asked" => with(ops(), 1, Status::ApprovalPending, |_| ()).without("ops"),
        "it was there before us" => remember(without_memory(ops(), 9, Status::Active, by_hand), &[(9, Hold::Adopted)]).without("ops"),
        "it is over already" => with(ops(), 1, Status::Terminated, |_| ()).without("ops"),
        "it is protected" => whole().remembered(SEAT, |known| known.managed.is_protected = true).without("ops"),
        "its document said to let it go" => whole().remembered(SEAT, |known| { let mut what = Applied::read(&known.managed.spec); what.on_removal = Some("release".into()); known.managed.spec = what.to_json().unwrap(); }).without("ops"),
        "the template has another name now" => whole().edit("metadata: {name: ops}", "metadata: {name: operations, formerly: [ops]}"),
        "the customer has another name now" => whole().edit("metadata: {name: contoso, labels", "metadata: {name: contoso-japan, formerly: [contoso], labels"),
        "the relationship with the customer ended too" => whole().live(|tenant| { tenant.customers.remove(&contoso()); }),
    ]
}

fn elsewhere(at: jiff::Timestamp) -> Recorded {
    let key = ObjectKey::parse("delegated-access/other/contoso").unwrap();
    let mut what = Applied::default();
    what.relationships.insert(id(9), Hold::Made);
    let managed = Managed {
        key,
        estate: "another".into(),
        remote_id: None,
        origin: How::Made,
        spec: what.to_json().unwrap(),
        exchanges: BTreeMap::new(),
        is_protected: false,
        formerly: Vec::new(),
        run: None,
    };
    Recorded { managed, at }
}

fn assignment(tenant: &mut Snapshot) -> &mut DelegatedAssignment {
    &mut tenant.delegated.get_mut(&id(1)).unwrap().assignments.as_mut().unwrap()[0]
}

fn add(tenant: &mut Snapshot, one: DelegatedAssignment) {
    tenant.delegated.get_mut(&id(1)).unwrap().assignments.as_mut().unwrap().push(one);
}

/// Near the end of the first, with the next one on its way.
fn next(status: Status, mapped: &[&str]) -> Stage {
    let stage = with(ending(|_| ()), 2, status, |one| in_days(one, 725));
    remember(stage, &[(1, Hold::Made), (2, Hold::Made)]).live(|tenant| {
        let next = tenant.delegated.get_mut(&id(2)).unwrap();
        next.assignments = Some(mapped.iter().map(|group| assigned(group, DECLARED)).collect());
    })
}

/// Whoever edits a draft between plan and apply has the customer asked for nothing.
#[test]
fn a_customer_is_asked_for_what_the_plan_showed() {
    use crate::plan::guard;
    let stage = edited(with(ops(), 1, Status::Created, |_| ()), LESS);
    let planned = stage.plan();
    let [correct, request] = planned.steps.as_slice() else { panic!("{:#?}", planned.steps) };
    assert_eq!(request.depends_on, [correct.id.as_str()]);
    let shown: Vec<&str> = request.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(shown, ["spec.duration", "spec.autoExtend", "spec.grants"]);
    let mut draft = stage.snapshot.delegated[&id(1)].clone();
    assert!(guard::delegation(&request.guard, &draft).is_some(), "it is not corrected yet");
    draft.roles = roles("Directory Readers");
    assert_eq!(guard::delegation(&request.guard, &draft), None);
    let others: [fn(&mut Delegation); 4] = [
        |draft| draft.roles.extend(roles("Global Administrator")),
        |draft| draft.duration_days = Some(30),
        |draft| draft.auto_extend_days = 180,
        |draft| draft.status = Status::ApprovalPending,
    ];
    for edit in others {
        let mut draft = draft.clone();
        edit(&mut draft);
        assert!(guard::delegation(&request.guard, &draft).is_some(), "{draft:?}");
    }
}

/// What the limits count: removals, privileged grants, customers, what cannot be taken back.
#[test]
fn limits_count_who_gains_and_loses_what() {
    let counted = |stage: Stage| {
        let limits = stage.plan().limits;
        let all = [
            limits.removals,
            limits.privileged_grants,
            limits.customers_touched,
            limits.irreversible,
        ];
        all.map(|one| one.planned)
    };
    let fresh = with(ops(), 1, Status::Active, |_| ()).remembered(SEAT, |known| {
        let mut what = Applied::read(&known.managed.spec);
        what.fields.clear();
        known.managed.spec = what.to_json().unwrap();
    });
    assert_eq!(counted(fresh), [0; 4], "the customer has just approved it");
    assert_eq!(counted(whole()), [0; 4]);
    let readers = with(ops(), 1, Status::Active, |one| {
        one.assignments = Some(vec![assigned("Service Desk", "Directory Readers")]);
    });
    assert_eq!(counted(readers), [0, 0, 1, 0], "more for a group");
    assert_eq!(counted(edited(whole(), LESS)), [1, 0, 1, 0], "less for a group");
    let another = "{to: helpdesk-agent, directoryRoles: [Privileged Role Administrator]}";
    let another = format!("grants: [{another}, ");
    let powerful = with(ops(), 1, Status::Active, |one| {
        one.roles.extend(roles("Privileged Role Administrator"));
        one.assignments = Some(vec![assigned("Service Desk", DECLARED)]);
    });
    let powerful = edited(powerful, ("grants: [", &another));
    assert_eq!(counted(powerful), [0, 1, 1, 0], "power for another group");
    assert_eq!(counted(whole().without("ops")), [1, 0, 1, 1], "nobody any more");
}
