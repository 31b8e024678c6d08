//! `/_emulator/...`: commands by JSON, from this machine alone.

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::emulator::act::{Act, ActError, act};
use crate::emulator::center::documents::{Belonging, Customer, Partner, ValidationCode};
use crate::emulator::directory::{Group, User};
use crate::emulator::faults::FaultPlan;
use crate::emulator::http::log::{Entry, entries};
use crate::emulator::serve::{Peer, is_from_here};
use crate::emulator::store::{Document, Dump, StoreError};
use crate::emulator::tenant::Quirks;
use crate::emulator::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/health", get(health))
        .route("/log", get(log).delete(forget))
        .route("/clock", get(clock).post(move_clock))
        .route("/faults", get(faults).put(set_faults).delete(end_faults))
        .route("/quirks", get(quirks).put(set_quirks))
        .route("/act", post(do_act))
        .route("/tenant", get(dump).put(take_over))
        .route("/objects/{kind}", put(put_object))
        // A tenant with all its customers is large.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(only_from_here))
}

async fn only_from_here(request: Request, next: Next) -> Response {
    if is_from_here(request.extensions().get::<Peer>()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, Json(json!({"error": "only from this machine"}))).into_response()
    }
}

/// Why a command was not done.
struct Failure(StatusCode, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store");
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(why) => Self(StatusCode::CONFLICT, why),
            ActError::Store(error) => error.into(),
        }
    }
}

async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: i64,
}

/// A request with its number, by which the next question can begin after it.
#[derive(Serialize)]
struct Numbered {
    seq: i64,
    #[serde(flatten)]
    entry: Entry,
}

async fn log(
    State(world): State<World>,
    Query(query): Query<After>,
) -> Result<Json<Value>, Failure> {
    let entries: Vec<Numbered> = entries(&world, query.after)?
        .into_iter()
        .map(|(seq, entry)| Numbered { seq, entry })
        .collect();
    Ok(Json(json!({"format": "partnerctl/emulator-log/v1", "entries": entries})))
}

async fn forget(State(world): State<World>) -> Result<StatusCode, Failure> {
    world.store().write(|tx| {
        tx.clear_log()?;
        Ok::<_, StoreError>(())
    })?;
    Ok(StatusCode::NO_CONTENT)
}

fn told(now: Timestamp, ahead: SignedDuration) -> Json<Value> {
    Json(json!({"now": now.to_string(), "aheadSeconds": ahead.as_secs()}))
}

async fn clock(State(world): State<World>) -> Result<Json<Value>, Failure> {
    let (now, ahead) = world.store().write(|tx| Ok::<_, StoreError>((tx.now(), tx.clock()?)))?;
    Ok(told(now, ahead))
}

/// How time moves: by so much, or to a moment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Move {
    #[serde(default)]
    by_seconds: Option<i64>,
    #[serde(default)]
    to: Option<Timestamp>,
}

async fn move_clock(
    State(world): State<World>,
    Json(wanted): Json<Move>,
) -> Result<Json<Value>, Failure> {
    world.store().write(|tx| {
        let by = match (wanted.by_seconds, wanted.to) {
            (Some(seconds), None) => SignedDuration::from_secs(seconds),
            (None, Some(to)) => to.duration_since(tx.now()),
            _ => {
                let message = "say by how much or to when".to_owned();
                return Err(Failure(StatusCode::BAD_REQUEST, message));
            }
        };
        let ahead = tx.clock()?.saturating_add(by);
        // Beyond a hundred years either way is a slip.
        if ahead.abs() > SignedDuration::from_hours(24 * 36525) {
            let message = "that is more than a hundred years away".to_owned();
            return Err(Failure(StatusCode::BAD_REQUEST, message));
        }
        Ok(tx.set_clock(ahead)?)
    })?;
    clock(State(world)).await
}

async fn faults(State(world): State<World>) -> Json<Value> {
    Json(json!(world.faults().plan()))
}

async fn set_faults(
    State(world): State<World>,
    Json(plan): Json<FaultPlan>,
) -> Result<StatusCode, Failure> {
    if plan.rules.iter().any(|rule| !(0.0..=1.0).contains(&rule.rate)) {
        return Err(Failure(StatusCode::BAD_REQUEST, "a rate is from 0 to 1".to_owned()));
    }
    world.store().write(|tx| world.faults().set(tx, Some(plan)))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_faults(State(world): State<World>) -> Result<StatusCode, Failure> {
    world.store().write(|tx| world.faults().set(tx, None))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn quirks(State(world): State<World>) -> Json<Quirks> {
    Json(world.quirks())
}

async fn set_quirks(
    State(world): State<World>,
    Json(quirks): Json<Quirks>,
) -> Result<StatusCode, Failure> {
    world.set_quirks(quirks)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn do_act(
    State(world): State<World>,
    Json(wanted): Json<Act>,
) -> Result<Json<Value>, Failure> {
    let done = world.store().write(|tx| act(tx, &wanted))?;
    Ok(Json(json!({"done": done})))
}

/// The whole tenant, to be changed elsewhere and brought back.
async fn dump(State(world): State<World>) -> Result<Json<Dump>, Failure> {
    let dump = world.store().read(|tx| {
        let dump = tx.dump()?;
        Ok::<_, StoreError>(dump)
    })?;
    Ok(Json(dump))
}

/// Another tenant moves in, as it was written out.
async fn take_over(
    State(world): State<World>,
    Json(dump): Json<Dump>,
) -> Result<StatusCode, Failure> {
    world.store().write(|tx| tx.take_over(&dump))?;
    Ok(StatusCode::NO_CONTENT)
}

/// One thing of the tenant, as it is stored: for what no deed of anybody's makes, such as
/// subscriptions.
async fn put_object(
    State(world): State<World>,
    Path(kind): Path<String>,
    Json(body): Json<Value>,
) -> Result<StatusCode, Failure> {
    match kind.as_str() {
        Customer::KIND => put_one::<Customer>(&world, body),
        Partner::KIND => put_one::<Partner>(&world, body),
        Belonging::KIND => put_one::<Belonging>(&world, body),
        ValidationCode::KIND => put_one::<ValidationCode>(&world, body),
        User::KIND => put_one::<User>(&world, body),
        Group::KIND => put_one::<Group>(&world, body),
        _ => Err(Failure(StatusCode::NOT_FOUND, format!("there is no kind {kind}"))),
    }
}

fn put_one<D: Document>(world: &World, body: Value) -> Result<StatusCode, Failure> {
    let document: D = serde_json::from_value(body)
        .map_err(|error| Failure(StatusCode::BAD_REQUEST, error.to_string()))?;
    world.store().write(|tx| tx.put(&document))?;
    Ok(StatusCode::NO_CONTENT)
}
