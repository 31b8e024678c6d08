//! What is asked of users.

use axum::extract::Path;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::{DEFAULT, NAMES, PROPERTIES, show, write};
use crate::emulator::clock;
use crate::emulator::directory::{Member, RoleAssignment, User, user_by_sign_in_name};
use crate::emulator::error::GraphError;
use crate::emulator::graph::call::{Answer, Call, annotated, created, no_content, ok};
use crate::emulator::graph::list::{self, Within};
use crate::emulator::graph::members;
use crate::emulator::graph::property;
use crate::emulator::graph::query::{self, LIST, ONE, Query};
use crate::emulator::graph::rights::{DELETE_USERS, READ_USERS, WRITE_USERS};
use crate::emulator::graph::roles;
use crate::emulator::store::{Found, Read};

pub(super) async fn list(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("user", &NAMES)?;
    query.must_be_allowed_by_directory()?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_USERS)?;
        // The number of all is told by an index too.
        let query = Query { count: query.count && call.is_eventual(), ..query.clone() };
        let mut page = list::page::<User>(tx, &query, Within::All)?;
        if query.expand.iter().any(|name| name == "memberOf") {
            for object in &mut page.objects {
                members::expand_groups(tx, object)?;
            }
        }
        Ok(page)
    })?;
    let page = page.map(|object| project(&query, object));
    Ok(call.collection(&format!("users{}", query.chosen()), page))
}

pub(super) async fn count(call: Call) -> Answer {
    let query = call.query(&["filter", "search"])?;
    if !call.is_eventual() {
        return Err(query::unsupported("$count is not currently supported."));
    }
    query.must_know("user", &NAMES)?;
    let count = call.read(|tx| {
        call.may_read(tx, READ_USERS)?;
        list::total::<User>(tx, &query, Within::All)
    })?;
    Ok(([(CONTENT_TYPE, "text/plain")], count.to_string()).into_response())
}

pub(super) async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    query.must_know("user", &NAMES)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_USERS)?;
        let mut object = show(&find(tx, &id)?);
        if query.expand.iter().any(|name| name == "memberOf") {
            members::expand_groups(tx, &mut object)?;
        }
        Ok(object)
    })?;
    Ok(entity(&call, &query, object))
}

pub(super) async fn me(call: Call) -> Answer {
    if call.caller.is_app_only() {
        let message = "/me request is only valid with delegated authentication flow.";
        return Err(GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message));
    }
    call.must_have(&[READ_USERS, &["User.Read"]].concat())?;
    let query = call.query(ONE)?;
    query.must_know("user", &NAMES)?;
    let object = call.read(|tx| Ok(show(&find(tx, call.caller.principal())?)))?;
    Ok(entity(&call, &query, object))
}

pub(super) async fn create(call: Call) -> Answer {
    call.must_have(WRITE_USERS)?;
    let body = call.object()?;
    property::check(PROPERTIES, &body, true)?;
    write::must_be_complete(&body)?;
    let object = call.write(|tx| {
        call.actor(tx)?.may_write_users()?;
        let mut user = User {
            id: tx.new_id()?.to_string(),
            user_principal_name: String::new(),
            display_name: String::new(),
            account_enabled: true,
            user_type: "Member".to_owned(),
            other: Map::new(),
        };
        write::apply(tx, &mut user, &body)?;
        // Nobody is signed in yet.
        user.other.remove("signInSessionsValidFromDateTime");
        tx.put(&user)?;
        Ok(show(&find(tx, &user.id)?))
    })?;
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let body = annotated(
        [("@odata.context", call.context("users/$entity"))],
        Query::default().project(object, DEFAULT),
    );
    Ok(created(&call.url(&format!("/users/{id}")), body))
}

/// Changes of these can take an account over.
const SENSITIVE: &[&str] = &[
    "accountEnabled",
    "businessPhones",
    "mobilePhone",
    "onPremisesImmutableId",
    "otherMails",
    "userPrincipalName",
];

pub(super) async fn update(Path(id): Path<String>, call: Call) -> Answer {
    let body = call.object()?;
    let only = |names: &[&str]| body.keys().all(|name| names.contains(&name.as_str()));
    let mut permissions = WRITE_USERS.to_vec();
    if only(&["accountEnabled"]) {
        permissions.push("User.EnableDisableAccount.All");
    }
    let sets_password = body.contains_key("passwordProfile");
    if sets_password {
        // Of an application that calls for itself, nothing less will do.
        if only(&["passwordProfile"]) || call.caller.is_app_only() {
            permissions = vec!["User-PasswordProfile.ReadWrite.All"];
        }
        if !call.caller.is_app_only() {
            permissions.extend(["User.ReadWrite.All", "Directory.AccessAsUser.All"]);
        }
    }
    call.must_have(&permissions)?;
    property::check(PROPERTIES, &body, false)?;
    call.write(|tx| {
        let actor = call.actor(tx)?;
        let mut user = find(tx, &id)?.document;
        if sets_password {
            actor.may_reset_password(tx, &user.id)?;
        }
        if body.keys().any(|name| SENSITIVE.contains(&name.as_str())) {
            actor.may_take_over(tx, &user.id)?;
        }
        if body.keys().any(|name| name != "passwordProfile") {
            actor.may_write_users()?;
        }
        write::apply(tx, &mut user, &body)?;
        tx.put(&user)?;
        Ok(())
    })?;
    Ok(no_content())
}

/// Deletes a user so that it can be restored, with what it belonged to.
pub(super) async fn remove(Path(id): Path<String>, call: Call) -> Answer {
    call.must_have(DELETE_USERS)?;
    call.write(|tx| {
        let actor = call.actor(tx)?;
        let user = find(tx, &id)?;
        actor.may_write_users()?;
        actor.may_take_over(tx, &user.id)?;
        for assignment in tx.with::<RoleAssignment>("principal", &user.id)? {
            roles::must_leave_an_administrator(tx, &assignment)?;
            tx.delete::<RoleAssignment>(&assignment.id)?;
        }
        for member in tx.with::<Member>("member", &user.id)? {
            tx.delete::<Member>(&member.id)?;
        }
        tx.delete::<User>(&user.id)?;
        Ok(())
    })?;
    Ok(no_content())
}

pub(super) async fn revoke(Path(id): Path<String>, call: Call) -> Answer {
    call.must_have(WRITE_USERS)?;
    call.write(|tx| {
        let actor = call.actor(tx)?;
        let mut user = find(tx, &id)?.document;
        actor.may_take_over(tx, &user.id)?;
        let now = clock::stamp(tx.now()).into();
        user.other.insert("signInSessionsValidFromDateTime".to_owned(), now);
        tx.put(&user)?;
        Ok(())
    })?;
    let context = call.context("Edm.Boolean");
    let mut body = annotated([("@odata.context", context)], Map::new());
    body.insert("value".to_owned(), true.into());
    Ok(ok(body))
}

/// The user with an id or a sign-in name.
pub(in crate::emulator::graph) fn find(tx: &Read<'_>, id: &str) -> Result<Found<User>, GraphError> {
    let found = if id.contains('@') {
        user_by_sign_in_name(tx, id)?
    } else {
        tx.get::<User>(&id.to_lowercase())?
    };
    found.ok_or_else(|| GraphError::not_found(id))
}

fn entity(call: &Call, query: &Query, object: Map<String, Value>) -> axum::response::Response {
    let context = call.context(&format!("users{}/$entity", query.chosen()));
    ok(annotated([("@odata.context", context)], project(query, object)))
}

fn project(query: &Query, mut object: Map<String, Value>) -> Map<String, Value> {
    let expanded = object.remove("memberOf");
    let mut projected = query.project(object, DEFAULT);
    if let Some(expanded) = expanded {
        projected.insert("memberOf".to_owned(), expanded);
    }
    projected
}
