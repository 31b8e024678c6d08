//! `tenantRelationships`: what a partner asks of delegated access.

use axum::Router;
use axum::extract::Path;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{ETAG, HeaderName, LOCATION, RETRY_AFTER};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::assignment::{Assignment, AssignmentStatus};
use super::customer::DelegatedCustomer;
use super::operation::{Change, Operation, OperationStatus};
use super::relationship::{Misstep, Relationship, Status, after};
use super::request::{Action, Request, RequestStatus};
use super::{Draft, Refusal, body, settle, show};
use crate::emulator::directory::GLOBAL_ADMINISTRATOR;
use crate::emulator::error::GraphError;
use crate::emulator::graph::call::{Answer, Call, annotated, created, no_content, ok, with_header};
use crate::emulator::graph::list::{self, Entity, Within, short};
use crate::emulator::graph::property::need as need_text;
use crate::emulator::graph::query::Query;
use crate::emulator::store::{Document, Found, Read, Write};
use crate::emulator::tenant::Quirks;
use crate::emulator::world::World;

pub(in crate::emulator::graph) fn routes() -> Router<World> {
    let root = "/tenantRelationships";
    let relationships = format!("{root}/delegatedAdminRelationships");
    let one = format!("{relationships}/{{id}}");
    let customers = format!("{root}/delegatedAdminCustomers");
    Router::new()
        .route(&relationships, get(list_relationships).post(create))
        .route(&one, get(get_relationship).patch(update).delete(remove))
        .route(&format!("{one}/requests"), get(list_requests).post(ask))
        .route(&format!("{one}/requests/{{part}}"), get(get_request))
        .route(&format!("{one}/accessAssignments"), get(list_assignments).post(assign))
        .route(
            &format!("{one}/accessAssignments/{{part}}"),
            get(get_assignment).patch(update_assignment).delete(remove_assignment),
        )
        .route(&format!("{one}/operations"), get(list_operations))
        .route(&format!("{one}/operations/{{part}}"), get(get_operation))
        .route(&customers, get(list_customers))
        .route(&format!("{customers}/{{id}}"), get(get_customer))
        .route(&format!("{customers}/{{id}}/serviceManagementDetails"), get(services))
        .layer(map_response(in_its_own_words))
}

/// This part of Graph writes its codes differently from the directory.
async fn in_its_own_words(mut response: Response) -> Response {
    if let Some(error) = response.extensions_mut().get_mut::<GraphError>() {
        let code = match error.code.as_str() {
            "Request_BadRequest"
            | "Request_UnsupportedQuery"
            | "BadRequest"
            | "Directory_ExpiredPageToken" => "badRequest",
            "Request_ResourceNotFound" => "notFound",
            "Authorization_RequestDenied" => "forbidden",
            other => other,
        };
        error.code = code.to_owned();
        error.target = None;
    }
    response
}

impl From<Refusal> for GraphError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Unknown => Self::new(StatusCode::NOT_FOUND, "notFound", message),
            Refusal::Invalid(_) | Refusal::Misstep(_) => {
                Self::new(StatusCode::BAD_REQUEST, "badRequest", message)
            }
            Refusal::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", message),
            Refusal::Store(error) => error.into(),
        }
    }
}

/// Options that these lists have.
const LIST: &[&str] = &["select", "filter", "top", "orderby", "count", "skiptoken"];
const ONE: &[&str] = &["select"];
/// What a client waits before it asks again how a change is going.
const RETRY_AFTER_S: &str = "10";

const RELATIONSHIP: &[&str] = &[
    "id",
    "displayName",
    "duration",
    "customer",
    "accessDetails",
    "status",
    "autoExtendDuration",
    "createdDateTime",
    "lastModifiedDateTime",
    "activatedDateTime",
    "endDateTime",
    "indirectProviderTenantId",
    "isPartnerConsentPending",
];

fn context(call: &Call, fragment: &str) -> String {
    call.url(&format!("/tenantRelationships/$metadata#{fragment}"))
}

fn collection(call: &Call, fragment: &str, page: list::Page) -> Response {
    let response = call.collection_at(context(call, fragment), page);
    preferred(call, response)
}

/// Says so where unknown members of enumerations were asked for.
fn preferred(call: &Call, response: Response) -> Response {
    if call.prefers(UNKNOWN_MEMBERS) {
        let name = HeaderName::from_static("preference-applied");
        return with_header(response, name, UNKNOWN_MEMBERS);
    }
    response
}

const UNKNOWN_MEMBERS: &str = "include-unknown-enum-members";

/// Members that came later are shown to who asks for them.
fn veil(call: &Call, mut object: Map<String, Value>) -> Map<String, Value> {
    if call.prefers(UNKNOWN_MEMBERS) {
        return object;
    }
    for (name, later) in
        [("action", "reject"), ("operationType", "delegatedAdminRelationshipUpdate")]
    {
        if object.get(name).is_some_and(|value| value == later) {
            object.insert(name.to_owned(), "unknownFutureValue".into());
        }
    }
    object
}

fn entity(call: &Call, fragment: &str, query: &Query, object: Map<String, Value>) -> Response {
    let object = query.project(veil(call, object), &[]);
    let context = context(call, &format!("{fragment}/$entity"));
    preferred(call, ok(with_context(context, object)))
}

/// The context stands after the type.
fn with_context(context: String, mut object: Map<String, Value>) -> Map<String, Value> {
    let kind = object.remove("@odata.type");
    let mut whole = Map::new();
    whole.extend(kind.map(|kind| ("@odata.type".to_owned(), kind)));
    whole.insert("@odata.context".to_owned(), context.into());
    whole.extend(object);
    whole
}

/// The relationship with an id, which has a form of its own.
fn find(tx: &Read<'_>, id: &str) -> Result<Found<Relationship>, GraphError> {
    let halves = id.get(..36).zip(id.get(37..));
    let is_formed = id.len() == 73
        && halves.is_some_and(|(first, second)| {
            Uuid::try_parse(first).is_ok() && Uuid::try_parse(second).is_ok()
        });
    if !is_formed {
        let message = "The passed in delegatedAdminRelationshipId is invalid.";
        return Err(GraphError::new(StatusCode::BAD_REQUEST, "badRequest", message));
    }
    tx.get::<Relationship>(&id.to_lowercase())?.ok_or_else(|| GraphError::not_found(id))
}

/// Something that belongs to a relationship.
fn part<D: Document>(
    tx: &Read<'_>,
    id: &str,
    belongs: impl Fn(&D) -> bool,
) -> Result<Found<D>, GraphError> {
    let found = tx.get::<D>(&id.to_lowercase())?;
    found.filter(|found| belongs(found)).ok_or_else(|| GraphError::not_found(id))
}

/// Writes are for who has seen what they change.
fn must_match(call: &Call, seq: i64) -> Result<(), GraphError> {
    match call.if_match() {
        None => {
            let message = "The If-Match header is required.";
            Err(GraphError::new(StatusCode::BAD_REQUEST, "badRequest", message))
        }
        Some(tag) if tag == "*" || tag == show::etag(seq) => Ok(()),
        Some(_) => {
            let message = "The etag does not match.";
            Err(GraphError::new(StatusCode::PRECONDITION_FAILED, "preconditionFailed", message))
        }
    }
}

async fn list_relationships(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("delegatedAdminRelationship", RELATIONSHIP)?;
    if query.order.as_ref().is_some_and(|order| order.property.contains('/')) {
        // Those without a customer would be missing.
        return Err(GraphError::bad_request("Sort not supported for current query."));
    }
    settle(call.world.store())?;
    let page = call.read(|tx| {
        call.may_read_delegated(tx)?;
        list::page::<Relationship>(tx, &query, Within::All)
    })?;
    let page = page.map(|object| query.project(object, &[]));
    Ok(collection(&call, "delegatedAdminRelationships", page))
}

async fn get_relationship(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    settle(call.world.store())?;
    let found = call.read(|tx| {
        call.may_read_delegated(tx)?;
        find(tx, &id)
    })?;
    let shown = Relationship::show(&found);
    let response = entity(&call, "delegatedAdminRelationships", &query, shown);
    Ok(with_header(response, ETAG, &show::etag(found.seq)))
}

async fn create(call: Call) -> Answer {
    let sent = call.object()?;
    let found = call.write(|tx| {
        call.may_write_delegated(tx)?;
        let made = super::create(tx, body::draft(&sent, None)?)?;
        find(tx, &made.id)
    })?;
    let mut object = Relationship::show(&found);
    // The answer to a creation writes what is not known yet as nothing.
    for name in ["activatedDateTime", "endDateTime"] {
        object.insert(name.to_owned(), "".into());
    }
    let location =
        call.url(&format!("/tenantRelationships/delegatedAdminRelationships/{}", found.id));
    let context = context(&call, "delegatedAdminRelationships/$entity");
    Ok(created(&location, with_context(context, object)))
}

async fn update(Path(id): Path<String>, call: Call) -> Answer {
    let sent = call.object()?;
    settle(call.world.store())?;
    let (found, operation) = call.write(|tx| {
        call.may_write_delegated(tx)?;
        let found = find(tx, &id)?;
        must_match(&call, found.seq)?;
        let id = found.id.clone();
        let operation = match found.status {
            Status::Created => {
                rewrite(tx, found.document, &sent)?;
                None
            }
            Status::Active => amend(tx, &found, &sent)?,
            status => return Err(Refusal::Misstep(Misstep::Status(status)).into()),
        };
        Ok((find(tx, &id)?, operation))
    })?;
    Ok(match operation {
        Some(operation) => accepted(&call, &operation),
        None => entity(
            &call,
            "delegatedAdminRelationships",
            &Query::default(),
            Relationship::show(&found),
        ),
    })
}

/// What nobody has seen yet can be anything else.
fn rewrite(tx: &Write<'_>, was: Relationship, sent: &Map<String, Value>) -> Result<(), Refusal> {
    let draft = Draft {
        display_name: was.display_name.clone(),
        duration_days: was.duration_days,
        customer: was.customer.clone(),
        roles: was.roles.clone(),
        auto_extends: was.auto_extends,
    };
    let draft = body::draft(sent, Some(draft))?;
    draft.check(tx, Some(&was.id))?;
    let Draft { display_name, duration_days, customer, roles, auto_extends } = draft;
    tx.put(&Relationship {
        display_name,
        duration_days,
        customer,
        roles,
        auto_extends,
        modified_at: tx.now(),
        ..was
    })?;
    Ok(())
}

/// Of an active one only the extension changes, and Global Administrator can go. Other roles that
/// are sent change nothing, and nothing says so.
fn amend(
    tx: &Write<'_>,
    found: &Found<Relationship>,
    sent: &Map<String, Value>,
) -> Result<Option<Operation>, GraphError> {
    body::must_be_settable(sent)?;
    let fixed = ["displayName", "duration", "customer"];
    if let Some(name) = fixed.iter().find(|name| sent.contains_key(**name)) {
        let message =
            format!("The property '{name}' cannot be changed while the relationship is active.");
        return Err(Refusal::Invalid(message).into());
    }
    if let Some(value) = sent.get("autoExtendDuration") {
        let auto_extends = body::auto_extends(value)?;
        super::check_extension(&found.roles, auto_extends)?;
        if auto_extends != found.auto_extends {
            let changed =
                Relationship { auto_extends, modified_at: tx.now(), ..found.document.clone() };
            tx.put(&changed)?;
        }
    }
    let Some(details) = sent.get("accessDetails") else { return Ok(None) };
    let wanted = body::roles(details)?;
    let rest: Vec<String> = found
        .roles
        .iter()
        .filter(|role| !role.eq_ignore_ascii_case(GLOBAL_ADMINISTRATOR))
        .cloned()
        .collect();
    if !found.has_global_administrator() || !same(&wanted, &rest) {
        return Ok(None);
    }
    let data = json!({"id": found.id, "accessDetails": show::roles(&rest), "status": "active"});
    begin(tx, &found.id, Change::WithoutGlobalAdministrator, &data).map(Some)
}

fn same(one: &[String], other: &[String]) -> bool {
    let has = |all: &[String], role: &String| all.iter().any(|own| own.eq_ignore_ascii_case(role));
    one.iter().all(|role| has(other, role)) && other.iter().all(|role| has(one, role))
}

/// Begins a change that takes its time; one at a time for a relationship.
fn begin(
    tx: &Write<'_>,
    relationship: &str,
    change: Change,
    data: &Value,
) -> Result<Operation, GraphError> {
    let others = tx.with::<Operation>("relationship", relationship)?;
    if others.iter().any(|other| !other.status.is_over() && other.change == change) {
        let message = "The same change is under way already.".to_owned();
        return Err(Refusal::Conflict(message).into());
    }
    let operation = Operation {
        id: tx.new_id()?.to_string(),
        relationship: relationship.to_owned(),
        change,
        status: OperationStatus::NotStarted,
        data: data.to_string(),
        created_at: tx.now(),
        modified_at: tx.now(),
        due_at: Some(after(tx.now(), Quirks::of(tx)?.step())),
    };
    tx.put(&operation)?;
    Ok(operation)
}

fn accepted(call: &Call, operation: &Operation) -> Response {
    let location = call.url(&format!(
        "/tenantRelationships/delegatedAdminRelationships/{}/operations/{}",
        operation.relationship, operation.id
    ));
    let response = (StatusCode::ACCEPTED, axum::Json(json!({}))).into_response();
    with_header(with_header(response, LOCATION, &location), RETRY_AFTER, RETRY_AFTER_S)
}

async fn remove(Path(id): Path<String>, call: Call) -> Answer {
    settle(call.world.store())?;
    call.write(|tx| {
        call.may_write_delegated(tx)?;
        let found = find(tx, &id)?;
        must_match(&call, found.seq)?;
        if found.status != Status::Created {
            return Err(Refusal::Misstep(Misstep::Status(found.status)).into());
        }
        Ok(super::forget(tx, &found.id)?)
    })?;
    Ok(no_content())
}

async fn list_requests(Path(id): Path<String>, call: Call) -> Answer {
    list_parts::<Request>(&id, &call, "requests")
}

async fn list_assignments(Path(id): Path<String>, call: Call) -> Answer {
    list_parts::<Assignment>(&id, &call, "accessAssignments")
}

async fn list_operations(Path(id): Path<String>, call: Call) -> Answer {
    list_parts::<Operation>(&id, &call, "operations")
}

/// Lists of what belongs to one relationship are short.
fn list_parts<D: Entity>(id: &str, call: &Call, name: &str) -> Answer {
    let query = call.query(LIST)?;
    settle(call.world.store())?;
    let page = call.read(|tx| {
        call.may_read_delegated(tx)?;
        let within = find(tx, id)?;
        let all = tx.with::<D>("relationship", &within.id)?;
        short(&query, all.iter().map(D::show).collect(), D::PAGE.1)
    })?;
    let page = page.map(|object| query.project(veil(call, object), &[]));
    Ok(collection(call, name, page))
}

async fn get_request(Path((id, item)): Path<(String, String)>, call: Call) -> Answer {
    get_part::<Request>(&id, &item, &call, "requests", |request| &request.relationship)
}

async fn get_assignment(Path((id, item)): Path<(String, String)>, call: Call) -> Answer {
    get_part::<Assignment>(&id, &item, &call, "accessAssignments", |assignment| {
        &assignment.relationship
    })
}

async fn get_operation(Path((id, item)): Path<(String, String)>, call: Call) -> Answer {
    get_part::<Operation>(&id, &item, &call, "operations", |operation| &operation.relationship)
}

fn get_part<D: Entity>(
    id: &str,
    item: &str,
    call: &Call,
    name: &str,
    owner: fn(&D) -> &str,
) -> Answer {
    let query = call.query(ONE)?;
    settle(call.world.store())?;
    let object = call.read(|tx| {
        call.may_read_delegated(tx)?;
        let within = find(tx, id)?;
        let found = part::<D>(tx, item, |one| owner(one) == within.id)?;
        Ok(D::show(&found))
    })?;
    Ok(entity(call, name, &query, object))
}

/// Locks, terminates, consents: done after the answer, not by it.
async fn ask(Path(id): Path<String>, call: Call) -> Answer {
    let sent = call.object()?;
    let name = need_text(&sent, "action")?;
    let action = Action::ALL.into_iter().find(|action| action.name() == name);
    let action = action
        .ok_or_else(|| GraphError::bad_request(format!("The action '{name}' is invalid.")))?;
    settle(call.world.store())?;
    let found = call.write(|tx| {
        call.may_write_delegated(tx)?;
        let within = find(tx, &id)?;
        must_be_timely(tx, &within, action)?;
        let request = Request {
            id: tx.new_id()?.to_string(),
            relationship: within.id.clone(),
            action,
            status: RequestStatus::Created,
            created_at: tx.now(),
            modified_at: tx.now(),
            due_at: Some(after(tx.now(), Quirks::of(tx)?.step())),
        };
        tx.put(&request)?;
        part::<Request>(tx, &request.id, |_| true)
    })?;
    let location = call.url(&format!(
        "/tenantRelationships/delegatedAdminRelationships/{}/requests/{}",
        found.relationship, found.id
    ));
    let object = veil(&call, Request::show(&found));
    let context = context(&call, "requests");
    Ok(preferred(&call, created(&location, with_context(context, object))))
}

/// Refuses what the relationship's state does not allow, or what is under way.
fn must_be_timely(
    tx: &Write<'_>,
    within: &Found<Relationship>,
    action: Action,
) -> Result<(), Refusal> {
    let earlier = tx.with::<Request>("relationship", &within.id)?;
    if earlier.iter().any(|request| request.status == RequestStatus::Created) {
        return Err(Refusal::Invalid("A request for this relationship is under way.".to_owned()));
    }
    let mut tried = within.document.clone();
    let step = Quirks::of(tx)?.step();
    match action {
        Action::LockForApproval => tried.lock(tx.now())?,
        Action::Terminate => tried.terminate(tx.now(), step)?,
        Action::Approve => tried.answer_provider(true, tx.now())?,
        Action::Reject => tried.answer_provider(false, tx.now())?,
    }
    Ok(())
}

async fn assign(Path(id): Path<String>, call: Call) -> Answer {
    let sent = call.object()?;
    settle(call.world.store())?;
    let found = call.write(|tx| {
        call.may_assign_delegated(tx)?;
        let within = find(tx, &id)?;
        let container = body::container(&sent)?;
        let roles = body::roles(sent.get("accessDetails").unwrap_or(&Value::Null))?;
        let made =
            super::assign(tx, &within.id, &container, roles).map_err(|refusal| match refusal {
                Refusal::Unknown => {
                    Refusal::Invalid("The access container does not exist.".to_owned())
                }
                other => other,
            })?;
        part::<Assignment>(tx, &made.id, |_| true)
    })?;
    let location = call.url(&format!(
        "/tenantRelationships/delegatedAdminRelationships/{}/accessAssignments/{}",
        found.relationship, found.id
    ));
    let object = Assignment::show(&found);
    Ok(created(&location, with_context(context(&call, "accessAssignments"), object)))
}

async fn update_assignment(Path((id, item)): Path<(String, String)>, call: Call) -> Answer {
    let sent = call.object()?;
    settle(call.world.store())?;
    let (found, operation) = call.write(|tx| {
        call.may_assign_delegated(tx)?;
        let within = find(tx, &id)?;
        let found = part::<Assignment>(tx, &item, |one| one.relationship == within.id)?;
        must_match(&call, found.seq)?;
        if within.status != Status::Active {
            return Err(Refusal::Misstep(Misstep::Status(within.status)).into());
        }
        if found.status != AssignmentStatus::Active {
            let message = "The access assignment is not active.".to_owned();
            return Err(Refusal::Conflict(message).into());
        }
        if let Some(name) = sent.keys().find(|name| *name != "accessDetails") {
            let message = format!("The property '{name}' cannot be changed.");
            return Err(Refusal::Invalid(message).into());
        }
        let roles = body::roles(sent.get("accessDetails").unwrap_or(&Value::Null))?;
        super::check_within(&roles, &within.roles)?;
        if same(&roles, &found.roles) {
            return Ok((found, None));
        }
        let data = json!({
            "id": found.id,
            "accessContainer": {
                "accessContainerId": found.container,
                "accessContainerType": "securityGroup",
            },
            "accessDetails": show::roles(&roles),
            "status": "active",
        });
        let change = Change::AssignmentRoles { assignment: found.id.clone(), roles };
        let operation = begin(tx, &within.id, change, &data)?;
        Ok((found, Some(operation)))
    })?;
    Ok(match operation {
        Some(operation) => accepted(&call, &operation),
        None => entity(&call, "accessAssignments", &Query::default(), Assignment::show(&found)),
    })
}

async fn remove_assignment(Path((id, item)): Path<(String, String)>, call: Call) -> Answer {
    settle(call.world.store())?;
    call.write(|tx| {
        call.may_assign_delegated(tx)?;
        let within = find(tx, &id)?;
        let found = part::<Assignment>(tx, &item, |one| one.relationship == within.id)?;
        must_match(&call, found.seq)?;
        if !found.status.is_alive() {
            return Err(GraphError::not_found(&item));
        }
        tx.put(&Assignment {
            status: AssignmentStatus::Deleting,
            modified_at: tx.now(),
            due_at: Some(after(tx.now(), Quirks::of(tx)?.step())),
            ..found.document
        })?;
        super::chronicle::assignment(tx, &within.id, super::chronicle::Event::Deleted)?;
        Ok(())
    })?;
    Ok(no_content())
}

const CUSTOMER: &[&str] = &["id", "tenantId", "displayName"];

async fn list_customers(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("delegatedAdminCustomer", CUSTOMER)?;
    settle(call.world.store())?;
    let page = call.read(|tx| {
        call.may_read_delegated(tx)?;
        list::page::<DelegatedCustomer>(tx, &query, Within::All)
    })?;
    let page = page.map(|object| query.project(object, &[]));
    Ok(collection(&call, "delegatedAdminCustomers", page))
}

fn customer(call: &Call, id: &str) -> Result<Found<DelegatedCustomer>, GraphError> {
    settle(call.world.store())?;
    call.read(|tx| {
        call.may_read_delegated(tx)?;
        part::<DelegatedCustomer>(tx, id, |_| true)
    })
}

async fn get_customer(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    let found = customer(&call, &id)?;
    Ok(entity(&call, "delegatedAdminCustomers", &query, DelegatedCustomer::show(&found)))
}

/// Where a customer's services are administered: one place is enough here.
async fn services(Path(id): Path<String>, call: Call) -> Answer {
    let found = customer(&call, &id)?;
    let kind = "#microsoft.graph.delegatedAdminServiceManagementDetail".to_owned();
    let mut object = Map::new();
    object.insert("id".to_owned(), "1".into());
    object.insert("serviceName".to_owned(), "Azure Active Directory".into());
    let address = format!("https://aad.portal.azure.com/{}", found.tenant_id);
    object.insert("serviceManagementUrl".to_owned(), address.into());
    let objects = vec![annotated([("@odata.type", kind)], object)];
    let page = list::Page { objects, next: None, count: None };
    Ok(collection(&call, "serviceManagementDetails", page))
}
