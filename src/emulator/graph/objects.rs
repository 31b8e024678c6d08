//! Directory objects of whatever sort, by id.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use super::call::{Answer, Call, annotated, ok};
use super::list::Page;
use super::members::typed;
use super::query::{ONE, Query};
use super::rights::READ_DIRECTORY;
use super::{groups, principals, users};
use crate::emulator::directory::{Group, ServicePrincipal, User};
use crate::emulator::error::GraphError;
use crate::emulator::store::Read;
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/directoryObjects/{id}", get(one))
        .route("/directoryObjects/getByIds", post(by_ids))
}

async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    must_know(&query)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_DIRECTORY)?;
        show(tx, &id.to_lowercase())?.ok_or_else(|| GraphError::not_found(&id))
    })?;
    let context = call.context("directoryObjects/$entity");
    Ok(ok(annotated([("@odata.context", context)], project(&query, object))))
}

/// Most ids that one request asks for.
const IDS_MAX: usize = 1000;

async fn by_ids(call: Call) -> Answer {
    let body = call.object()?;
    let ids = body.get("ids").and_then(Value::as_array).filter(|ids| ids.len() <= IDS_MAX);
    let ids = ids.ok_or_else(|| GraphError::bad_request("Invalid value specified for 'ids'."))?;
    let objects = call.read(|tx| {
        call.may_read(tx, READ_DIRECTORY)?;
        let mut objects = Vec::new();
        for id in ids.iter().filter_map(Value::as_str) {
            objects.extend(show(tx, &id.to_lowercase())?);
        }
        Ok(objects)
    })?;
    let objects = objects.into_iter().map(|object| project(&Query::default(), object)).collect();
    Ok(call.collection("directoryObjects", Page { objects, next: None, count: None }))
}

/// All properties of an object, with its type.
pub(super) fn show(tx: &Read<'_>, id: &str) -> Result<Option<Map<String, Value>>, GraphError> {
    if let Some(user) = tx.get::<User>(id)? {
        return Ok(Some(typed("user", users::show(&user))));
    }
    if let Some(group) = tx.get::<Group>(id)? {
        return Ok(Some(typed("group", groups::show(&group))));
    }
    let principal = tx.get::<ServicePrincipal>(id)?;
    Ok(principal.map(|principal| typed("servicePrincipal", principals::show(&principal))))
}

/// Of an object of any sort, what is asked for or what its sort shows unasked.
pub(super) fn project(query: &Query, object: Map<String, Value>) -> Map<String, Value> {
    let is_user = object.get("@odata.type").is_some_and(|kind| kind == "#microsoft.graph.user");
    query.project(object, if is_user { users::DEFAULT } else { &[] })
}

/// Any property of any sort can be asked for.
pub(super) fn must_know(query: &Query) -> Result<(), GraphError> {
    let mut known = users::NAMES.to_vec();
    known.extend(groups::names());
    known.extend(principals::NAMES);
    known.extend(["roleTemplateId", "description"]);
    query.must_know("directoryObject", &known)
}

pub(super) fn id_of(object: &Map<String, Value>) -> String {
    object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}
