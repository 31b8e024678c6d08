//! The token endpoint, in its newer and its older form.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::Client;
use super::device::DeviceCode;
use super::form::{Fields, FormResult, tenant};
use super::keys::Keys;
use super::refusal::Refusal;
use super::scope::Wanted;
use super::session::Session;
use super::token::{Claims, LIFETIME_S, Proof};
use crate::emulator::directory::{ServicePrincipal, User};
use crate::emulator::http::ids::RequestIds;
use crate::emulator::http::origin::Origin;
use crate::emulator::store::{Read, Write};
use crate::emulator::tenant::Tenant;
use crate::emulator::world::World;

/// Which form of the endpoint is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `scope`; numbers are numbers.
    Newer,
    /// `resource`; numbers are strings.
    Older,
}

pub(super) async fn newer(
    State(world): State<World>,
    Path(name): Path<String>,
    ids: RequestIds,
    origin: Origin,
    headers: HeaderMap,
    form: FormResult,
) -> Response {
    answer(&world, &name, &ids, &origin, Fields::of(form, &headers), Form::Newer)
}

pub(super) async fn older(
    State(world): State<World>,
    Path(name): Path<String>,
    ids: RequestIds,
    origin: Origin,
    headers: HeaderMap,
    form: FormResult,
) -> Response {
    answer(&world, &name, &ids, &origin, Fields::of(form, &headers), Form::Older)
}

fn answer(
    world: &World,
    name: &str,
    ids: &RequestIds,
    origin: &Origin,
    fields: Result<Fields, Refusal>,
    form: Form,
) -> Response {
    let granted = fields.and_then(|fields| {
        let keys = world.keys()?;
        grant(world, &Request { name, keys, origin, fields: &fields, form }).flatten()
    });
    match granted {
        Ok(body) => ([(CACHE_CONTROL, "no-store")], Json(body)).into_response(),
        Err(refusal) => refusal.respond(ids),
    }
}

/// A request for a token, and what it takes to answer one.
struct Request<'a> {
    name: &'a str,
    keys: &'a Keys,
    origin: &'a Origin,
    fields: &'a Fields,
    form: Form,
}

/// The outer error takes everything back; the inner one is an answer that is remembered: a poll.
type Granted = Result<Result<Value, Refusal>, Refusal>;

fn grant(world: &World, request: &Request<'_>) -> Granted {
    world.store().write(|tx| match request.fields.need("grant_type")? {
        "client_credentials" => by_credentials(tx, request).map(Ok),
        "refresh_token" => by_refresh_token(tx, request).map(Ok),
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => by_device(tx, request),
        other => Err(Refusal::unsupported_grant(other)),
    })
}

fn by_credentials(tx: &Write<'_>, request: &Request<'_>) -> Result<Value, Refusal> {
    let tenant = tenant(tx, request.name, false)?;
    let client = Client::of(tx, &tenant, request.fields)?;
    client.must_prove_itself()?;
    let wanted = match request.form {
        Form::Older => Wanted::by_resource(request.fields.need("resource")?)?,
        Form::Newer => {
            let scope = request.fields.need("scope")?;
            if !Wanted::is_for_app(scope) {
                return Err(Refusal::invalid_scope());
            }
            Wanted::by_scope(scope)?
        }
    };
    let app_id = &client.registration.client_id;
    let principal = tx
        .find::<ServicePrincipal>("app-id", &app_id.to_lowercase())?
        .ok_or_else(|| Refusal::unknown_application(app_id))?;
    let claims = Claims::of_app(tx, &wanted.audience, &principal, client.proof)?;
    let mut body = answer_body(request.form, &wanted, tx.now());
    put(&mut body, "access_token", request.keys.sign(&claims)?);
    Ok(body)
}

fn by_refresh_token(tx: &Write<'_>, request: &Request<'_>) -> Result<Value, Refusal> {
    let tenant = tenant(tx, request.name, true)?;
    let client = Client::of(tx, &tenant, request.fields)?;
    let session = Session::of(tx, request.fields.need("refresh_token")?)?
        .filter(|session| session.client_id == client.registration.client_id)
        .ok_or_else(|| {
            Refusal::invalid_grant(
                70000,
                "The provided value for the 'refresh_token' is not valid.",
            )
        })?;
    if session.is_confidential {
        client.must_prove_itself()?;
    }
    if session.is_over(tx.now()) {
        let message = "The refresh token has expired due to inactivity.";
        return Err(Refusal::invalid_grant(700_082, message));
    }
    let user = user(tx, &session.user, Some(session.issued_at))?;
    let wanted = wanted(request, None)?;
    for_user(tx, request, &tenant, &client, &user, session.mfa, session.is_confidential, &wanted)
}

fn by_device(tx: &Write<'_>, request: &Request<'_>) -> Granted {
    let tenant = tenant(tx, request.name, true)?;
    let client = Client::of(tx, &tenant, request.fields)?;
    let code = request.fields.get("device_code").or_else(|| request.fields.get("code"));
    let Some(code) = code else {
        request.fields.need("device_code")?;
        return Err(Refusal::invalid_scope());
    };
    let device = match DeviceCode::poll(tx, code, &client.registration.client_id)? {
        Ok(device) => device,
        Err(waiting) => return Ok(Err(waiting)),
    };
    let user = user(tx, &device.user, None)?;
    let wanted = wanted(request, Some(&device.scope))?;
    let is_confidential = client.proof != Proof::None;
    for_user(tx, request, &tenant, &client, &user, device.mfa, is_confidential, &wanted).map(Ok)
}

/// What is asked for; a poll without a scope means the one it began with.
fn wanted(request: &Request<'_>, begun_with: Option<&str>) -> Result<Wanted, Refusal> {
    if let Some(resource) = request.fields.get("resource") {
        return Wanted::by_resource(resource);
    }
    match request.fields.get("scope").or(begun_with) {
        Some(scope) => Wanted::by_scope(scope),
        None => Err(Refusal::invalid_scope()),
    }
}

/// Someone who may still sign in.
fn user(tx: &Read<'_>, id: &str, since: Option<Timestamp>) -> Result<User, Refusal> {
    let user = tx
        .get::<User>(id)?
        .ok_or_else(|| Refusal::invalid_grant(50034, "The user account does not exist."))?
        .document;
    if !user.account_enabled {
        return Err(Refusal::invalid_grant(50057, "The user account is disabled."));
    }
    let valid_from = user
        .other
        .get("signInSessionsValidFromDateTime")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Timestamp>().ok());
    if since.zip(valid_from).is_some_and(|(since, from)| since < from) {
        let message = "The provided grant has expired due to it being revoked.";
        return Err(Refusal::invalid_grant(50173, message));
    }
    Ok(user)
}

#[expect(clippy::too_many_arguments, reason = "one token is made of all of these, once")]
fn for_user(
    tx: &Write<'_>,
    request: &Request<'_>,
    tenant: &Tenant,
    client: &Client,
    user: &User,
    mfa: bool,
    is_confidential: bool,
    wanted: &Wanted,
) -> Result<Value, Refusal> {
    let app_id = &client.registration.client_id;
    let granted = wanted.granted()?;
    let claims = Claims::of_user(tx, &wanted.audience, app_id, client.proof, user, &granted, mfa)?;
    let mut body = answer_body(request.form, wanted, tx.now());
    let scope = match request.form {
        Form::Newer => wanted.told(&granted),
        Form::Older => granted.join(" "),
    };
    put(&mut body, "scope", scope);
    put(&mut body, "access_token", request.keys.sign(&claims)?);
    let is_renewal = request.fields.get("refresh_token").is_some();
    if is_renewal || wanted.offline {
        let token = Session::start(tx, app_id, &user.id, mfa, is_confidential)?;
        put(&mut body, "refresh_token", token);
    }
    if wanted.openid {
        let id = IdToken::of(&claims, request.origin, tenant, user);
        put(&mut body, "id_token", request.keys.sign(&id)?);
        let info = json!({"uid": user.id, "utid": tenant.id}).to_string();
        put(&mut body, "client_info", URL_SAFE_NO_PAD.encode(info));
    }
    Ok(body)
}

fn put(body: &mut Value, name: &str, value: String) {
    if let Some(body) = body.as_object_mut() {
        body.insert(name.to_owned(), value.into());
    }
}

/// Lifetimes are told a second short, as the service does.
fn answer_body(form: Form, wanted: &Wanted, now: Timestamp) -> Value {
    let lifetime = LIFETIME_S - 1;
    match form {
        Form::Newer => json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
        }),
        Form::Older => json!({
            "token_type": "Bearer",
            "expires_in": lifetime.to_string(),
            "ext_expires_in": lifetime.to_string(),
            "expires_on": (now.as_second() + lifetime).to_string(),
            "not_before": (now.as_second() - 300).to_string(),
            "resource": wanted.audience,
        }),
    }
}

/// Who signed in, for the application itself.
#[derive(Serialize)]
struct IdToken {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    name: String,
    oid: String,
    preferred_username: String,
    sub: String,
    tid: String,
    ver: &'static str,
}

impl IdToken {
    fn of(claims: &Claims, origin: &Origin, tenant: &Tenant, user: &User) -> Self {
        Self {
            aud: claims.appid.clone(),
            iss: format!("{}/{}/v2.0", origin.0, tenant.id),
            iat: claims.iat,
            nbf: claims.nbf,
            exp: claims.exp,
            name: user.display_name.clone(),
            oid: user.id.clone(),
            preferred_username: user.user_principal_name.clone(),
            sub: user.id.clone(),
            tid: tenant.id.clone(),
            ver: "2.0",
        }
    }
}
