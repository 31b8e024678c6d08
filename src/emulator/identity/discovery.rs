//! What clients look up before they ask for a token: addresses and keys, on the origin they came by.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::form::tenant;
use super::refusal::Refusal;
use crate::emulator::http::ids::RequestIds;
use crate::emulator::http::origin::Origin;
use crate::emulator::store::StoreError;
use crate::emulator::world::World;

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
pub(super) async fn newer(
    State(world): State<World>,
    Path(name): Path<String>,
    ids: RequestIds,
    origin: Origin,
) -> Response {
    configuration(&world, &name, &ids, &origin, "/v2.0")
}

/// `GET /{tenant}/.well-known/openid-configuration`
pub(super) async fn older(
    State(world): State<World>,
    Path(name): Path<String>,
    ids: RequestIds,
    origin: Origin,
) -> Response {
    configuration(&world, &name, &ids, &origin, "")
}

fn configuration(
    world: &World,
    name: &str,
    ids: &RequestIds,
    origin: &Origin,
    version: &str,
) -> Response {
    let found = world.store().read(|tx| tenant(tx, name, true));
    let tenant = match found {
        Ok(tenant) => tenant,
        Err(refusal) => return refusal.respond(ids),
    };
    let origin = &origin.0;
    let at = format!("{origin}/{name}/oauth2{version}");
    let issuer = if version.is_empty() {
        format!("https://sts.windows.net/{}/", tenant.id)
    } else {
        format!("{origin}/{}{version}", tenant.id)
    };
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{at}/authorize"),
        "token_endpoint": format!("{at}/token"),
        "device_authorization_endpoint": format!("{at}/devicecode"),
        "jwks_uri": format!("{origin}/{name}/discovery{version}/keys"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nbf", "name", "oid", "tid", "preferred_username",
        ],
        "tenant_region_scope": "NA",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }))
    .into_response()
}

/// `GET /{tenant}/discovery/v2.0/keys`, and the older form.
pub(super) async fn keys(State(world): State<World>, ids: RequestIds) -> Response {
    match public_keys(&world) {
        Ok(keys) => Json(keys).into_response(),
        Err(error) => Refusal::from(error).respond(&ids),
    }
}

fn public_keys(world: &World) -> Result<Value, StoreError> {
    let jwk = world.keys()?.public();
    let key = serde_json::to_value(jwk)
        .map_err(|source| StoreError::Body { kind: "public key", source })?;
    Ok(json!({"keys": [key]}))
}

/// `GET /common/discovery/instance`: which hosts are one authority. Here it is the one that was
/// asked.
pub(super) async fn instance(origin: Origin) -> Response {
    let Some((_, host)) = origin.0.split_once("://") else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    Json(json!({
        "tenant_discovery_endpoint":
            format!("{}/organizations/v2.0/.well-known/openid-configuration", origin.0),
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": [host],
        }],
    }))
    .into_response()
}
