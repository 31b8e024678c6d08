//! Who belongs to what, and who holds which role: changes as requests come down to them.
//!
//! Nothing is checked here: that is the handlers' part. Each keeps the directory whole, and in the
//! sequence of changes.

use crate::emulator::directory::{Group, Member, RoleAssignment, Sort};
use crate::emulator::store::{StoreError, Write};
use crate::emulator::tenant::role_assignment_id;

/// Adds a member to a group; it may be one already.
pub(crate) fn add_member(
    tx: &Write<'_>,
    group: &str,
    member: &str,
    sort: Sort,
) -> Result<(), StoreError> {
    if tx.get::<Member>(&Member::id_of(group, member))?.is_none() {
        tx.put(&Member::new(group, member, sort))?;
        touch::<Group>(tx, group)?;
    }
    Ok(())
}

/// Takes a member out of a group; tells whether it was one.
pub(crate) fn remove_member(tx: &Write<'_>, group: &str, member: &str) -> Result<bool, StoreError> {
    let was = tx.get::<Member>(&Member::id_of(group, member))?.is_some();
    if was {
        tx.purge::<Member>(&Member::id_of(group, member))?;
        touch::<Group>(tx, group)?;
    }
    Ok(was)
}

/// Gives a directory role over the tenant for good; it may be held already.
pub(crate) fn assign_role(
    tx: &Write<'_>,
    principal: &str,
    role: &str,
) -> Result<RoleAssignment, StoreError> {
    let held = tx.with::<RoleAssignment>("principal", principal)?;
    let same = held
        .into_iter()
        .find(|held| held.role_definition_id == role && held.directory_scope_id == "/");
    if let Some(held) = same {
        return Ok(held.document);
    }
    let assignment = RoleAssignment {
        id: role_assignment_id(tx)?,
        role_definition_id: role.to_owned(),
        principal_id: principal.to_owned(),
        directory_scope_id: "/".to_owned(),
    };
    tx.put(&assignment)?;
    Ok(assignment)
}

/// Moves a document up in the sequence of changes, as it is: something that belongs to it changed.
fn touch<D: crate::emulator::store::Document>(tx: &Write<'_>, id: &str) -> Result<(), StoreError> {
    if let Some(found) = tx.get::<D>(id)? {
        tx.put(&found.document)?;
    }
    Ok(())
}
