//! Groups: security groups, those that can hold roles, dynamic ones, Microsoft 365 groups.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Map, Value};

use super::call::{Answer, Call, annotated, created, no_content, ok};
use super::list::{self, Entity, Within};
use super::property::{self, By, Kind, Property, invalid, need, property, seconds};
use super::query::{LIST, ONE, Query};
use super::rights::{READ_GROUPS, WRITE_GROUPS, WRITE_MEMBERS, WRITE_ROLES};
use super::{members, roles};
use crate::emulator::directory::{Group, Member, RoleAssignment};
use crate::emulator::error::GraphError;
use crate::emulator::store::{Found, Read, Write};
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/groups", get(list).post(create))
        .route("/groups/{id}", get(one).patch(update).delete(remove))
}

const PROPERTIES: &[Property] = &[
    property("classification", Kind::Text(256), By::Cloud),
    property("createdDateTime", Kind::Text(64), By::Service),
    property("deletedDateTime", Kind::Text(64), By::Service),
    property("description", Kind::Text(1024), By::Identity),
    property("displayName", Kind::Text(256), By::Identity),
    property("groupTypes", Kind::Texts(2), By::Creation),
    property("id", Kind::Text(64), By::Service),
    property("isAssignableToRole", Kind::Bool, By::Creation),
    property("mail", Kind::Text(256), By::Service),
    property("mailEnabled", Kind::Bool, By::Identity),
    property("mailNickname", Kind::Text(64), By::Identity),
    property("membershipRule", Kind::Text(3072), By::Cloud),
    property("membershipRuleProcessingState", Kind::Text(16), By::Cloud),
    property("onPremisesSyncEnabled", Kind::Bool, By::Service),
    property("preferredLanguage", Kind::Text(64), By::Cloud),
    property("proxyAddresses", Kind::Texts(400), By::Service),
    property("securityEnabled", Kind::Bool, By::Identity),
    property("securityIdentifier", Kind::Text(128), By::Service),
    property("visibility", Kind::Text(32), By::Cloud),
];

pub(super) fn names() -> Vec<&'static str> {
    PROPERTIES.iter().map(|property| property.name).collect()
}

impl Entity for Group {
    const INDEXED: &'static [(&'static str, &'static str)] =
        &[("id", "id"), ("displayName", "display-name"), ("mailNickname", "mail-nickname")];
    const PAGE: (usize, usize) = (100, 999);

    fn show(found: &Found<Self>) -> Map<String, Value> {
        show(found)
    }
}

pub(super) fn show(found: &Found<Group>) -> Map<String, Value> {
    let group = &found.document;
    let mut object = Map::new();
    for property in PROPERTIES {
        let value = match property.name {
            "id" => group.id.clone().into(),
            "displayName" => group.display_name.clone().into(),
            "mailNickname" => group.mail_nickname.clone().into(),
            "mailEnabled" => group.mail_enabled.into(),
            "securityEnabled" => group.security_enabled.into(),
            "groupTypes" => group.group_types.clone().into(),
            "createdDateTime" => seconds(found.created_at).into(),
            "deletedDateTime" => found.deleted_at.map_or(Value::Null, |at| seconds(at).into()),
            other => group.other.get(other).cloned().unwrap_or_else(|| property.kind.nothing()),
        };
        object.insert(property.name.to_owned(), value);
    }
    object
}

pub(super) fn is_dynamic(group: &Group) -> bool {
    group.group_types.iter().any(|kind| kind == "DynamicMembership")
}

fn is_unified(group: &Group) -> bool {
    group.group_types.iter().any(|kind| kind == "Unified")
}

pub(super) fn find(tx: &Read<'_>, id: &str) -> Result<Found<Group>, GraphError> {
    tx.get::<Group>(&id.to_lowercase())?.ok_or_else(|| GraphError::not_found(id))
}

async fn list(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("group", &names())?;
    query.must_be_allowed_by_directory()?;
    let page = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        let query = Query { count: query.count && call.is_eventual(), ..query.clone() };
        let mut page = list::page::<Group>(tx, &query, Within::All)?;
        if query.expand.iter().any(|name| name == "members") {
            for object in &mut page.objects {
                members::expand_members(tx, object)?;
            }
        }
        Ok(page)
    })?;
    let page = page.map(|object| project(&query, object));
    Ok(call.collection(&format!("groups{}", query.chosen()), page))
}

async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    query.must_know("group", &names())?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        let mut object = show(&find(tx, &id)?);
        if query.expand.iter().any(|name| name == "members") {
            members::expand_members(tx, &mut object)?;
        }
        Ok(object)
    })?;
    let context = call.context(&format!("groups{}/$entity", query.chosen()));
    Ok(ok(annotated([("@odata.context", context)], project(&query, object))))
}

fn project(query: &Query, mut object: Map<String, Value>) -> Map<String, Value> {
    let expanded = object.remove("members");
    let mut projected = query.project(object, &[]);
    if let Some(expanded) = expanded {
        projected.insert("members".to_owned(), expanded);
    }
    projected
}

async fn create(call: Call) -> Answer {
    call.must_have(&[WRITE_GROUPS, &["Group.Create"]].concat())?;
    let mut body = call.object()?;
    let first_members = members::bound(body.remove("members@odata.bind").as_ref())?;
    property::check(PROPERTIES, &body, true)?;
    let group = begin(&body)?;
    let object = call.write(|tx| {
        let mut group = group.clone();
        group.id = tx.new_id()?.to_string();
        let actor = call.actor(tx)?;
        if super::rights::is_role_assignable(&group) {
            call.must_have(WRITE_ROLES)?;
            actor.may_write_roles()?;
        }
        tx.put(&group)?;
        for member in &first_members {
            members::add(tx, &group, member)?;
        }
        Ok(show(&find(tx, &group.id)?))
    })?;
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let body = annotated([("@odata.context", call.context("groups/$entity"))], object);
    Ok(created(&call.url(&format!("/groups/{id}")), body))
}

/// A group as a body describes it, if such a group can be.
fn begin(body: &Map<String, Value>) -> Result<Group, GraphError> {
    let flag = |name: &str| {
        body.get(name).and_then(Value::as_bool).ok_or_else(|| {
            invalid(name, format!("A value is required for property '{name}' of resource 'Group'."))
        })
    };
    let group_types: Vec<String> = body
        .get("groupTypes")
        .and_then(Value::as_array)
        .map(|kinds| kinds.iter().filter_map(|kind| Some(kind.as_str()?.to_owned())).collect())
        .unwrap_or_default();
    let set = ["displayName", "mailNickname", "mailEnabled", "securityEnabled", "groupTypes"];
    let others =
        body.iter().filter(|(name, value)| !set.contains(&name.as_str()) && !value.is_null());
    let group = Group {
        id: String::new(),
        display_name: need(body, "displayName")?.to_owned(),
        mail_nickname: need(body, "mailNickname")?.to_owned(),
        mail_enabled: flag("mailEnabled")?,
        security_enabled: flag("securityEnabled")?,
        group_types,
        other: others.map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    must_be_possible(&group)?;
    Ok(group)
}

fn must_be_possible(group: &Group) -> Result<(), GraphError> {
    let known = |kind: &String| kind == "Unified" || kind == "DynamicMembership";
    if !group.group_types.iter().all(known) {
        return Err(invalid("groupTypes", "Invalid value specified for property 'groupTypes'."));
    }
    let nickname = &group.mail_nickname;
    if !nickname.is_ascii()
        || nickname.contains(|c: char| c.is_whitespace() || "@()\\[]\";:<>,".contains(c))
    {
        return Err(invalid(
            "mailNickname",
            "Invalid value specified for property 'mailNickname'.",
        ));
    }
    if group.mail_enabled != is_unified(group) {
        let message = "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.";
        return Err(GraphError::bad_request(message));
    }
    if !group.security_enabled && !is_unified(group) {
        return Err(invalid(
            "securityEnabled",
            "A group must be mail-enabled or security-enabled.",
        ));
    }
    if is_dynamic(group) != group.other.contains_key("membershipRule") {
        let message = "A membershipRule must be specified for groups with dynamic membership, and for no others.";
        return Err(invalid("membershipRule", message));
    }
    if is_dynamic(group) && super::rights::is_role_assignable(group) {
        let message = "A role-assignable group cannot have dynamic membership.";
        return Err(invalid("isAssignableToRole", message));
    }
    if super::rights::is_role_assignable(group) && !group.security_enabled {
        return Err(invalid(
            "isAssignableToRole",
            "A role-assignable group must be security-enabled.",
        ));
    }
    Ok(())
}

/// Changes properties, or adds up to twenty members: all of them or none.
async fn update(Path(id): Path<String>, call: Call) -> Answer {
    let mut body = call.object()?;
    let new_members = members::bound(body.remove("members@odata.bind").as_ref())?;
    call.must_have(if body.is_empty() { WRITE_MEMBERS } else { WRITE_GROUPS })?;
    property::check(PROPERTIES, &body, false)?;
    call.write(|tx| {
        let mut group = find(tx, &id)?.document;
        call.actor(tx)?.may_write_group(&call, &group)?;
        for member in &new_members {
            members::add(tx, &group, member)?;
        }
        if body.is_empty() {
            return Ok(());
        }
        must_be_its_own(&group, &body)?;
        for (name, value) in &body {
            match (name.as_str(), value) {
                ("displayName", Value::String(text)) => group.display_name.clone_from(text),
                ("mailNickname", Value::String(text)) => group.mail_nickname.clone_from(text),
                ("mailEnabled", Value::Bool(flag)) => group.mail_enabled = *flag,
                ("securityEnabled", Value::Bool(flag)) => group.security_enabled = *flag,
                ("displayName" | "mailNickname" | "mailEnabled" | "securityEnabled", _) => {
                    return Err(invalid(name, format!("Property '{name}' is required.")));
                }
                (_, Value::Null) => {
                    group.other.remove(name);
                }
                _ => {
                    group.other.insert(name.clone(), value.clone());
                }
            }
        }
        must_be_possible(&group)?;
        tx.put(&group)?;
        Ok(())
    })?;
    Ok(no_content())
}

fn must_be_its_own(group: &Group, body: &Map<String, Value>) -> Result<(), GraphError> {
    let is_synced = group.other.get("onPremisesSyncEnabled") == Some(&Value::Bool(true));
    let kept_there = PROPERTIES
        .iter()
        .find(|property| property.by == By::Identity && body.contains_key(property.name));
    match kept_there {
        Some(property) if is_synced => Err(invalid(
            property.name,
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
        )),
        _ => Ok(()),
    }
}

/// Deletes a group: for good, unless it is a Microsoft 365 group.
async fn remove(Path(id): Path<String>, call: Call) -> Answer {
    call.must_have(WRITE_GROUPS)?;
    call.write(|tx| {
        let group = find(tx, &id)?;
        call.actor(tx)?.may_write_group(&call, &group)?;
        if is_unified(&group) {
            tx.delete::<Group>(&group.id)?;
            return Ok(());
        }
        for assignment in tx.with::<RoleAssignment>("principal", &group.id)? {
            roles::must_leave_an_administrator(tx, &assignment)?;
        }
        purge(tx, &group.id)
    })?;
    Ok(no_content())
}

/// Lets go of a group with its memberships and roles. Assignments of delegated access to it stay, as
/// they do in the service, and give nobody anything.
pub(super) fn purge(tx: &Write<'_>, id: &str) -> Result<(), GraphError> {
    for key in ["group", "member"] {
        for member in tx.with::<Member>(key, id)? {
            tx.purge::<Member>(&member.id)?;
        }
    }
    for assignment in tx.with::<RoleAssignment>("principal", id)? {
        tx.purge::<RoleAssignment>(&assignment.id)?;
    }
    if !tx.purge::<Group>(id)? {
        return Ok(());
    }
    Ok(())
}

/// What `$ref` bodies and `@odata.bind` point at.
pub(super) fn referenced(address: &str) -> Result<String, GraphError> {
    let malformed = || {
        let message = "Invalid URL specified for an object reference.";
        GraphError::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    };
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/').ok_or_else(malformed)?.1,
        None => address.trim_start_matches('/'),
    };
    let segments: Vec<&str> = path.trim_start_matches("v1.0/").split('/').collect();
    match segments.as_slice() {
        ["directoryObjects" | "users" | "groups" | "servicePrincipals", id] if !id.is_empty() => {
            Ok((*id).to_lowercase())
        }
        _ => Err(malformed()),
    }
}
