//! Partner Center v1, as its documentation and its clients' experience have it.
//!
//! Who asks is checked in [`access`], bodies are written in [`wire`], what is kept stands in
//! [`documents`]. Paths arrive in lower case. Partnerships and reseller relationships are never
//! made here: people make them, in `console`.

mod access;
mod create;
pub(crate) mod customers;
mod details;
pub(crate) mod documents;
mod profiles;
mod qualifications;
mod records;
mod relationships;
mod replay;
mod roles;
mod sandbox;
mod users;
mod wire;

use axum::Json;
use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::routing::{delete, get, head, patch, post, put};
use http::StatusCode;
use serde_json::Value;

use super::error::{CenterError, Code};
use super::world::World;

pub(crate) use profiles::{begin as begin_profiles, put as put_profile};
pub(crate) use roles::begin as begin_roles;

pub(crate) fn routes() -> Router<World> {
    Router::new()
        .route("/customers", get(customers::list).post(create::create))
        .route("/customers/relationshiprequests", get(relationships::request))
        .route("/customers/all/validations", get(qualifications::codes))
        .route(
            "/customers/{id}",
            get(customers::get).patch(customers::patch).delete(customers::delete),
        )
        .route("/customers/{id}/profiles/company", get(details::company))
        .route("/customers/{id}/profiles/billing", get(details::billing).put(details::put_billing))
        .route("/customers/{id}/organization", get(details::organization))
        .route("/customers/{id}/customdomains", get(details::custom_domains))
        .route("/customers/{id}/relationships", get(relationships::of_customer))
        .route("/customers/{id}/managedservices", get(details::managed_services))
        .route("/customers/{id}/subscriptions", get(details::subscriptions))
        .route("/customers/{id}/orders", get(details::orders))
        .route("/customers/{id}/servicerequests", get(details::service_requests))
        .route("/servicerequests/{id}", get(details::service_request))
        .route(
            "/customers/{id}/qualifications",
            get(qualifications::list).post(qualifications::ask),
        )
        .route("/customers/{id}/qualification", get(qualifications::first))
        .route("/customers/{id}/validationstatus", get(qualifications::status))
        .route("/customers/{id}/agreements", get(details::agreements).post(details::agree))
        .route("/customers/{id}/directsignedmicrosoftcustomeragreementstatus", get(details::signed))
        .route("/agreements", get(details::agreement_texts))
        .route("/customers/{id}/users", get(users::list).post(users::create))
        .route(
            "/customers/{id}/users/{user}",
            get(users::get).patch(users::patch).delete(users::delete),
        )
        .route("/customers/{id}/users/{user}/resetpassword", patch(users::reset_password))
        .route("/domains/{domain}", head(create::domain))
        .route("/validations/address", post(create::address))
        .route("/relationships", get(relationships::list))
        .route("/compliance/csp/agreementstatus", get(relationships::agreement_status))
        .route("/sandboxindirectreseller", post(sandbox::create))
        .route("/sandboxindirectreseller/{id}", delete(sandbox::delete))
        .route(
            "/profiles/organization",
            get(profiles::organization).put(profiles::put_organization),
        )
        .route("/profiles/legalbusiness", get(profiles::legal).put(profiles::put_legal))
        .route("/profiles/billing", get(profiles::billing).put(profiles::put_billing))
        .route("/profiles/support", get(profiles::support).put(profiles::put_support))
        .route("/profiles/supportprofile", put(profiles::put_support))
        .route("/profiles/mpn", get(profiles::mpn))
        .route("/roles", get(roles::list))
        .route("/roles/{role}", get(roles::get))
        .route("/roles/{role}/usermembers", get(roles::members).post(roles::add))
        .route("/roles/{role}/usermembers/{member}", delete(roles::remove))
        .route("/users/{id}", get(users::ours))
        .route("/auditrecords", get(records::list))
}

/// A body that could be read; otherwise a refusal in the service's words.
struct Body(Value);

impl FromRequest<World> for Body {
    type Rejection = CenterError;

    async fn from_request(request: Request, world: &World) -> Result<Self, CenterError> {
        if let Ok(Json(body @ Value::Object(_))) = Json::from_request(request, world).await {
            return Ok(Self(body));
        }
        let message = "The request body is not valid.";
        Err(CenterError::new(StatusCode::BAD_REQUEST, Code::Text(800_002), message))
    }
}
