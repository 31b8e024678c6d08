//! Delegated access as the service keeps it, on plain values, and as strict as its documents say: what
//! it would refuse is an error here.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::directory_role::GLOBAL_ADMINISTRATOR;
use crate::model::id::{RoleTemplateId, TenantId};
use crate::model::tenant::{
    DelegatedAssignment, Delegation, DelegationStatus as Status, GroupKind, ObjectId,
    RelationshipId, Snapshot,
};
use crate::plan::change::{Change, Target};

const PENDING: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Does what a step asks for; the id of what it was done to.
pub(crate) fn carry(
    tenant: &mut Snapshot,
    change: &Change,
    group_of: impl Fn(&Target) -> ObjectId,
) -> Result<RelationshipId, String> {
    let now = tenant.observed_at;
    if let Change::RequestDelegation { name, customer, days, roles, extend_days } = change {
        let id = begin(tenant, name, *customer, *days, roles.clone(), *extend_days)?;
        lock(tenant, &id)?;
        return Ok(id);
    }
    let id = change.relationship().ok_or("nothing of delegated access")?.clone();
    match change {
        Change::LockDelegation { .. } => lock(tenant, &id)?,
        Change::UpdateDelegation { days, roles, extend_days, .. } => {
            update(tenant, &id, *days, roles.as_ref(), *extend_days)?;
        }
        Change::DeleteDelegation { .. } => {
            must_be(tenant, &id, &Status::Created)?;
            tenant.delegated.remove(&id);
        }
        Change::TerminateDelegation { .. } => {
            must_be(tenant, &id, &Status::Active)?;
            end(tenant, &id, Status::Terminated);
        }
        Change::AssignDelegated { group, roles, instead_of, .. } => {
            let group = group_of(group);
            assign(tenant, &id, group, roles, instead_of.as_deref())?;
        }
        Change::UpdateDelegated { assignment, roles, .. } => {
            must_be(tenant, &id, &Status::Active)?;
            let within = found(tenant, &id)?;
            check(roles, &within.roles)?;
            held(within, assignment)?.roles.clone_from(roles);
        }
        Change::UnassignDelegated { assignment, group, .. } => {
            let within = found(tenant, &id)?;
            let one = held(within, assignment)?;
            if one.group != *group {
                return Err("another group's assignment".to_owned());
            }
            one.status = "deleted".to_owned();
        }
        _ => return Err("nothing of delegated access".to_owned()),
    }
    if let Some(one) = tenant.delegated.get_mut(&id) {
        one.modified_at = Some(now);
        one.etag = Some(format!("W/\"{now}\""));
    }
    Ok(id)
}

/// Makes one that is not locked yet.
pub(crate) fn begin(
    tenant: &mut Snapshot,
    name: &str,
    customer: TenantId,
    days: u32,
    roles: BTreeSet<RoleTemplateId>,
    extend_days: u32,
) -> Result<RelationshipId, String> {
    let now = tenant.observed_at;
    if name.is_empty() || name.chars().count() > 50 {
        return Err(format!("the name {name:?} has a length that is refused"));
    }
    if tenant.delegated.values().any(|one| one.name.eq_ignore_ascii_case(name)) {
        return Err(format!("the name {name} is taken"));
    }
    if !(1..=730).contains(&days) {
        return Err(format!("no relationship lasts {days} days"));
    }
    if roles.is_empty() {
        return Err("a relationship without roles".to_owned());
    }
    extension(&roles, extend_days)?;
    let id = RelationshipId(format!("{:08}-relationship", tenant.delegated.len()));
    let id = if tenant.delegated.contains_key(&id) {
        RelationshipId(format!("{}-{name}", id.0))
    } else {
        id
    };
    tenant.delegated.insert(
        id.clone(),
        Delegation {
            name: name.to_owned(),
            customer: Some(customer),
            duration_days: Some(days),
            roles,
            auto_extend_days: extend_days,
            status: Status::Created,
            created_at: Some(now),
            modified_at: Some(now),
            activated_at: None,
            ends_at: None,
            etag: Some("W/\"1\"".to_owned()),
            provider: None,
            awaits_our_consent: false,
            assignments: None,
        },
    );
    Ok(id)
}

fn extension(roles: &BTreeSet<RoleTemplateId>, days: u32) -> Result<(), String> {
    if !matches!(days, 0 | 180) {
        return Err(format!("nothing extends itself by {days} days"));
    }
    if days > 0 && roles.contains(&GLOBAL_ADMINISTRATOR.0) {
        return Err("nothing with Global Administrator extends itself".to_owned());
    }
    Ok(())
}

fn found<'t>(tenant: &'t mut Snapshot, id: &RelationshipId) -> Result<&'t mut Delegation, String> {
    tenant.delegated.get_mut(id).ok_or_else(|| format!("no relationship {}", id.0))
}

fn must_be(tenant: &mut Snapshot, id: &RelationshipId, status: &Status) -> Result<(), String> {
    let now = &found(tenant, id)?.status;
    if now == status { Ok(()) } else { Err(format!("not while it is {now:?}")) }
}

fn held<'t>(
    within: &'t mut Delegation,
    assignment: &str,
) -> Result<&'t mut DelegatedAssignment, String> {
    within
        .assignments
        .iter_mut()
        .flatten()
        .find(|one| one.id == assignment && !matches!(one.status.as_str(), "deleting" | "deleted"))
        .ok_or_else(|| format!("no assignment {assignment}"))
}

fn check(
    roles: &BTreeSet<RoleTemplateId>,
    within: &BTreeSet<RoleTemplateId>,
) -> Result<(), String> {
    if roles.is_empty() {
        return Err("an assignment without roles".to_owned());
    }
    if roles.is_subset(within) { Ok(()) } else { Err("a role outside the relationship".to_owned()) }
}

fn lock(tenant: &mut Snapshot, id: &RelationshipId) -> Result<(), String> {
    must_be(tenant, id, &Status::Created)?;
    let now = tenant.observed_at;
    let one = found(tenant, id)?;
    one.status = Status::ApprovalPending;
    one.modified_at = Some(now);
    Ok(())
}

fn update(
    tenant: &mut Snapshot,
    id: &RelationshipId,
    days: Option<u32>,
    roles: Option<&BTreeSet<RoleTemplateId>>,
    extend_days: Option<u32>,
) -> Result<(), String> {
    let one = found(tenant, id)?;
    match one.status {
        Status::Created => {
            one.duration_days = days.or(one.duration_days);
            if let Some(roles) = roles {
                if roles.is_empty() {
                    return Err("a relationship without roles".to_owned());
                }
                one.roles.clone_from(roles);
            }
        }
        Status::Active => {
            if days.is_some() {
                return Err("the duration of an active one".to_owned());
            }
            if let Some(roles) = roles {
                let mut rest = one.roles.clone();
                if !rest.remove(&GLOBAL_ADMINISTRATOR.0) || rest != *roles || rest.is_empty() {
                    return Err("of roles, only Global Administrator can go".to_owned());
                }
                one.roles = rest;
                for held in one.assignments.iter_mut().flatten() {
                    held.roles.remove(&GLOBAL_ADMINISTRATOR.0);
                }
                one.assignments
                    .iter_mut()
                    .for_each(|all| all.retain(|held| !held.roles.is_empty()));
            }
        }
        _ => return Err(format!("nothing changes while it is {:?}", one.status)),
    }
    if let Some(days) = extend_days {
        extension(&one.roles, days)?;
        one.auto_extend_days = days;
    }
    Ok(())
}

fn end(tenant: &mut Snapshot, id: &RelationshipId, status: Status) {
    let now = tenant.observed_at;
    if let Some(one) = tenant.delegated.get_mut(id) {
        one.status = status;
        one.modified_at = Some(now);
        for held in one.assignments.iter_mut().flatten() {
            held.status = "deleted".to_owned();
        }
    }
}

fn assign(
    tenant: &mut Snapshot,
    id: &RelationshipId,
    group: ObjectId,
    roles: &BTreeSet<RoleTemplateId>,
    instead_of: Option<&str>,
) -> Result<(), String> {
    must_be(tenant, id, &Status::Active)?;
    let kind = tenant.groups.get(&group).map(|group| group.kind);
    if !matches!(kind, Some(GroupKind::Security)) {
        return Err(format!("{group} is no security group"));
    }
    let one = found(tenant, id)?;
    check(roles, &one.roles)?;
    let all = one.assignments.get_or_insert_default();
    if let Some(failed) = instead_of {
        if !all.iter().any(|held| held.id == failed && held.status == "error") {
            return Err("what is replaced has not failed".to_owned());
        }
        all.retain(|held| held.id != failed);
    }
    if all.iter().any(|held| held.group == group && held.status != "deleted") {
        return Err("the group has an assignment already".to_owned());
    }
    all.push(DelegatedAssignment {
        id: format!("{}-{group}-{}", id.0, all.len()),
        group,
        roles: roles.clone(),
        status: "active".to_owned(),
        etag: Some("W/\"1\"".to_owned()),
    });
    Ok(())
}

// What others do.

/// The customer's administrator says yes.
pub(crate) fn approve(tenant: &mut Snapshot, id: &RelationshipId) {
    let now = tenant.observed_at;
    let one = tenant.delegated.get_mut(id).unwrap();
    assert_eq!(one.status, Status::ApprovalPending);
    one.status = Status::Active;
    one.activated_at = Some(now);
    one.modified_at = Some(now);
    let days = i64::from(one.duration_days.unwrap());
    one.ends_at = Some(now + SignedDuration::from_hours(days * 24));
    one.assignments = Some(Vec::new());
}

/// The customer says no, or ends what it had approved.
pub(crate) fn refuse(tenant: &mut Snapshot, id: &RelationshipId) {
    end(tenant, id, Status::Terminated);
}

/// Time passes.
pub(crate) fn pass(tenant: &mut Snapshot, days: i64) {
    tenant.observed_at += SignedDuration::from_hours(days * 24);
    let now = tenant.observed_at;
    let all: Vec<RelationshipId> = tenant.delegated.keys().cloned().collect();
    for id in all {
        let one = tenant.delegated.get_mut(&id).unwrap();
        match one.status {
            Status::ApprovalPending if is_past(one.modified_at, now, PENDING) => {
                end(tenant, &id, Status::Expired);
            }
            Status::Active => {
                while let Some(at) = one.ends_at.filter(|at| *at <= now) {
                    if one.auto_extend_days == 0 {
                        break;
                    }
                    one.ends_at = Some(at + SignedDuration::from_hours(180 * 24));
                }
                if one.ends_at.is_some_and(|at| at <= now) {
                    end(tenant, &id, Status::Expired);
                }
            }
            _ => {}
        }
    }
}

fn is_past(from: Option<Timestamp>, now: Timestamp, by: SignedDuration) -> bool {
    from.is_some_and(|from| from + by <= now)
}

/// What a group may do with a customer, by all that is active.
pub(crate) fn access(tenant: &Snapshot) -> BTreeSet<(TenantId, ObjectId, RoleTemplateId)> {
    let all = tenant.delegated.values();
    all.flat_map(|one| {
        let given = access_by(one).into_iter();
        given.map(|(group, role)| (one.customer.unwrap(), group, role)).collect::<Vec<_>>()
    })
    .collect()
}

/// The same by one relationship.
pub(crate) fn access_by(one: &Delegation) -> Vec<(ObjectId, RoleTemplateId)> {
    if one.status != Status::Active {
        return Vec::new();
    }
    let held = one.assignments.iter().flatten().filter(|held| held.status == "active");
    held.flat_map(|held| held.roles.intersection(&one.roles).map(|role| (held.group, *role)))
        .collect()
}
