//! Users: create, read, change, delete, restore.

mod deleted;
mod serve;
mod show;
mod write;

use axum::Router;
use axum::routing::{delete, get, post};

use super::property::{By, Kind, Property, property};
use crate::emulator::world::World;

pub(super) use serve::find;
pub(super) use show::{DEFAULT, NAMES, show};

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/users", get(serve::list).post(serve::create))
        .route("/users/$count", get(serve::count))
        .route("/users/{id}", get(serve::one).patch(serve::update).delete(serve::remove))
        .route("/users/{id}/revokeSignInSessions", post(serve::revoke))
        .route("/me", get(serve::me))
        .route("/directory/deletedItems/microsoft.graph.user", get(deleted::users))
        .route("/directory/deletedItems/microsoft.graph.group", get(deleted::groups))
        .route("/directory/deletedItems/{id}", delete(deleted::purge).get(deleted::one))
        .route("/directory/deletedItems/{id}/restore", post(deleted::restore))
}

/// What a user has besides an id.
pub(super) const PROPERTIES: &[Property] = &[
    property("accountEnabled", Kind::Bool, By::Identity),
    property("ageGroup", Kind::Text(32), By::Identity),
    property("businessPhones", Kind::Texts(1), By::Identity),
    property("city", Kind::Text(128), By::Identity),
    property("companyName", Kind::Text(64), By::Identity),
    property("country", Kind::Text(128), By::Identity),
    property("createdDateTime", Kind::Text(64), By::Service),
    property("creationType", Kind::Text(64), By::Service),
    property("deletedDateTime", Kind::Text(64), By::Service),
    property("department", Kind::Text(64), By::Identity),
    property("displayName", Kind::Text(256), By::Identity),
    property("employeeId", Kind::Text(16), By::Identity),
    property("employeeType", Kind::Text(64), By::Identity),
    property("externalUserState", Kind::Text(64), By::Service),
    property("faxNumber", Kind::Text(64), By::Identity),
    property("givenName", Kind::Text(64), By::Identity),
    property("id", Kind::Text(64), By::Service),
    property("jobTitle", Kind::Text(128), By::Identity),
    property("lastPasswordChangeDateTime", Kind::Text(64), By::Service),
    property("mail", Kind::Text(256), By::Identity),
    property("mailNickname", Kind::Text(64), By::Identity),
    property("mobilePhone", Kind::Text(64), By::Identity),
    property("officeLocation", Kind::Text(128), By::Identity),
    property("onPremisesImmutableId", Kind::Text(256), By::Cloud),
    property("onPremisesLastSyncDateTime", Kind::Text(64), By::Service),
    property("onPremisesSyncEnabled", Kind::Bool, By::Service),
    property("otherMails", Kind::Texts(250), By::Cloud),
    property("passwordPolicies", Kind::Text(128), By::Cloud),
    property("passwordProfile", Kind::Object, By::Identity),
    property("postalCode", Kind::Text(40), By::Identity),
    property("preferredLanguage", Kind::Text(64), By::Identity),
    property("proxyAddresses", Kind::Texts(400), By::Service),
    property("securityIdentifier", Kind::Text(128), By::Service),
    property("signInSessionsValidFromDateTime", Kind::Text(64), By::Service),
    property("state", Kind::Text(128), By::Identity),
    property("streetAddress", Kind::Text(1024), By::Identity),
    property("surname", Kind::Text(64), By::Identity),
    property("usageLocation", Kind::Text(2), By::Cloud),
    property("userPrincipalName", Kind::Text(113), By::Identity),
    property("userType", Kind::Text(16), By::Cloud),
];
