//! Makes things in the directory: what a seeded tenant begins with, and what requests come down to.
//!
//! Nothing is checked here that a caller may not do: that is the handlers' part. Everything keeps
//! the directory whole.

use serde_json::{Map, Value};

use crate::emulator::directory::{Group, Member, RoleAssignment, Sort, User};
use crate::emulator::store::{StoreError, Write};
use crate::emulator::tenant::role_assignment_id;

/// Makes a user. `other` holds further properties by their names in Graph, such as `mailNickname`
/// and `usageLocation`; `onPremisesSyncEnabled: true` makes it one that is kept on premises.
pub(crate) fn create_user(
    tx: &Write<'_>,
    sign_in_name: &str,
    display_name: &str,
    other: Map<String, Value>,
) -> Result<User, StoreError> {
    let mut other = other;
    let alias = sign_in_name.split('@').next().unwrap_or(sign_in_name);
    other.entry("mailNickname").or_insert_with(|| alias.into());
    let is_guest = sign_in_name.to_uppercase().contains("#EXT#");
    let user = User {
        id: tx.new_id()?.to_string(),
        user_principal_name: sign_in_name.to_owned(),
        display_name: display_name.to_owned(),
        account_enabled: !matches!(other.remove("accountEnabled"), Some(Value::Bool(false))),
        user_type: match other.remove("userType") {
            Some(Value::String(kind)) => kind,
            _ => if is_guest { "Guest" } else { "Member" }.to_owned(),
        },
        other,
    };
    tx.put(&user)?;
    Ok(user)
}

/// Makes a security group. `other` holds further properties by their names in Graph;
/// `isAssignableToRole` among them.
pub(crate) fn create_group(
    tx: &Write<'_>,
    display_name: &str,
    mail_nickname: &str,
    other: Map<String, Value>,
) -> Result<Group, StoreError> {
    let group = Group {
        id: tx.new_id()?.to_string(),
        display_name: display_name.to_owned(),
        mail_nickname: mail_nickname.to_owned(),
        mail_enabled: false,
        security_enabled: true,
        group_types: Vec::new(),
        other,
    };
    tx.put(&group)?;
    Ok(group)
}

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
