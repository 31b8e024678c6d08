//! What was deleted lately, and comes back or goes for good.

use axum::extract::Path;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::{DEFAULT, NAMES, show};
use crate::emulator::directory::{Group, Member, RoleAssignment, User};
use crate::emulator::error::GraphError;
use crate::emulator::graph::call::{Answer, Call, annotated, no_content, ok};
use crate::emulator::graph::groups;
use crate::emulator::graph::list::{self, Within};
use crate::emulator::graph::query::{LIST, ONE, Query};
use crate::emulator::graph::rights::{DELETE_USERS, READ_GROUPS, READ_USERS, WRITE_GROUPS};
use crate::emulator::store::{Document, Found, Read, Scan, Write};

/// Deleted things can be restored for so long.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

pub(super) async fn users(call: Call) -> Answer {
    let query = call.query(LIST)?;
    query.must_know("user", &NAMES)?;
    let page = call.write(|tx| {
        call.may_read(tx, READ_USERS)?;
        purge_old::<User>(tx)?;
        list::page::<User>(tx, &query, Within::Deleted)
    })?;
    let usual: Vec<&str> = DEFAULT.iter().copied().chain(["deletedDateTime"]).collect();
    let page = page.map(|object| query.project(object, &usual));
    Ok(call.collection(&format!("users{}", query.chosen()), page))
}

pub(super) async fn groups(call: Call) -> Answer {
    let query = call.query(LIST)?;
    let page = call.write(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        purge_old::<Group>(tx)?;
        list::page::<Group>(tx, &query, Within::Deleted)
    })?;
    let page = page.map(|object| query.project(object, &[]));
    Ok(call.collection(&format!("groups{}", query.chosen()), page))
}

pub(super) async fn one(Path(id): Path<String>, call: Call) -> Answer {
    let query = call.query(ONE)?;
    let object = call.read(|tx| {
        call.may_read(tx, READ_USERS)?;
        shown(tx, &id)
    })?;
    let context = call.context("directoryObjects/$entity");
    Ok(ok(annotated([("@odata.context", context)], query.project(object, &[]))))
}

/// Brings a user back under its id, with what it belonged to.
pub(super) async fn restore(Path(id): Path<String>, call: Call) -> Answer {
    let object = call.write(|tx| {
        let actor = call.actor(tx)?;
        if deleted::<User>(tx, &id)?.is_some() {
            call.must_have(DELETE_USERS)?;
            actor.may_write_users()?;
            actor.may_take_over(tx, &id)?;
            tx.restore::<User>(&id)?;
            for member in tx.scan::<Member>(&Scan::equals("member", &id).deleted())?.items {
                tx.restore::<Member>(&member.id)?;
            }
            let held = Scan::equals("principal", &id).deleted();
            for assignment in tx.scan::<RoleAssignment>(&held)?.items {
                tx.restore::<RoleAssignment>(&assignment.id)?;
            }
        } else if let Some(group) = deleted::<Group>(tx, &id)? {
            call.must_have(WRITE_GROUPS)?;
            actor.may_write_group(&call, &group)?;
            tx.restore::<Group>(&id)?;
        } else {
            return Err(GraphError::not_found(&id));
        }
        shown(tx, &id)
    })?;
    let is_user = object.get("@odata.type").is_some_and(|kind| kind == "#microsoft.graph.user");
    let usual: &[&str] = if is_user { DEFAULT } else { &[] };
    let context = call.context("directoryObjects/$entity");
    let object = Query::default().project(object, usual);
    Ok(ok(annotated([("@odata.context", context)], object)))
}

pub(super) async fn purge(Path(id): Path<String>, call: Call) -> Answer {
    call.write(|tx| {
        let actor = call.actor(tx)?;
        if deleted::<User>(tx, &id)?.is_some() {
            call.must_have(DELETE_USERS)?;
            actor.may_write_users()?;
            actor.may_take_over(tx, &id)?;
            purge_user(tx, &id)
        } else if let Some(group) = deleted::<Group>(tx, &id)? {
            call.must_have(WRITE_GROUPS)?;
            actor.may_write_group(&call, &group)?;
            groups::purge(tx, &id)
        } else {
            Err(GraphError::not_found(&id))
        }
    })?;
    Ok(no_content())
}

fn deleted<D: Document>(tx: &Read<'_>, id: &str) -> Result<Option<Found<D>>, GraphError> {
    let is_there =
        |found: &Found<D>| found.deleted_at.is_some_and(|at| tx.now().duration_since(at) <= KEPT);
    Ok(tx.get_any::<D>(id)?.filter(is_there))
}

fn shown(tx: &Read<'_>, id: &str) -> Result<Map<String, Value>, GraphError> {
    let typed = |name: &str, object| {
        annotated([("@odata.type", format!("#microsoft.graph.{name}"))], object)
    };
    if let Some(user) = tx.get_any::<User>(id)? {
        return Ok(typed("user", show(&user)));
    }
    match tx.get_any::<Group>(id)? {
        Some(group) => Ok(typed("group", groups::show(&group))),
        None => Err(GraphError::not_found(id)),
    }
}

/// Lets go of what was deleted long ago.
fn purge_old<D: Document>(tx: &Write<'_>) -> Result<(), GraphError> {
    for found in tx.scan::<D>(&Scan::all("id").deleted())?.items {
        if found.deleted_at.is_some_and(|at| tx.now().duration_since(at) > KEPT) {
            purge_user(tx, found.id())?;
            groups::purge(tx, found.id())?;
        }
    }
    Ok(())
}

fn purge_user(tx: &Write<'_>, id: &str) -> Result<(), GraphError> {
    for member in tx.scan::<Member>(&Scan::equals("member", id).deleted())?.items {
        tx.purge::<Member>(&member.id)?;
    }
    for held in tx.scan::<RoleAssignment>(&Scan::equals("principal", id).deleted())?.items {
        tx.purge::<RoleAssignment>(&held.id)?;
    }
    tx.purge::<User>(id)?;
    Ok(())
}
