//! Who may activate a role: privileged identity management.
//!
//! Eligible assignments are made and ended by requests, which are done at once here. They do not
//! show among the assignments.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{catalogue, must_be_able_to_hold};
use crate::emulator::clock;
use crate::emulator::directory::RoleEligibility;
use crate::emulator::error::GraphError;
use crate::emulator::graph::call::{Answer, Call, annotated, created, ok};
use crate::emulator::graph::list::{self, Entity, Within};
use crate::emulator::graph::property::{invalid, need};
use crate::emulator::graph::query::{LIST, ONE};
use crate::emulator::graph::rights::{READ_ROLES, WRITE_ROLES};
use crate::emulator::store::Found;
use crate::emulator::world::World;

const SCHEDULES: &str = "roleManagement/directory/roleEligibilitySchedules";
const INSTANCES: &str = "roleManagement/directory/roleEligibilityScheduleInstances";
const REQUESTS: &str = "roleManagement/directory/roleEligibilityScheduleRequests";

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/roleManagement/directory/roleEligibilitySchedules", get(schedules))
        .route("/roleManagement/directory/roleEligibilitySchedules/{id}", get(schedule))
        .route("/roleManagement/directory/roleEligibilityScheduleInstances", get(instances))
        .route(
            "/roleManagement/directory/roleEligibilityScheduleRequests",
            axum::routing::post(request),
        )
}

const NAMES: &[&str] = &[
    "id",
    "principalId",
    "roleDefinitionId",
    "directoryScopeId",
    "status",
    "memberType",
    "createdDateTime",
    "modifiedDateTime",
    "createdUsing",
    "scheduleInfo",
    "appScopeId",
];
const INSTANCE_NAMES: &[&str] = &[
    "id",
    "principalId",
    "roleDefinitionId",
    "directoryScopeId",
    "memberType",
    "startDateTime",
    "endDateTime",
    "roleEligibilityScheduleId",
    "appScopeId",
];

impl Entity for RoleEligibility {
    const INDEXED: &'static [(&'static str, &'static str)] =
        &[("id", "id"), ("principalId", "principal"), ("roleDefinitionId", "role")];
    const PAGE: (usize, usize) = (100, 999);

    fn show(found: &Found<Self>) -> Map<String, Value> {
        let created = clock::stamp(found.created_at);
        let other = |name: &str, usual: Value| found.other.get(name).cloned().unwrap_or(usual);
        let object = json!({
            "id": found.id,
            "principalId": found.principal_id,
            "roleDefinitionId": found.role_definition_id,
            "directoryScopeId": found.directory_scope_id,
            "appScopeId": null,
            "createdUsing": found.id,
            "createdDateTime": other("createdDateTime", created.clone().into()),
            "modifiedDateTime": null,
            "status": "Provisioned",
            "memberType": other("memberType", "Direct".into()),
            "scheduleInfo": other("scheduleInfo", json!({
                "startDateTime": created,
                "recurrence": null,
                "expiration": {"type": "noExpiration", "endDateTime": null, "duration": null},
            })),
        });
        match object {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }
}

async fn schedules(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("unifiedRoleEligibilitySchedule", NAMES)?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        list::page::<RoleEligibility>(tx, &query, Within::All)
    })?;
    let page = page.map(|object| query.project(object, &[]));
    Ok(call.collection(&format!("{SCHEDULES}{}", query.chosen()), page))
}

async fn schedule(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        let found = tx.get::<RoleEligibility>(&id)?.ok_or_else(|| GraphError::not_found(&id))?;
        Ok(RoleEligibility::show(&found))
    })?;
    let context = call.context(&format!("{SCHEDULES}/$entity"));
    Ok(ok(annotated([("@odata.context", context)], query.project(object, &[]))))
}

async fn instances(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("unifiedRoleEligibilityScheduleInstance", INSTANCE_NAMES)?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_ROLES)?;
        list::page::<RoleEligibility>(tx, &query, Within::All)
    })?;
    let page = page.map(|object| query.project(instance(&object), &[]));
    Ok(call.collection(&format!("{INSTANCES}{}", query.chosen()), page))
}

/// What a schedule amounts to now.
fn instance(schedule: &Map<String, Value>) -> Map<String, Value> {
    let of = |name: &str| schedule.get(name).cloned().unwrap_or(Value::Null);
    let info = of("scheduleInfo");
    let object = json!({
        "id": of("id"),
        "principalId": of("principalId"),
        "roleDefinitionId": of("roleDefinitionId"),
        "directoryScopeId": of("directoryScopeId"),
        "appScopeId": null,
        "startDateTime": info.get("startDateTime"),
        "endDateTime": info.pointer("/expiration/endDateTime"),
        "memberType": of("memberType"),
        "roleEligibilityScheduleId": of("id"),
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

async fn request(call: Call) -> Answer {
    call.must_have(WRITE_ROLES)?;
    let body = call.object()?;
    let action = need(&body, "action")?;
    let principal = need(&body, "principalId")?.to_lowercase();
    let scope = need(&body, "directoryScopeId")?;
    let role = catalogue::by_id(need(&body, "roleDefinitionId")?)
        .ok_or_else(|| invalid("roleDefinitionId", "The role definition is not found."))?
        .id
        .clone();
    let (id, status, at) = call.write(|tx| {
        call.actor(tx)?.may_write_roles()?;
        let held = tx.with::<RoleEligibility>("principal", &principal)?;
        let same = held
            .into_iter()
            .find(|held| held.role_definition_id == role && held.directory_scope_id == scope);
        let conflict = |code: &str, message: &str| {
            Err(GraphError::new(http::StatusCode::BAD_REQUEST, code, message))
        };
        let (id, status) = match (action, same) {
            ("adminAssign", Some(_)) => {
                return conflict("RoleAssignmentExists", "The role assignment already exists.");
            }
            ("adminAssign", None) => {
                must_be_able_to_hold(tx, &principal)?;
                let id = tx.new_id()?.to_string();
                let kept = ["scheduleInfo"]
                    .into_iter()
                    .filter_map(|name| Some((name.to_owned(), body.get(name)?.clone())));
                tx.put(&RoleEligibility {
                    id: id.clone(),
                    role_definition_id: role.clone(),
                    principal_id: principal.clone(),
                    directory_scope_id: scope.to_owned(),
                    other: kept.collect(),
                })?;
                (id, "Provisioned")
            }
            ("adminRemove", Some(held)) => {
                tx.purge::<RoleEligibility>(&held.id)?;
                (held.document.id, "Revoked")
            }
            ("adminRemove", None) => {
                return conflict(
                    "RoleAssignmentDoesNotExist",
                    "The role assignment does not exist.",
                );
            }
            _ => {
                let message = format!("The action '{action}' is not supported.");
                return Err(invalid("action", message));
            }
        };
        Ok((id, status, tx.now()))
    })?;
    let mut object = body.clone();
    object.insert("id".to_owned(), id.clone().into());
    object.insert("status".to_owned(), status.into());
    object.insert("targetScheduleId".to_owned(), id.clone().into());
    object.insert("createdDateTime".to_owned(), clock::stamp(at).into());
    object.insert("completedDateTime".to_owned(), clock::stamp(at).into());
    let context = call.context(&format!("{REQUESTS}/$entity"));
    let location = call.url(&format!("/{REQUESTS}/{id}"));
    Ok(created(&location, annotated([("@odata.context", context)], object)))
}
