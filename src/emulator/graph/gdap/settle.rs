//! Does what time has done since somebody last looked.
//!
//! Everything that moves by itself has a key `due`; what is due is moved, in the order of causes:
//! requests and operations before the relationships they are about. The clock of the tenant can
//! leap by years, so each is moved as far as it has come at once.

use jiff::{SignedDuration, Timestamp};

use super::assignment::{Assignment, AssignmentStatus};
use super::chronicle::{self, Event};
use super::customer;
use super::due_key;
use super::operation::{Change, Operation, OperationStatus};
use super::relationship::{Moved, Relationship, Status, after};
use super::request::{Action, Request, RequestStatus};
use crate::emulator::directory::GLOBAL_ADMINISTRATOR;
use crate::emulator::store::{Document, Found, Range, Read, Scan, Store, StoreError, Write};
use crate::emulator::tenant::Quirks;

/// So many at a time: a hundred thousand may be due at once.
const BATCH: usize = 500;
/// How long a deleted assignment is still listed.
const DELETED_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Something that moves by itself, and has a key `due` while it will.
trait Timed: Document {
    /// Moves it past now.
    fn pass(self, tx: &Write<'_>, step: SignedDuration) -> Result<(), StoreError>;
}

/// Brings delegated access up to the tenant's time; costs four look-ups when nothing is due.
pub(crate) fn settle(store: &Store) -> Result<(), StoreError> {
    if store.read(is_anything_due)? { store.write(settle_in) } else { Ok(()) }
}

/// The same within a transaction.
pub(crate) fn settle_in(tx: &Write<'_>) -> Result<(), StoreError> {
    let step = Quirks::of(tx)?.step();
    settle_all::<Request>(tx, step)?;
    settle_all::<Assignment>(tx, step)?;
    settle_all::<Operation>(tx, step)?;
    settle_all::<Relationship>(tx, step)
}

fn is_anything_due(tx: &Read<'_>) -> Result<bool, StoreError> {
    Ok(is_due::<Request>(tx)?
        || is_due::<Assignment>(tx)?
        || is_due::<Operation>(tx)?
        || is_due::<Relationship>(tx)?)
}

fn is_due<D: Timed>(tx: &Read<'_>) -> Result<bool, StoreError> {
    Ok(!due::<D>(tx, 1)?.is_empty())
}

fn due<D: Timed>(tx: &Read<'_>, limit: usize) -> Result<Vec<Found<D>>, StoreError> {
    // By the key alone: each relationship is due one day, and none of those is to be read now.
    let beyond_now = format!("{}\0", due_key(tx.now()));
    let range = Range::Between("", &beyond_now);
    Ok(tx.scan::<D>(&Scan { range, ..Scan::all("due").limit(limit) })?.items)
}

fn settle_all<D: Timed>(tx: &Write<'_>, step: SignedDuration) -> Result<(), StoreError> {
    loop {
        let batch = due::<D>(tx, BATCH)?;
        if batch.is_empty() {
            return Ok(());
        }
        for item in batch {
            item.document.pass(tx, step)?;
        }
    }
}

impl Timed for Request {
    fn pass(mut self, tx: &Write<'_>, step: SignedDuration) -> Result<(), StoreError> {
        let at = self.due_at.take().unwrap_or_else(|| tx.now());
        let relationship = tx.get::<Relationship>(&self.relationship)?;
        let mut done = false;
        if let Some(found) = relationship {
            let mut relationship = found.document;
            done = match self.action {
                Action::LockForApproval => relationship.lock(at),
                Action::Terminate => relationship.terminate(at, step),
                Action::Approve => relationship.answer_provider(true, at),
                Action::Reject => relationship.answer_provider(false, at),
            }
            .is_ok();
            if done {
                keep(tx, relationship, step)?;
            }
        }
        self.status = if done { RequestStatus::Succeeded } else { RequestStatus::Failed };
        self.modified_at = at;
        tx.put(&self)?;
        Ok(())
    }
}

impl Timed for Assignment {
    fn pass(mut self, tx: &Write<'_>, _: SignedDuration) -> Result<(), StoreError> {
        let at = self.due_at.take().unwrap_or_else(|| tx.now());
        self.modified_at = at;
        match self.status {
            AssignmentStatus::Pending => {
                self.status = AssignmentStatus::Active;
                chronicle::assignment(tx, &self.relationship, Event::Activated)?;
            }
            AssignmentStatus::Deleting => {
                self.status = AssignmentStatus::Deleted;
                self.due_at = Some(after(at, DELETED_KEPT));
            }
            AssignmentStatus::Deleted => {
                tx.purge::<Self>(&self.id)?;
                return Ok(());
            }
            AssignmentStatus::Active => {}
        }
        tx.put(&self)?;
        Ok(())
    }
}

impl Timed for Operation {
    fn pass(mut self, tx: &Write<'_>, step: SignedDuration) -> Result<(), StoreError> {
        let at = self.due_at.take().unwrap_or_else(|| tx.now());
        self.modified_at = at;
        if self.status == OperationStatus::NotStarted && step.is_positive() {
            self.status = OperationStatus::Running;
            self.due_at = Some(after(at, step));
        } else {
            let done = match &self.change {
                Change::AssignmentRoles { assignment, roles } => {
                    change_roles(tx, assignment, roles.clone(), at)?
                }
                Change::WithoutGlobalAdministrator => {
                    drop_global_administrator(tx, &self.relationship, at, step)?
                }
            };
            self.status = if done { OperationStatus::Succeeded } else { OperationStatus::Failed };
        }
        tx.put(&self)?;
        Ok(())
    }
}

impl Timed for Relationship {
    fn pass(self, tx: &Write<'_>, step: SignedDuration) -> Result<(), StoreError> {
        keep(tx, self, step)
    }
}

/// Keeps a relationship, as time has made it until now, with all that follows.
pub(super) fn keep(
    tx: &Write<'_>,
    relationship: Relationship,
    step: SignedDuration,
) -> Result<(), StoreError> {
    let id = relationship.id.clone();
    let customer = relationship.customer.clone();
    let before = tx.get::<Relationship>(&id)?.map(|found| found.document.status);
    match relationship.settle(tx.now(), step) {
        Moved::To(relationship) => {
            tx.put(&*relationship)?;
            if before != Some(relationship.status) {
                chronicle::entered(tx, &relationship)?;
            }
            if relationship.status.is_over() {
                end_assignments(tx, &relationship)?;
            }
        }
        Moved::Gone => forget(tx, &id)?,
    }
    customer.map_or(Ok(()), |customer| customer::reconsider(tx, &customer))
}

/// Removes a relationship with everything that hangs on it.
pub(super) fn forget(tx: &Write<'_>, id: &str) -> Result<(), StoreError> {
    for assignment in tx.with::<Assignment>("relationship", id)? {
        tx.purge::<Assignment>(&assignment.id)?;
    }
    for request in tx.with::<Request>("relationship", id)? {
        tx.purge::<Request>(&request.id)?;
    }
    for operation in tx.with::<Operation>("relationship", id)? {
        tx.purge::<Operation>(&operation.id)?;
    }
    tx.purge::<Relationship>(id)?;
    Ok(())
}

fn end_assignments(tx: &Write<'_>, relationship: &Relationship) -> Result<(), StoreError> {
    debug_assert!(matches!(relationship.status, Status::Expired | Status::Terminated));
    for found in tx.with::<Assignment>("relationship", &relationship.id)? {
        if found.status.is_alive() {
            tx.put(&Assignment {
                status: AssignmentStatus::Deleted,
                modified_at: relationship.modified_at,
                // It goes when its relationship goes.
                due_at: None,
                ..found.document
            })?;
        }
    }
    Ok(())
}

fn change_roles(
    tx: &Write<'_>,
    id: &str,
    roles: Vec<String>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let Some(found) = tx.get::<Assignment>(id)?.filter(|found| found.status.is_alive()) else {
        return Ok(false);
    };
    chronicle::assignment(tx, &found.relationship, Event::Updated)?;
    tx.put(&Assignment { roles, modified_at: at, ..found.document })?;
    Ok(true)
}

fn drop_global_administrator(
    tx: &Write<'_>,
    id: &str,
    at: Timestamp,
    step: SignedDuration,
) -> Result<bool, StoreError> {
    let is_other = |role: &String| !role.eq_ignore_ascii_case(GLOBAL_ADMINISTRATOR);
    let found = tx.get::<Relationship>(id)?.filter(|found| found.status == Status::Active);
    let Some(found) = found else { return Ok(false) };
    let mut relationship = found.document;
    relationship.roles.retain(is_other);
    relationship.modified_at = at;
    for found in tx.with::<Assignment>("relationship", id)? {
        if found.roles.iter().all(is_other) {
            continue;
        }
        let mut assignment = found.document;
        assignment.roles.retain(is_other);
        assignment.modified_at = at;
        if assignment.roles.is_empty() {
            assignment.status = AssignmentStatus::Deleting;
            assignment.due_at = Some(after(at, step));
        }
        chronicle::assignment(tx, &relationship.id, Event::Updated)?;
        tx.put(&assignment)?;
    }
    keep(tx, relationship, step)?;
    Ok(true)
}
