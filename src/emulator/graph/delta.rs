//! What changed since the caller last asked.
//!
//! A token is a place in the store's sequence of writes. The first round reads everything by id and
//! ends with the place where the sequence stood when it began, so that what changed in between is
//! told again rather than never.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, ok};
use super::filter::Filter;
use super::list::{Entity, open, seal};
use super::query::{Query, unsupported};
use super::rights::{READ_GROUPS, READ_USERS};
use super::{groups, users};
use crate::emulator::directory::{Group, Member, Sort, User};
use crate::emulator::error::GraphError;
use crate::emulator::store::{Change, Mark, Read, Scan};
use crate::emulator::tenant;
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/users/delta", get(of_users))
        .route("/users/delta()", get(of_users))
        .route("/users/microsoft.graph.delta()", get(of_users))
        .route("/groups/delta", get(of_groups))
        .route("/groups/delta()", get(of_groups))
        .route("/groups/microsoft.graph.delta()", get(of_groups))
}

/// Options that this kind of question has; the select of the first one holds for all that follow.
const OPTIONS: &[&str] = &["select", "filter", "skiptoken", "deltatoken"];
const PAGE: usize = 200;
/// How long a token is good for.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Objects that a filter names at most.
const FILTERED_MAX: usize = 50;

/// Where a caller stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Of which collection.
    kind: String,
    /// Everything up to this write is known.
    seq: i64,
    /// Within the first round: after this one.
    after: Option<Mark>,
    first: bool,
    select: Option<Vec<String>>,
    ids: Option<Vec<String>>,
    at: Timestamp,
}

/// What a page tells.
struct Told {
    objects: Vec<Map<String, Value>>,
    place: Place,
    is_last: bool,
}

async fn of_users(call: Call) -> Answer {
    let query = call.query(OPTIONS)?;
    query.must_know("user", &users::NAMES)?;
    let told = call.read(|tx| {
        call.may_read(tx, READ_USERS)?;
        let place = place(tx, "users", &query)?;
        page::<User>(tx, place, users::DEFAULT)
    })?;
    Ok(answer(&call, "users", told))
}

async fn of_groups(call: Call) -> Answer {
    let query = call.query(OPTIONS)?;
    let known: Vec<&str> = groups::names().into_iter().chain(["members"]).collect();
    query.must_know("group", &known)?;
    let told = call.read(|tx| {
        call.may_read(tx, READ_GROUPS)?;
        let place = place(tx, "groups", &query)?;
        let since = (!place.first).then_some(place.seq);
        let shows_members =
            place.select.as_ref().is_none_or(|names| names.iter().any(|name| name == "members"));
        let mut told = page::<Group>(tx, place, &[])?;
        if shows_members {
            for object in &mut told.objects {
                add_members(tx, object, since)?;
            }
        }
        Ok(told)
    })?;
    Ok(answer(&call, "groups", told))
}

/// Where a request goes on, or begins.
fn place(tx: &Read<'_>, kind: &str, query: &Query) -> Result<Place, GraphError> {
    let stale = || {
        let message =
            "The delta token is invalid or has expired: start again with a full synchronization.";
        GraphError::new(StatusCode::GONE, "syncStateNotFound", message)
    };
    let token = query.skip_token.as_ref().or(query.delta_token.as_ref());
    if let Some(token) = token.filter(|token| *token != "latest") {
        let place: Place = open(token).map_err(|_| stale())?;
        let is_old = tx.now().duration_since(place.at) > LIFETIME;
        let is_of_before = place.seq < tenant::begun(tx)?;
        if place.kind != kind || is_old || is_of_before || place.seq > tx.last_seq()? {
            return Err(stale());
        }
        return Ok(place);
    }
    Ok(Place {
        kind: kind.to_owned(),
        seq: tx.last_seq()?,
        after: None,
        first: token.is_none(),
        select: query.select.clone(),
        ids: query.filter.as_ref().map(ids).transpose()?,
        at: tx.now(),
    })
}

/// The ids that a filter names: nothing else can be filtered by.
fn ids(filter: &Filter) -> Result<Vec<String>, GraphError> {
    let alternatives = match filter {
        Filter::Or(any) => any.iter().collect(),
        one => vec![one],
    };
    let named: Option<Vec<String>> = alternatives
        .into_iter()
        .map(|one| one.is_only("id").then(|| one.only("id").map(str::to_lowercase)).flatten())
        .collect();
    named.filter(|named| named.len() <= FILTERED_MAX).ok_or_else(|| {
        unsupported("Only filters by id, combined with or, are supported for delta queries.")
    })
}

fn page<D: Entity>(tx: &Read<'_>, place: Place, usual: &[&str]) -> Result<Told, GraphError> {
    let is_wanted = |id: &str| place.ids.as_ref().is_none_or(|ids| ids.iter().any(|own| own == id));
    let project = |object: Map<String, Value>| {
        let id = object.get("id").cloned().unwrap_or(Value::Null);
        let query = Query { select: place.select.clone(), ..Query::default() };
        let mut shown = Map::new();
        shown.insert("id".to_owned(), id);
        shown.extend(query.project(object, usual).into_iter().filter(|(name, _)| name != "id"));
        shown
    };
    let mut objects = Vec::new();
    if place.first {
        let found = tx.scan::<D>(&Scan::all("id").after(place.after.clone()).limit(PAGE))?;
        let wanted = found.items.iter().filter(|item| is_wanted(item.id()));
        objects.extend(wanted.map(|item| project(D::show(item))));
        let is_last = found.next.is_none();
        let place = Place { after: found.next, first: !is_last, ..place };
        return Ok(Told { objects, place, is_last });
    }
    let changes = tx.changes::<D>(place.seq, PAGE)?;
    let is_last = changes.len() < PAGE;
    let mut seq = place.seq;
    for change in changes {
        let (id, object) = match change {
            Change::Now(found) => {
                seq = found.seq;
                (found.id().to_owned(), project(D::show(&found)))
            }
            Change::Deleted(found) => {
                seq = found.seq;
                (found.id().to_owned(), removed(found.id(), "changed"))
            }
            Change::Purged { id, seq: at } => {
                seq = at;
                (id.clone(), removed(&id, "deleted"))
            }
        };
        if is_wanted(&id) {
            objects.push(object);
        }
    }
    let place = Place { seq, at: tx.now(), ..place };
    Ok(Told { objects, place, is_last })
}

fn removed(id: &str, reason: &str) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("id".to_owned(), id.into());
    object.insert("@removed".to_owned(), json!({"reason": reason}));
    object
}

/// Adds who belongs to a group: everybody, or who came and went since.
fn add_members(
    tx: &Read<'_>,
    group: &mut Map<String, Value>,
    since: Option<i64>,
) -> Result<(), GraphError> {
    if group.contains_key("@removed") {
        return Ok(());
    }
    let id = super::objects::id_of(group);
    let mut listed = Vec::new();
    match since {
        None => {
            let members = tx.with::<Member>("group", &id)?;
            listed.extend(members.iter().map(|member| member_json(&member.member, member.sort)));
        }
        Some(since) => {
            for change in tx.changes::<Member>(since, usize::MAX)? {
                match change {
                    Change::Now(found) if found.group == id => {
                        listed.push(member_json(&found.member, found.sort));
                    }
                    Change::Deleted(found) if found.group == id => {
                        listed.push(removed_member(&found.member));
                    }
                    Change::Purged { id: gone, .. } => {
                        let member = gone.strip_prefix(&format!("{id}/"));
                        listed.extend(member.map(removed_member));
                    }
                    Change::Now(_) | Change::Deleted(_) => {}
                }
            }
        }
    }
    if !listed.is_empty() {
        group.insert("members@delta".to_owned(), Value::Array(listed));
    }
    Ok(())
}

fn member_json(id: &str, sort: Sort) -> Value {
    let kind = match sort {
        Sort::User => "user",
        Sort::Group => "group",
        Sort::ServicePrincipal => "servicePrincipal",
    };
    json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": id})
}

fn removed_member(id: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.user", "id": id, "@removed": {"reason": "deleted"}})
}

fn answer(call: &Call, name: &str, told: Told) -> Response {
    let chosen = match &told.place.select {
        Some(names) => format!("({})", names.join(",")),
        None => String::new(),
    };
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), call.context(&format!("{name}{chosen}")).into());
    let objects = told.objects.into_iter().map(Value::Object).collect();
    body.insert("value".to_owned(), Value::Array(objects));
    let (link, token) = if told.is_last {
        ("@odata.deltaLink", "deltatoken")
    } else {
        ("@odata.nextLink", "skiptoken")
    };
    // What was chosen is remembered in the token.
    let address = call.url(&format!("/{name}/delta?${token}={}", seal(&told.place)));
    body.insert(link.to_owned(), address.into());
    ok(body)
}
