//! Activated roles and their members: the older interface to the same assignments.

use axum::Router;
use axum::extract::Path;
use axum::routing::{delete, get};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::catalogue::{self, BuiltIn};
use super::{must_be_able_to_hold, must_leave_an_administrator};
use crate::emulator::directory::{GLOBAL_ADMINISTRATOR, RoleAssignment};
use crate::emulator::error::GraphError;
use crate::emulator::graph::call::{Answer, Call, annotated, created, no_content, ok};
use crate::emulator::graph::list::short;
use crate::emulator::graph::members::{reference, typed};
use crate::emulator::graph::objects;
use crate::emulator::graph::property::need;
use crate::emulator::graph::query::{LIST, ONE};
use crate::emulator::graph::rights::{READ_ROLES, WRITE_ROLES};
use crate::emulator::store::{Range, Read, StoreError};
use crate::emulator::tenant::Tenant;
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/directoryRoleTemplates", get(templates))
        .route("/directoryRoles", get(list).post(activate))
        .route("/directoryRoles/{id}", get(one))
        .route("/directoryRoles/{id}/members", get(members))
        .route("/directoryRoles/{id}/members/$ref", get(members).post(add))
        .route("/directoryRoles/{id}/members/{member}/$ref", delete(remove))
}

/// Templates of roles that somebody activated.
const ACTIVATED: &str = "activated-roles";
const PAGE_MAX: usize = 999;

/// The ids of roles are each tenant's own.
fn role_id(tenant: &Tenant, role: &BuiltIn) -> String {
    let digest = Sha256::digest(format!("{}/{}", tenant.id, role.id));
    let bits = digest.iter().take(16).fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte));
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
}

/// A role is activated by who asks for it, or gives it to somebody.
fn is_activated(tx: &Read<'_>, role: &BuiltIn) -> Result<bool, StoreError> {
    let asked: Vec<String> = tx.setting(ACTIVATED)?.unwrap_or_default();
    Ok(role.id == GLOBAL_ADMINISTRATOR
        || asked.contains(&role.id)
        || tx.count::<RoleAssignment>("role", &Range::Equals(&role.id))? > 0)
}

fn show(tenant: &Tenant, role: &BuiltIn) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("id".to_owned(), role_id(tenant, role).into());
    object.insert("deletedDateTime".to_owned(), Value::Null);
    object.insert("description".to_owned(), role.description().into());
    object.insert("displayName".to_owned(), role.name.into());
    object.insert("roleTemplateId".to_owned(), role.id.clone().into());
    object
}

/// A role as one of the things that somebody is a member of.
pub(in crate::emulator::graph) fn show_activated(
    tx: &Read<'_>,
    template: &str,
) -> Result<Option<Map<String, Value>>, GraphError> {
    let tenant = Tenant::of(tx)?;
    Ok(catalogue::by_id(template).map(|role| typed("directoryRole", show(&tenant, role))))
}

/// The activated role with an id, or `roleTemplateId=...`.
fn find(tx: &Read<'_>, id: &str) -> Result<&'static BuiltIn, GraphError> {
    let tenant = Tenant::of(tx)?;
    let template = id.strip_prefix("roleTemplateId=").map(|id| id.trim_matches('\''));
    let is_it = |role: &&BuiltIn| match template {
        Some(template) => role.id.eq_ignore_ascii_case(template),
        None => role_id(&tenant, role).eq_ignore_ascii_case(id),
    };
    match catalogue::all().iter().find(is_it) {
        Some(role) if is_activated(tx, role)? => Ok(role),
        _ => Err(GraphError::not_found(id)),
    }
}

async fn templates(call: Call) -> Answer {
    let query = call.query(LIST)?;
    call.read(|tx| call.may_read(tx, READ_ROLES))?;
    let all = catalogue::all()
        .iter()
        .map(|role| {
            let mut object = Map::new();
            object.insert("id".to_owned(), role.id.clone().into());
            object.insert("deletedDateTime".to_owned(), Value::Null);
            object.insert("description".to_owned(), role.description().into());
            object.insert("displayName".to_owned(), role.name.into());
            object
        })
        .collect();
    let page = short(&query, all, PAGE_MAX)?.map(|object| query.project(object, &[]));
    Ok(call.collection("directoryRoleTemplates", page))
}

async fn list(call: Call) -> Answer {
    let query = call.query(&["select", "filter", "count"])?;
    let all = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        let tenant = Tenant::of(tx)?;
        let mut all = Vec::new();
        for role in catalogue::all() {
            if is_activated(tx, role)? {
                all.push(show(&tenant, role));
            }
        }
        Ok(all)
    })?;
    let mut query = query;
    // This collection has no pages.
    query.top = Some(PAGE_MAX);
    let page = short(&query, all, PAGE_MAX)?.map(|object| query.project(object, &[]));
    Ok(call.collection(&format!("directoryRoles{}", query.chosen()), page))
}

async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        Ok(show(&Tenant::of(tx)?, find(tx, &id)?))
    })?;
    let context = call.context("directoryRoles/$entity");
    Ok(ok(annotated([("@odata.context", context)], query.project(object, &[]))))
}

async fn activate(call: Call) -> Answer {
    call.must_have(WRITE_ROLES)?;
    let body = call.object()?;
    let template = need(&body, "roleTemplateId")?;
    let role = catalogue::by_id(template).ok_or_else(|| GraphError::not_found(template))?;
    let object = call.write(|tx| {
        call.actor(tx)?.may_write_roles()?;
        if is_activated(tx, role)? {
            let message = "A conflicting object with one or more of the specified property values is present in the directory.";
            return Err(GraphError::bad_request(message));
        }
        let mut asked: Vec<String> = tx.setting(ACTIVATED)?.unwrap_or_default();
        asked.push(role.id.clone());
        tx.set(ACTIVATED, &asked)?;
        Ok(show(&Tenant::of(tx)?, role))
    })?;
    let location = call.url(&format!("/directoryRoles/{}", objects::id_of(&object)));
    let context = call.context("directoryRoles/$entity");
    Ok(created(&location, annotated([("@odata.context", context)], object)))
}

async fn members(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(LIST)?;
    objects::must_know(&query)?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        let role = find(tx, &id)?;
        let mut all = Vec::new();
        for held in tx.with::<RoleAssignment>("role", &role.id)? {
            if held.directory_scope_id == "/" {
                all.extend(objects::show(tx, &held.principal_id)?);
            }
        }
        short(&query, all, PAGE_MAX)
    })?;
    let page = page.map(|object| objects::project(&query, object));
    Ok(call.collection(&format!("directoryObjects{}", query.chosen()), page))
}

async fn add(Path(id): Path<String>, call: Call) -> Answer {
    call.must_have(WRITE_ROLES)?;
    let member = reference(&call)?;
    call.write(|tx| {
        call.actor(tx)?.may_write_roles()?;
        let role = find(tx, &id)?;
        must_be_able_to_hold(tx, &member)?;
        if held(tx, role, &member)?.is_some() {
            let message = "One or more added object references already exist for the following modified properties: 'members'.";
            return Err(GraphError::bad_request(message));
        }
        crate::emulator::graph::directory::assign_role(tx, &member, &role.id)?;
        Ok(())
    })?;
    Ok(no_content())
}

async fn remove(Path((id, member)): Path<(String, String)>, call: Call) -> Answer {
    call.must_have(WRITE_ROLES)?;
    call.write(|tx| {
        call.actor(tx)?.may_write_roles()?;
        let role = find(tx, &id)?;
        let member = member.to_lowercase();
        let held = held(tx, role, &member)?.ok_or_else(|| GraphError::not_found(&member))?;
        must_leave_an_administrator(tx, &held)?;
        tx.purge::<RoleAssignment>(&held.id)?;
        Ok(())
    })?;
    Ok(no_content())
}

fn held(tx: &Read<'_>, role: &BuiltIn, member: &str) -> Result<Option<RoleAssignment>, StoreError> {
    let all = tx.with::<RoleAssignment>("principal", member)?;
    let is_it = |held: &RoleAssignment| {
        held.role_definition_id == role.id && held.directory_scope_id == "/"
    };
    Ok(all.into_iter().map(|found| found.document).find(is_it))
}
