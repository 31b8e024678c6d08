//! Who holds which role.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Map, Value};

use super::{catalogue, definitions, must_be_able_to_hold, must_leave_an_administrator};
use crate::emulator::directory::RoleAssignment;
use crate::emulator::error::GraphError;
use crate::emulator::graph::call::{Answer, Call, annotated, created, no_content, ok};
use crate::emulator::graph::list::{self, Entity, Within};
use crate::emulator::graph::objects;
use crate::emulator::graph::property::{invalid, need};
use crate::emulator::graph::query::{LIST, ONE, Query};
use crate::emulator::graph::rights::{READ_ROLES, WRITE_ROLES};
use crate::emulator::store::{Found, Read};
use crate::emulator::tenant::role_assignment_id;
use crate::emulator::world::World;

const COLLECTION: &str = "roleManagement/directory/roleAssignments";
const NAMES: &[&str] = &["id", "roleDefinitionId", "principalId", "directoryScopeId"];

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/roleManagement/directory/roleAssignments", get(list).post(create))
        .route("/roleManagement/directory/roleAssignments/{id}", get(one).delete(remove))
}

impl Entity for RoleAssignment {
    const INDEXED: &'static [(&'static str, &'static str)] =
        &[("id", "id"), ("principalId", "principal"), ("roleDefinitionId", "role")];
    const PAGE: (usize, usize) = (100, 999);

    fn show(found: &Found<Self>) -> Map<String, Value> {
        show(found)
    }
}

pub(super) fn show(assignment: &RoleAssignment) -> Map<String, Value> {
    let RoleAssignment { id, role_definition_id, principal_id, directory_scope_id } = assignment;
    let mut object = Map::new();
    object.insert("id".to_owned(), id.clone().into());
    object.insert("roleDefinitionId".to_owned(), role_definition_id.clone().into());
    object.insert("principalId".to_owned(), principal_id.clone().into());
    object.insert("directoryScopeId".to_owned(), directory_scope_id.clone().into());
    object
}

async fn list(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("unifiedRoleAssignment", NAMES)?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        let mut page = list::page::<RoleAssignment>(tx, &query, Within::All)?;
        for object in &mut page.objects {
            expand(tx, &query, object)?;
        }
        Ok(page)
    })?;
    let page = page.map(|object| project(&query, object));
    Ok(call.collection(&format!("{COLLECTION}{}", query.chosen()), page))
}

async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    query.must_know("unifiedRoleAssignment", NAMES)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        let found = tx.get::<RoleAssignment>(&id)?.ok_or_else(|| GraphError::not_found(&id))?;
        let mut object = show(&found);
        expand(tx, &query, &mut object)?;
        Ok(object)
    })?;
    let context = call.context(&format!("{COLLECTION}/$entity"));
    Ok(ok(annotated([("@odata.context", context)], project(&query, object))))
}

const EXPANDABLE: [&str; 2] = ["principal", "roleDefinition"];

fn expand(tx: &Read<'_>, query: &Query, object: &mut Map<String, Value>) -> Result<(), GraphError> {
    let text = |object: &Map<String, Value>, name: &str| {
        object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    for name in &query.expand {
        let shown = match name.as_str() {
            "principal" => objects::show(tx, &text(object, "principalId"))?
                .map(|object| objects::project(&Query::default(), object)),
            "roleDefinition" => {
                catalogue::by_id(&text(object, "roleDefinitionId")).map(definitions::show)
            }
            other => {
                let message = format!("The expansion of '{other}' is not supported.");
                return Err(GraphError::bad_request(message));
            }
        };
        object.insert(name.clone(), shown.map_or(Value::Null, Value::Object));
    }
    Ok(())
}

fn project(query: &Query, mut object: Map<String, Value>) -> Map<String, Value> {
    let expanded = EXPANDABLE.map(|name| (name, object.remove(name)));
    let mut projected = query.project(object, &[]);
    for (name, value) in expanded {
        if let Some(value) = value {
            projected.insert(name.to_owned(), value);
        }
    }
    projected
}

async fn create(call: Call) -> Answer {
    call.must_have(WRITE_ROLES)?;
    let body = call.object()?;
    let role = need(&body, "roleDefinitionId")?;
    let principal = need(&body, "principalId")?.to_lowercase();
    let scope = need(&body, "directoryScopeId")?;
    let role = catalogue::by_id(role)
        .ok_or_else(|| invalid("roleDefinitionId", "The role definition is not found."))?
        .id
        .clone();
    if scope != "/" && !scope.starts_with("/administrativeUnits/") {
        return Err(invalid("directoryScopeId", "The directory scope is invalid."));
    }
    let assignment = call.write(|tx| {
        call.actor(tx)?.may_write_roles()?;
        must_be_able_to_hold(tx, &principal)?;
        let held = tx.with::<RoleAssignment>("principal", &principal)?;
        if held.iter().any(|held| held.role_definition_id == role && held.directory_scope_id == scope) {
            let message = "A conflicting object with one or more of the specified property values is present in the directory.";
            return Err(GraphError::bad_request(message));
        }
        let assignment = RoleAssignment {
            id: role_assignment_id(tx)?,
            role_definition_id: role.clone(),
            principal_id: principal.clone(),
            directory_scope_id: scope.to_owned(),
        };
        tx.put(&assignment)?;
        Ok(assignment)
    })?;
    let context = call.context(&format!("{COLLECTION}/$entity"));
    let location = call.url(&format!("/{COLLECTION}/{}", assignment.id));
    Ok(created(&location, annotated([("@odata.context", context)], show(&assignment))))
}

async fn remove(Path(id): Path<String>, call: Call) -> Answer {
    call.must_have(WRITE_ROLES)?;
    call.write(|tx| {
        call.actor(tx)?.may_write_roles()?;
        let found = tx.get::<RoleAssignment>(&id)?.ok_or_else(|| GraphError::not_found(&id))?;
        must_leave_an_administrator(tx, &found)?;
        tx.purge::<RoleAssignment>(&found.id)?;
        Ok(())
    })?;
    Ok(no_content())
}
