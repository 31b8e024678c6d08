//! What each role is called, and its id. All are built in.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Map, Value};

use super::catalogue::{self, BuiltIn};
use crate::emulator::error::GraphError;
use crate::emulator::graph::call::{Answer, Call, annotated, ok};
use crate::emulator::graph::list::short;
use crate::emulator::graph::query::{LIST, ONE};
use crate::emulator::graph::rights::READ_ROLES;
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/roleManagement/directory/roleDefinitions", get(list))
        .route("/roleManagement/directory/roleDefinitions/{id}", get(one))
}

const PAGE_MAX: usize = 999;
const NAMES: &[&str] = &[
    "id",
    "description",
    "displayName",
    "isBuiltIn",
    "isEnabled",
    "resourceScopes",
    "templateId",
    "version",
];

async fn list(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("unifiedRoleDefinition", NAMES)?;
    call.read(|tx| call.may_read(tx, READ_ROLES))?;
    let all = catalogue::all().iter().map(show).collect();
    let page = short(&query, all, PAGE_MAX)?.map(|object| query.project(object, &[]));
    let fragment = format!("roleManagement/directory/roleDefinitions{}", query.chosen());
    Ok(call.collection(&fragment, page))
}

async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    query.must_know("unifiedRoleDefinition", NAMES)?;
    call.read(|tx| call.may_read(tx, READ_ROLES))?;
    let role = catalogue::by_id(&id).ok_or_else(|| GraphError::not_found(&id))?;
    let context = call.context("roleManagement/directory/roleDefinitions/$entity");
    Ok(ok(annotated([("@odata.context", context)], query.project(show(role), &[]))))
}

pub(super) fn show(role: &BuiltIn) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("id".to_owned(), role.id.clone().into());
    object.insert("description".to_owned(), role.description().into());
    object.insert("displayName".to_owned(), role.name.into());
    object.insert("isBuiltIn".to_owned(), true.into());
    object.insert("isEnabled".to_owned(), true.into());
    object.insert("resourceScopes".to_owned(), Value::Array(vec!["/".into()]));
    object.insert("templateId".to_owned(), role.id.clone().into());
    object.insert("version".to_owned(), "1".into());
    object
}
