//! Users inside a customer's tenant, and one of our own by id.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Body;
use super::access::{self, check};
use super::customers::{created, insert, related};
use super::documents::{Belonging, Sort};
use super::wire::{Filter, Paging, ok, stored, text};
use crate::emulator::caller::Caller;
use crate::emulator::clock;
use crate::emulator::directory::User;
use crate::emulator::error::{CenterError, Code};
use crate::emulator::store::{Read, Scan};
use crate::emulator::world::World;

fn written(user: &Belonging) -> Value {
    let mut written = Value::Object(user.body.clone());
    insert(&mut written, "id", json!(user.id));
    insert(&mut written, "attributes", json!({"objectType": "CustomerUser"}));
    written
}

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    size: Option<String>,
    filter: Option<String>,
}

/// `GET /customers/{id}/users`; deleted ones by a filter.
pub(super) async fn list(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let paging = Paging::of(query.size.as_deref(), &headers)?;
    let sort = match query.filter.as_deref().map(Filter::parse).transpose()? {
        None => Sort::User,
        Some(filter) if filter.field == "userstate" && filter.operator == "equals" => {
            if filter.value.eq_ignore_ascii_case("inactive") {
                Sort::DeletedUser
            } else {
                Sort::User
            }
        }
        Some(_) => return Err(CenterError::invalid("Users cannot be filtered so.")),
    };
    let body = world.store().read(|tx| {
        check(tx, &caller, access::SEE_CUSTOMERS_AS_USER)?;
        let customer = related(tx, &id)?;
        let key = Belonging::key(&customer.id, sort);
        let page = paging.page::<Belonging>(tx, Scan::equals("of", &key))?;
        let path = format!("/customers/{}/users", customer.id);
        Ok::<_, CenterError>(page.write(&quirks, &path, written))
    })?;
    Ok(ok(&body, &quirks))
}

/// A user of a customer, deleted ones too.
fn user(tx: &Read<'_>, customer: &str, id: &str) -> Result<Belonging, CenterError> {
    let customer = related(tx, customer)?;
    let user = tx.get::<Belonging>(id)?.map(|found| found.document);
    user.filter(|user| {
        user.customer == customer.id && matches!(user.sort, Sort::User | Sort::DeletedUser)
    })
    .ok_or_else(|| {
        let message = format!("User {id} was not found.");
        CenterError::new(StatusCode::NOT_FOUND, Code::Text(60002), message)
    })
}

/// `GET /customers/{id}/users/{user}`
pub(super) async fn get(
    State(world): State<World>,
    caller: Caller,
    Path((customer, id)): Path<(String, String)>,
) -> Result<Response, CenterError> {
    let user = world.store().read(|tx| {
        check(tx, &caller, access::SEE_CUSTOMERS_AS_USER)?;
        user(tx, &customer, &id)
    })?;
    Ok(ok(&written(&user), &world.quirks()))
}

/// `POST /customers/{id}/users`
pub(super) async fn create(
    State(world): State<World>,
    caller: Caller,
    Path(customer): Path<String>,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let user = world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        let customer = related(tx, &customer)?;
        for name in ["userPrincipalName", "displayName", "usageLocation"] {
            if text(&body, name).is_none() {
                let message = format!("The user has no {name}.");
                let status = StatusCode::BAD_REQUEST;
                return Err(CenterError::new(status, Code::Number(3000), message));
            }
        }
        let mut kept: Map<String, Value> = stored(&body);
        kept.remove("passwordProfile");
        kept.remove("id");
        kept.insert("state".to_owned(), "active".into());
        kept.insert("userDomainType".to_owned(), "managed".into());
        let id = tx.new_id()?.to_string();
        let user = Belonging { id, customer: customer.id, sort: Sort::User, body: kept };
        tx.put(&user)?;
        Ok::<_, CenterError>(user)
    })?;
    Ok(created(&written(&user), &quirks))
}

/// `PATCH /customers/{id}/users/{user}`; an active state restores a deleted one.
pub(super) async fn patch(
    State(world): State<World>,
    caller: Caller,
    Path((customer, id)): Path<(String, String)>,
    Body(body): Body,
) -> Result<Response, CenterError> {
    let quirks = world.quirks();
    let user = world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        let mut user = user(tx, &customer, &id)?;
        let mut changes = stored(&body);
        changes.remove("passwordProfile");
        changes.remove("id");
        if text(&body, "state").is_some_and(|state| state.eq_ignore_ascii_case("active")) {
            user.sort = Sort::User;
            user.body.remove("softDeletionTime");
        }
        user.body.extend(changes);
        tx.put(&user)?;
        Ok::<_, CenterError>(user)
    })?;
    Ok(ok(&written(&user), &quirks))
}

/// `DELETE /customers/{id}/users/{user}`: for thirty days it can be taken back.
pub(super) async fn delete(
    State(world): State<World>,
    caller: Caller,
    Path((customer, id)): Path<(String, String)>,
) -> Result<Response, CenterError> {
    world.store().write(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        let mut user = user(tx, &customer, &id)?;
        user.sort = Sort::DeletedUser;
        user.body.insert("state".to_owned(), "inactive".into());
        user.body.insert("softDeletionTime".to_owned(), clock::stamp(tx.now()).into());
        tx.put(&user)?;
        Ok::<_, CenterError>(StatusCode::NO_CONTENT.into_response())
    })
}

/// `PATCH /customers/{id}/users/{user}/resetpassword`
pub(super) async fn reset_password(
    State(world): State<World>,
    caller: Caller,
    Path((customer, id)): Path<(String, String)>,
    _: Body,
) -> Result<Response, CenterError> {
    let user = world.store().read(|tx| {
        check(tx, &caller, access::CHANGE_CUSTOMER_AS_USER)?;
        user(tx, &customer, &id)
    })?;
    Ok(ok(&written(&user), &world.quirks()))
}

/// `GET /users/{id}`: undocumented, by GUID alone.
pub(super) async fn ours(
    State(world): State<World>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, CenterError> {
    let user = world.store().read(|tx| {
        check(tx, &caller, access::ASSIGN_ROLES)?;
        Ok::<_, CenterError>(tx.get::<User>(&id)?)
    })?;
    let user = user.ok_or_else(|| {
        let message = format!("User {id} was not found.");
        CenterError::new(StatusCode::NOT_FOUND, Code::Text(60002), message)
    })?;
    let body = json!({
        "id": user.id,
        "userPrincipalName": user.user_principal_name,
        "displayName": user.display_name,
        "attributes": {"objectType": "User"},
    });
    Ok(ok(&body, &world.quirks()))
}
