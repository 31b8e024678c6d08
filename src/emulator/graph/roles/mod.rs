//! Directory roles: definitions, who holds them, who may activate them.
//!
//! Two interfaces show the same assignments: `roleManagement/directory` (`assignments`), and the
//! older `directoryRoles` (`legacy`), which knows activated roles only.

mod assignments;
pub(crate) mod catalogue;
mod definitions;
mod eligibility;
mod legacy;

use axum::Router;

use crate::emulator::directory::{GLOBAL_ADMINISTRATOR, Group, RoleAssignment, Sort, User};
use crate::emulator::error::GraphError;
use crate::emulator::store::Read;
use crate::emulator::world::World;

pub(super) use legacy::show_activated;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .merge(definitions::routes())
        .merge(assignments::routes())
        .merge(eligibility::routes())
        .merge(legacy::routes())
}

/// Refuses to take an assignment away that the tenant cannot do without.
pub(super) fn must_leave_an_administrator(
    tx: &Read<'_>,
    going: &RoleAssignment,
) -> Result<(), GraphError> {
    if going.role_definition_id != GLOBAL_ADMINISTRATOR || going.directory_scope_id != "/" {
        return Ok(());
    }
    for other in tx.with::<RoleAssignment>("role", GLOBAL_ADMINISTRATOR)? {
        let is_user = tx.get::<User>(&other.principal_id)?.is_some();
        if other.id != going.id && other.directory_scope_id == "/" && is_user {
            return Ok(());
        }
    }
    let message = "The last Global Administrator of a tenant cannot be removed.";
    Err(GraphError::bad_request(message))
}

/// Refuses principals that cannot hold a role.
fn must_be_able_to_hold(tx: &Read<'_>, principal: &str) -> Result<(), GraphError> {
    match super::members::sort_of(tx, principal)? {
        None => Err(GraphError::not_found(principal)),
        Some(Sort::Group) => {
            let group = tx.get::<Group>(principal)?;
            if group.is_some_and(|group| super::rights::is_role_assignable(&group)) {
                Ok(())
            } else {
                let message = "The group is not assignable to a role.";
                Err(GraphError::bad_request(message))
            }
        }
        Some(Sort::User | Sort::ServicePrincipal) => Ok(()),
    }
}
