//! Delegated access: relationships from the list, and what groups may do by those that are active.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::Error;
use super::super::graph::delegation;
use super::super::line::ReadingLine;
use super::super::snapshot::{
    Delegated, Delegation, DelegationStatus, ObjectId, RelationshipId, Scope,
};
use crate::model::id::TenantId;

pub(super) type All = BTreeMap<RelationshipId, Delegation>;

/// What is known from an earlier observation, and of whom it does not hold any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) delegated: &'a All,
    pub(super) touched: &'a BTreeSet<TenantId>,
}

pub(super) async fn read(
    line: &ReadingLine,
    scope: &Scope,
    known: Option<Known<'_>>,
) -> Result<All, Error> {
    if scope.delegated == Delegated::Nothing {
        return Ok(All::new());
    }
    let mut found = delegation::all(line).await?;
    let mut open = Vec::new();
    for (id, relationship) in &mut found {
        if relationship.status != DelegationStatus::Active
            || !scope.delegated.wants_assignments(relationship.customer)
        {
            continue;
        }
        relationship.assignments = known.and_then(|known| still_good(known, id, relationship));
        if relationship.assignments.is_none() {
            open.push(id.clone());
        }
    }
    for (id, assignments) in delegation::assignments(line, &open).await? {
        if let Some(relationship) = found.get_mut(&id) {
            relationship.assignments = Some(assignments);
        }
    }
    Ok(found)
}

/// The assignments seen earlier, if nothing can have moved them since.
fn still_good(
    known: Known<'_>,
    id: &RelationshipId,
    now: &Delegation,
) -> Option<Vec<super::super::snapshot::DelegatedAssignment>> {
    let before = known.delegated.get(id)?;
    let is_untouched = now.customer.is_some_and(|customer| !known.touched.contains(&customer))
        && before.etag == now.etag
        && before.modified_at == now.modified_at;
    let assignments = before.assignments.as_ref()?;
    let is_settled =
        assignments.iter().all(|one| matches!(one.status.as_str(), "active" | "deleted"));
    (is_untouched && is_settled).then(|| assignments.clone())
}

/// The groups that something was delegated to.
pub(super) fn groups(all: &All) -> BTreeSet<ObjectId> {
    all.values()
        .flat_map(|relationship| relationship.assignments.iter().flatten())
        .map(|assignment| assignment.group)
        .collect()
}
