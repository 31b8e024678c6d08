//! The token service: who signs in, with what, and which tokens that gives.

mod client;
pub(crate) mod device;
mod discovery;
mod form;
mod grant;
pub(crate) mod keys;
mod refusal;
pub(crate) mod registration;
mod scope;
pub(crate) mod session;
pub(crate) mod token;

use axum::Router;
use axum::routing::{get, post};
use secrecy::SecretString;

use super::Credentials;
use super::directory::user_by_sign_in_name;
use super::store::{Scan, StoreError};
use super::tenant::{EMBEDDED_ADMIN, Tenant};
use super::world::World;
use registration::Registration;
use session::Session;

pub(crate) fn routes() -> Router<World> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(grant::newer))
        .route("/{tenant}/oauth2/token", post(grant::older))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device::begin))
        .route("/{tenant}/oauth2/devicecode", post(device::begin))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::newer))
        .route("/{tenant}/.well-known/openid-configuration", get(discovery::older))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/{tenant}/discovery/keys", get(discovery::keys))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
}

/// Credentials of the application and the user that come with the tenant.
pub(crate) fn credentials(world: &World) -> Result<Credentials, StoreError> {
    world.store().write(|tx| {
        let tenant = Tenant::of(tx)?;
        let registration = tx
            .scan::<Registration>(&Scan::all("client-id").limit(1))?
            .items
            .pop()
            .ok_or(StoreError::Missing("application"))?;
        let name = format!("{EMBEDDED_ADMIN}@{}", tenant.domain());
        let admin = user_by_sign_in_name(tx, &name)?.ok_or(StoreError::Missing("administrator"))?;
        let refresh_token = Session::start(tx, &registration.client_id, &admin.id, true, true)?;
        Ok(Credentials {
            tenant: tenant.id,
            client_id: registration.client_id.clone(),
            client_secret: SecretString::from(registration.secret.clone().unwrap_or_default()),
            refresh_token: SecretString::from(refresh_token),
        })
    })
}

#[cfg(test)]
mod tests;
