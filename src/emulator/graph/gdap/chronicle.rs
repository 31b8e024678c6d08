//! What Partner Center writes down of delegated access.

use super::relationship::{Relationship, Status};
use crate::emulator::audit::{self, By, Deed};
use crate::emulator::store::{StoreError, Write};

/// What became of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Created,
    Activated,
    Updated,
    Deleted,
}

pub(super) fn assignment(
    tx: &Write<'_>,
    relationship: &str,
    event: Event,
) -> Result<(), StoreError> {
    let operation = match event {
        Event::Created => "granular_admin_access_assignment_created",
        Event::Activated => "granular_admin_access_assignment_activated",
        Event::Updated => "granular_admin_access_assignment_updated",
        Event::Deleted => "granular_admin_access_assignment_deleted",
    };
    match tx.get::<Relationship>(relationship)? {
        Some(found) => record(tx, &found.document, "granular_admin_access_assignment", operation),
        None => Ok(()),
    }
}

/// That a relationship came into a state; not all are written down.
pub(super) fn entered(tx: &Write<'_>, relationship: &Relationship) -> Result<(), StoreError> {
    let operation = match relationship.status {
        Status::Approved => "granular_admin_relationship_approved",
        Status::Active => "granular_admin_relationship_activated",
        Status::TerminationRequested => "granular_admin_relationship_termination_requested",
        Status::Terminated => "granular_admin_relationship_terminated",
        Status::Expired => "granular_admin_relationship_expired",
        Status::Created
        | Status::ApprovalPending
        | Status::Activating
        | Status::Expiring
        | Status::Terminating => return Ok(()),
    };
    record(tx, relationship, "granular_admin_relationship", operation)
}

fn record(
    tx: &Write<'_>,
    relationship: &Relationship,
    resource: &str,
    operation: &str,
) -> Result<(), StoreError> {
    let customer = relationship.customer.as_ref();
    let customer = customer
        .map(|one| (one.tenant_id.as_str(), one.display_name.as_deref().unwrap_or_default()));
    audit::record(
        tx,
        By::Elsewhere,
        &Deed { operation, resource, customer, before: None, after: None },
    )
}
