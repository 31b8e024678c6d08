//! The roles that Partner Center keeps itself, outside the directory.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Body;
use super::access::{self, check};
use super::customers::created;
use super::documents::{Role, RoleMember};
use super::wire::{Paging, collection, ok, text};
use crate::emulator::audit::{By, Deed, record};
use crate::emulator::caller::Caller;
use crate::emulator::directory::User;
use crate::emulator::error::{CenterError, Code};
use crate::emulator::store::{Read, Scan, StoreError, Write};
use crate::emulator::tenant::Tenant;
use crate::emulator::world::World;

/// Their names. Two were seen with these ids; the others' ids are the tenant's own.
const ROLES: [(&str, Option<&str>); 11] = [
    ("Account Admin", None),
    ("MPN Partner Admin", None),
    ("Business Profile Admin", None),
    ("Referrals Admin", None),
    ("Referrals User", None),
    ("Incentives Admin", None),
    ("Incentives User", None),
    ("Co-Sell Solution Admin", None),
    ("Executive Report Viewer", Some("6c1f4f4b-3a0f-4b9d-8d1f-2f0f5ac5a1d1")),
    ("Report Viewer", Some("9c0a2f6d-1f3e-4a8b-bb44-1ac4e7b0a7e2")),
    ("Compliance Admin", None),
];

/// The roles that there are before anybody holds one.
pub(crate) fn begin(tx: &Write<'_>) -> Result<(), StoreError> {
    for (name, id) in ROLES {
        let id = id.map_or_else(|| tx.new_id().map(|id| id.to_string()), |id| Ok(id.to_owned()))?;
        tx.put(&Role { id, name: name.to_owned(), category: "partner".to_owned() })?;
    }
    Ok(())
}

fn written(role: &Role) -> Value {
    json!({
        "id": role.id,
        "name": role.name,
        "category": role.category,
        "attributes": {"objectType": "Role"},
    })
}

fn member_written(member: &RoleMember) -> Value {
    json!({
        "id": member.user,
        "displayName": member.display_name,
        "userPrincipalName": member.user_principal_name,
        "roleId": member.role,
        "accountId": member.account,
        "attributes": {"objectType": "UserMember"},
    })
}

/// `GET /roles`
pub(super) async fn list(
    State(world): State<World>,
    caller: Caller,
) -> Result<Response, CenterError> {
    let roles = world.store().read(|tx| {
        check(tx, &caller, access::ASSIGN_ROLES)?;
        Ok::<_, CenterError>(tx.scan::<Role>(&Scan::all("name"))?.items)
    })?;
    let items: Vec<Value> = roles.iter().map(|role| written(role)).collect();
    Ok(ok(&collection(&items), &world.quirks()))
}

/// `GET /roles/{role}`
pub(super) async fn get(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let role = world.store().read(|tx| {
        check(tx, &caller, access::ASSIGN_ROLES)?;
        role(tx, &id)
    })?;
    Ok(ok(&written(&role), &world.quirks()))
}

fn role(tx: &Read<'_>, id: &str) -> Result<Role, CenterError> {
    let role = tx.get::<Role>(id)?.map(|found| found.document);
    role.ok_or_else(|| CenterError::not_found(format!("Role {id} was not found.")))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MembersQuery {
    size: Option<String>,
    sort_field: Option<String>,
    sort_direction: Option<String>,
}

/// `GET /roles/{role}/usermembers`
pub(super) async fn members(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(query): Query<MembersQuery>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let is = |given: &Option<String>, word: &str| {
        given.as_deref().is_some_and(|given| given.eq_ignore_ascii_case(word))
    };
    let paging = Paging::of(query.size.as_deref(), &headers)?;
    if paging.size() == Some(0) {
        return Err(CenterError::invalid("The size must be between 1 and 500."));
    }
    let key = if is(&query.sort_field, "DisplayName") { "by-name" } else { "by-sign-in-name" };
    let body = world.store().read(|tx| {
        check(tx, &caller, access::ASSIGN_ROLES)?;
        let role = role(tx, &id)?;
        let range = format!("{} ", role.id);
        let mut scan = Scan::prefix(key, &range);
        if is(&query.sort_direction, "Descending") {
            scan = scan.backwards();
        }
        let page = paging.page::<RoleMember>(tx, scan)?;
        let size = paging.size().unwrap_or(500);
        let path = format!("/roles/{}/usermembers?size={size}", role.id);
        Ok::<_, CenterError>(page.write(&quirks, &path, member_written))
    })?;
    Ok(ok(&body, &quirks))
}

/// `POST /roles/{role}/usermembers`
pub(super) async fn add(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let written = world.store().write(|tx| {
        check(tx, &caller, access::ASSIGN_ROLES)?;
        let role = role(tx, &id)?;
        let user = text(&body, "id")
            .ok_or_else(|| CenterError::invalid("The id of the member has to be set."))?;
        let user = tx.get::<User>(&user.to_lowercase())?.ok_or_else(|| {
            let message = format!("User {user} was not found.");
            CenterError::new(StatusCode::NOT_FOUND, Code::Text(60002), message)
        })?;
        // Its scope: the organization, unless a location is named.
        let account = match text(&body, "accountId") {
            Some(account) => account.to_owned(),
            None => Tenant::of(tx)?.id,
        };
        let member = RoleMember {
            id: RoleMember::id_of(&role.id, &user.id, &account),
            role: role.id.clone(),
            user: user.id.clone(),
            account,
            display_name: user.display_name.clone(),
            user_principal_name: user.user_principal_name.clone(),
        };
        tx.put(&member)?;
        audit(tx, &caller, "add_user_member", &role, &member)?;
        Ok::<_, CenterError>(member_written(&member))
    })?;
    Ok(created(&written, &quirks))
}

/// `DELETE /roles/{role}/usermembers/{member}`: everywhere that the user holds it.
pub(super) async fn remove(
    State(world): State<World>,
    caller: Caller,
    Path((id, member)): Path<(String, String)>,
) -> Result<Response, CenterError> {
    let fails = world.quirks().role_member_delete_fails;
    world.store().write(|tx| {
        check(tx, &caller, access::ASSIGN_ROLES)?;
        let role = role(tx, &id)?;
        if fails {
            return Err(CenterError::invalid("Account Id has to be set."));
        }
        let held = tx.with::<RoleMember>("holder", &format!("{} {member}", role.id))?;
        if held.is_empty() {
            return Err(CenterError::not_found(format!("Member {member} was not found.")));
        }
        for member in held {
            tx.purge::<RoleMember>(&member.id)?;
            audit(tx, &caller, "remove_user_member", &role, &member)?;
        }
        Ok::<_, CenterError>(StatusCode::NO_CONTENT.into_response())
    })
}

fn audit(
    tx: &Write<'_>,
    caller: &Caller,
    operation: &str,
    role: &Role,
    member: &RoleMember,
) -> Result<(), StoreError> {
    record(
        tx,
        By::Caller(caller),
        &Deed {
            operation,
            resource: "partner_user",
            customer: None,
            before: None,
            after: Some(json!({
                "roleName": role.name,
                "id": member.user,
                "userPrincipalName": member.user_principal_name,
            })),
        },
    )
}
