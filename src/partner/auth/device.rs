//! Signing in from a terminal: a code is shown here and entered in a browser anywhere.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::super::clock::Clock;
use super::super::request::Service;
use super::super::transport::Transport;
use super::endpoint::{self, DeviceCode, Form, Granted};
use super::tokens::{Access, Actor, delegated_scope};
use super::{Endpoints, Error, SignIn, Vault};
use crate::model::id::ApplicationId;
use crate::model::secret::SecretReference;

const INTERVAL_ASSUMED: u64 = 5;
const INTERVAL_MAX: u64 = 60;
const LIFETIME_ASSUMED: u64 = 900;
/// What RFC 8628 adds when a client is told to slow down.
const SLOWER: u64 = 5;

/// A sign-in that waits for a person.
pub struct Waiting {
    code: SecretString,
    /// What the person enters.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    pub expires_in: Duration,
    interval: u64,
}

/// A sign-in that came about.
pub struct SignedIn {
    access: Access,
    refresh: SecretString,
}

/// Asks for a code.
pub async fn begin(
    transport: &dyn Transport,
    endpoints: &Endpoints,
    tenant: &str,
    client: ApplicationId,
) -> Result<Waiting, Error> {
    let url = format!("{}/{tenant}/oauth2/v2.0/devicecode", endpoints.login);
    let client = client.to_string();
    let scope = scope(endpoints);
    let form = Form(vec![("client_id", client.as_str()), ("scope", &scope)]);
    let answer: DeviceCode = endpoint::post(transport, &url, &form).await?;
    Ok(Waiting {
        code: answer.code,
        user_code: answer.user_code,
        verification_uri: answer.verification_uri,
        expires_in: Duration::from_secs(endpoint::seconds(&answer.expires_in, LIFETIME_ASSUMED)),
        interval: endpoint::seconds(&answer.interval, INTERVAL_ASSUMED).clamp(1, INTERVAL_MAX),
    })
}

fn scope(endpoints: &Endpoints) -> String {
    let audience = endpoints.audience(Service::PartnerCenter);
    format!("{} openid", delegated_scope(audience, Service::PartnerCenter))
}

/// Asks again and again until the person is done, or refuses, or the code expires.
pub async fn finish(
    transport: &dyn Transport,
    endpoints: &Endpoints,
    tenant: &str,
    client: ApplicationId,
    waiting: &Waiting,
    clock: &Clock,
) -> Result<SignedIn, Error> {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", endpoints.login);
    let client = client.to_string();
    let scope = scope(endpoints);
    let form = Form(vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client.as_str()),
        ("device_code", waiting.code.expose_secret()),
        ("scope", &scope),
    ]);
    let until = clock.elapsed() + waiting.expires_in;
    let mut interval = waiting.interval;
    loop {
        clock.sleep(Duration::from_secs(interval)).await;
        match endpoint::post::<Granted>(transport, &url, &form).await {
            Ok(granted) => return signed_in(granted),
            Err(Error::Refused(refusal)) => match refusal.error.as_str() {
                "authorization_pending" => {}
                "slow_down" => interval = (interval + SLOWER).min(INTERVAL_MAX),
                "expired_token" => return Err(expired()),
                _ => return Err(Error::Refused(refusal)),
            },
            // A lost poll is as good as a pending one.
            Err(Error::Unreachable { .. }) if clock.elapsed() < until => {}
            Err(error) => return Err(error),
        }
        if clock.elapsed() >= until {
            return Err(expired());
        }
    }
}

fn expired() -> Error {
    Error::SignInNeeded { why: SignIn::Expired, refusal: None }
}

fn signed_in(granted: Granted) -> Result<SignedIn, Error> {
    let lifetime = Duration::from_secs(endpoint::seconds(&granted.expires_in, 0));
    let refresh = granted.refresh_token.ok_or_else(|| Error::Incomplete {
        cause: "the sign-in came without a refresh token: the application lacks `offline_access`"
            .to_owned(),
    })?;
    Ok(SignedIn { access: Access::new(granted.access_token, lifetime), refresh })
}

impl SignedIn {
    /// Who signed in, as far as the token says.
    pub fn actor(&self) -> Option<Actor> {
        self.access.actor()
    }

    /// Keeps what later runs sign in with.
    pub fn keep(&self, vault: &Vault, at: &SecretReference) -> Result<super::vault::Kept, Error> {
        vault.keep(at, &self.refresh)
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting")
            .field("verification_uri", &self.verification_uri)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedIn")
    }
}
