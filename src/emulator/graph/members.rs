//! Who belongs to a group, and to which groups somebody belongs.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Path;
use axum::response::IntoResponse;
use axum::routing::{delete, get};
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::call::{Answer, Call, annotated, no_content};
use super::groups::{self, is_dynamic, referenced};
use super::list::{self, Entity, Page, Within, short};
use super::objects;
use super::query::{LIST, Query, unsupported};
use super::rights::{READ_GROUPS, WRITE_MEMBERS, is_role_assignable};
use super::roles;
use crate::emulator::directory::{Group, Member, RoleAssignment, ServicePrincipal, Sort, User};
use crate::emulator::error::GraphError;
use crate::emulator::store::{Found, Read, Write};
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/groups/{id}/members", get(list_members))
        .route("/groups/{id}/members/$ref", get(list_members).post(add_one))
        .route("/groups/{id}/members/$count", get(count_members))
        .route("/groups/{id}/members/microsoft.graph.user", get(list_users))
        .route("/groups/{id}/members/microsoft.graph.servicePrincipal", get(list_principals))
        .route("/groups/{id}/members/microsoft.graph.group", get(list_groups))
        .route("/groups/{id}/members/{member}/$ref", delete(remove_one))
        .route("/groups/{id}/transitiveMembers", get(list_transitive))
        .route("/groups/{id}/transitiveMembers/microsoft.graph.user", get(list_transitive_users))
        .route("/groups/{id}/owners", get(list_owners))
        .route("/groups/{id}/memberOf", get(group_member_of))
        .route("/users/{id}/memberOf", get(user_member_of))
        .route("/users/{id}/transitiveMemberOf", get(user_transitive_member_of))
        .route("/me/memberOf", get(my_member_of))
        .route("/servicePrincipals/{id}/memberOf", get(principal_member_of))
}

/// Objects that an expansion shows at most.
const EXPANDED_MAX: usize = 20;
/// References that one change holds at most.
const BOUND_MAX: usize = 20;

impl Entity for Member {
    const INDEXED: &'static [(&'static str, &'static str)] = &[("id", "group")];
    const PAGE: (usize, usize) = (100, 999);

    fn show(found: &Found<Self>) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("id".to_owned(), found.member.clone().into());
        object
    }
}

async fn list_members(Path(id): Path<String>, call: Call) -> Answer {
    members_of_sort(&id, &call, None)
}

async fn list_users(Path(id): Path<String>, call: Call) -> Answer {
    members_of_sort(&id, &call, Some(Sort::User))
}

async fn list_principals(Path(id): Path<String>, call: Call) -> Answer {
    members_of_sort(&id, &call, Some(Sort::ServicePrincipal))
}

async fn list_groups(Path(id): Path<String>, call: Call) -> Answer {
    members_of_sort(&id, &call, Some(Sort::Group))
}

/// A cast is an advanced query.
fn must_be_advanced(query: &Query) -> Result<(), GraphError> {
    if query.is_eventual && query.count {
        return Ok(());
    }
    Err(unsupported("Unsupported or invalid query filter clause specified."))
}

fn members_of_sort(id: &str, call: &Call, sort: Option<Sort>) -> Answer {
    let query = call.query(LIST)?;
    objects::must_know(&query)?;
    query.must_be_allowed_by_directory()?;
    if sort.is_some() {
        must_be_advanced(&query)?;
    }
    let page = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        let group = groups::find(tx, id)?;
        let count = query.count && call.is_eventual();
        if sort.is_some() || query.filter.is_some() || query.order.is_some() {
            let all = tx.with::<Member>("group", &group.id)?;
            let of_sort = all.iter().filter(|member| sort.is_none_or(|sort| sort == member.sort));
            let objects = shown(tx, of_sort.map(|member| &member.member))?;
            return short(&Query { count, ..query.clone() }, objects, 999);
        }
        let query = Query { count, ..query.clone() };
        let page = list::page::<Member>(tx, &query, Within::Key("group", &group.id))?;
        let ids: Vec<String> = page.objects.iter().map(objects::id_of).collect();
        Ok(Page { objects: shown(tx, ids.iter())?, ..page })
    })?;
    let name = match sort {
        None => "directoryObjects",
        Some(Sort::User) => "users",
        Some(Sort::Group) => "groups",
        Some(Sort::ServicePrincipal) => "servicePrincipals",
    };
    let page = page.map(|object| objects::project(&query, object));
    Ok(call.collection(&format!("{name}{}", query.chosen()), page))
}

async fn count_members(Path(id): Path<String>, call: Call) -> Answer {
    if !call.is_eventual() {
        return Err(unsupported("$count is not currently supported."));
    }
    let count = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        let group = groups::find(tx, &id)?;
        list::total::<Member>(tx, &Query::default(), Within::Key("group", &group.id))
    })?;
    Ok(([(CONTENT_TYPE, "text/plain")], count.to_string()).into_response())
}

async fn list_transitive(Path(id): Path<String>, call: Call) -> Answer {
    transitive(&id, &call, None)
}

async fn list_transitive_users(Path(id): Path<String>, call: Call) -> Answer {
    transitive(&id, &call, Some(Sort::User))
}

fn transitive(id: &str, call: &Call, sort: Option<Sort>) -> Answer {
    let query = call.query(LIST)?;
    objects::must_know(&query)?;
    if sort.is_some() {
        must_be_advanced(&query)?;
    }
    let page = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        let mut ahead = vec![groups::find(tx, id)?.document.id];
        let mut seen: BTreeSet<String> = ahead.iter().cloned().collect();
        let mut found = BTreeSet::new();
        while let Some(group) = ahead.pop() {
            for member in tx.with::<Member>("group", &group)? {
                if member.sort == Sort::Group && seen.insert(member.member.clone()) {
                    ahead.push(member.member.clone());
                }
                if sort.is_none_or(|sort| sort == member.sort) {
                    found.insert(member.document.member);
                }
            }
        }
        short(&query, shown(tx, found.iter())?, 999)
    })?;
    let page = page.map(|object| objects::project(&query, object));
    Ok(call.collection(&format!("directoryObjects{}", query.chosen()), page))
}

/// Nobody owns a group here.
async fn list_owners(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(LIST)?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        groups::find(tx, &id)?;
        short(&query, Vec::new(), 999)
    })?;
    Ok(call.collection(&format!("directoryObjects{}", query.chosen()), page))
}

async fn group_member_of(Path(id): Path<String>, call: Call) -> Answer {
    let id = call.read(|tx| Ok(groups::find(tx, &id)?.document.id))?;
    member_of(&id, &call, false)
}

async fn user_member_of(Path(id): Path<String>, call: Call) -> Answer {
    let id = call.read(|tx| Ok(super::users::find(tx, &id)?.document.id))?;
    member_of(&id, &call, false)
}

async fn user_transitive_member_of(Path(id): Path<String>, call: Call) -> Answer {
    let id = call.read(|tx| Ok(super::users::find(tx, &id)?.document.id))?;
    member_of(&id, &call, true)
}

async fn my_member_of(call: Call) -> Answer {
    let id = call.caller.principal().to_owned();
    member_of(&id, &call, false)
}

async fn principal_member_of(Path(id): Path<String>, call: Call) -> Answer {
    let id = call.read(|tx| Ok(super::principals::find(tx, &id)?.document.id))?;
    member_of(&id, &call, false)
}

fn member_of(id: &str, call: &Call, transitive: bool) -> Answer {
    let query = call.query(LIST)?;
    objects::must_know(&query)?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        short(&query, belongings(tx, id, transitive)?, 999)
    })?;
    let page = page.map(|object| objects::project(&query, object));
    Ok(call.collection(&format!("directoryObjects{}", query.chosen()), page))
}

/// Groups and directory roles that somebody belongs to.
fn belongings(
    tx: &Read<'_>,
    id: &str,
    transitive: bool,
) -> Result<Vec<Map<String, Value>>, GraphError> {
    let mut objects = Vec::new();
    let mut seen = BTreeSet::new();
    let mut ahead = vec![id.to_owned()];
    while let Some(member) = ahead.pop() {
        for membership in tx.with::<Member>("member", &member)? {
            if seen.insert(membership.group.clone()) {
                objects.extend(objects::show(tx, &membership.group)?);
                if transitive {
                    ahead.push(membership.document.group);
                }
            }
        }
        for held in tx.with::<RoleAssignment>("principal", &member)? {
            if held.directory_scope_id == "/" && seen.insert(held.role_definition_id.clone()) {
                objects.extend(roles::show_activated(tx, &held.role_definition_id)?);
            }
        }
    }
    Ok(objects)
}

fn shown<'a>(
    tx: &Read<'_>,
    ids: impl Iterator<Item = &'a String>,
) -> Result<Vec<Map<String, Value>>, GraphError> {
    let mut objects = Vec::new();
    for id in ids {
        objects.extend(objects::show(tx, id)?);
    }
    Ok(objects)
}

/// Adds the first members to a group that is shown.
pub(super) fn expand_members(
    tx: &Read<'_>,
    group: &mut Map<String, Value>,
) -> Result<(), GraphError> {
    let id = objects::id_of(group);
    let members = tx.with::<Member>("group", &id)?;
    let ids = members.iter().take(EXPANDED_MAX).map(|member| &member.member);
    insert(group, "members", shown(tx, ids)?);
    Ok(())
}

/// Adds the first groups to a user that is shown.
pub(super) fn expand_groups(
    tx: &Read<'_>,
    user: &mut Map<String, Value>,
) -> Result<(), GraphError> {
    let mut groups = belongings(tx, &objects::id_of(user), false)?;
    groups.truncate(EXPANDED_MAX);
    insert(user, "memberOf", groups);
    Ok(())
}

fn insert(object: &mut Map<String, Value>, name: &str, objects: Vec<Map<String, Value>>) {
    let shown = objects
        .into_iter()
        .map(|object| Value::Object(objects::project(&Query::default(), object)))
        .collect();
    object.insert(name.to_owned(), Value::Array(shown));
}

async fn add_one(Path(id): Path<String>, call: Call) -> Answer {
    call.must_have(WRITE_MEMBERS)?;
    let member = reference(&call)?;
    call.write(|tx| {
        let group = groups::find(tx, &id)?;
        call.actor(tx)?.may_write_group(&call, &group)?;
        add(tx, &group, &member)
    })?;
    Ok(no_content())
}

/// The id that a body of `$ref` points at.
pub(super) fn reference(call: &Call) -> Result<String, GraphError> {
    let body = call.object()?;
    let address = body.get("@odata.id").and_then(Value::as_str);
    referenced(
        address.ok_or_else(|| GraphError::bad_request("A value is required for '@odata.id'."))?,
    )
}

/// The ids that an `@odata.bind` points at.
pub(super) fn bound(bind: Option<&Value>) -> Result<Vec<String>, GraphError> {
    let Some(bind) = bind else { return Ok(Vec::new()) };
    let malformed = || GraphError::bad_request("Invalid value specified for 'members@odata.bind'.");
    let addresses = bind.as_array().ok_or_else(malformed)?;
    if addresses.len() > BOUND_MAX {
        let message = "The number of references in a request must not exceed 20.";
        return Err(GraphError::bad_request(message));
    }
    addresses.iter().map(|address| referenced(address.as_str().ok_or_else(malformed)?)).collect()
}

/// Adds a member who is none yet.
pub(super) fn add(tx: &Write<'_>, group: &Group, id: &str) -> Result<(), GraphError> {
    if is_dynamic(group) {
        let message = "Insufficient privileges to complete the operation: members of a group with dynamic membership cannot be changed.";
        return Err(GraphError::bad_request(message));
    }
    let sort = sort_of(tx, id)?.ok_or_else(|| GraphError::not_found(id))?;
    if sort == Sort::Group && is_role_assignable(group) {
        return Err(GraphError::bad_request(
            "A role-assignable group cannot have groups as members.",
        ));
    }
    if sort == Sort::Group && id == group.id {
        return Err(GraphError::bad_request("A group cannot be a member of itself."));
    }
    if tx.get::<Member>(&Member::id_of(&group.id, id))?.is_some() {
        let message = "One or more added object references already exist for the following modified properties: 'members'.";
        return Err(GraphError::bad_request(message));
    }
    Ok(super::directory::add_member(tx, &group.id, id, sort)?)
}

pub(super) fn sort_of(tx: &Read<'_>, id: &str) -> Result<Option<Sort>, GraphError> {
    Ok(if tx.get::<User>(id)?.is_some() {
        Some(Sort::User)
    } else if tx.get::<Group>(id)?.is_some() {
        Some(Sort::Group)
    } else if tx.get::<ServicePrincipal>(id)?.is_some() {
        Some(Sort::ServicePrincipal)
    } else {
        None
    })
}

async fn remove_one(Path((id, member)): Path<(String, String)>, call: Call) -> Answer {
    call.must_have(WRITE_MEMBERS)?;
    call.write(|tx| {
        let group = groups::find(tx, &id)?;
        call.actor(tx)?.may_write_group(&call, &group)?;
        if is_dynamic(&group) {
            let message = "Members of a group with dynamic membership cannot be changed.";
            return Err(GraphError::bad_request(message));
        }
        let member = member.to_lowercase();
        if super::directory::remove_member(tx, &group.id, &member)? {
            Ok(())
        } else {
            Err(GraphError::not_found(&member))
        }
    })?;
    Ok(no_content())
}

/// An object's annotations with its type, as collections of several sorts have it.
pub(super) fn typed(name: &str, object: Map<String, Value>) -> Map<String, Value> {
    annotated([("@odata.type", format!("#microsoft.graph.{name}"))], object)
}
