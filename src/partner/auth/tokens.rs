//! Access tokens: asked for when needed, kept until shortly before they expire, renewed by one at a
//! time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::super::clock::Clock;
use super::super::json;
use super::super::request::Service;
use super::super::transport::Transport;
use super::endpoint::{self, Form, Granted};
use super::vault::Kept;
use super::{Endpoints, Error, SignIn, Vault, assertion, federation};
use crate::model::project::{Federation, Identity};
use crate::model::secret::SecretReference;

/// A token that lives no longer than this is not used any more.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);
/// For answers that do not say how long a token lives.
const LIFETIME_ASSUMED: u64 = 300;
/// How often the authority is asked before it counts as away, and how long after the first time;
/// twice as long after each further one.
const ASKED_MAX: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What an identity proves itself with.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// As the project has it.
    Identity(Identity),
    /// A token that was made elsewhere.
    Bearer(SecretString),
}

/// The tokens of one identity.
pub struct Tokens {
    transport: Arc<dyn Transport>,
    endpoints: Endpoints,
    /// A domain or an id.
    tenant: String,
    credentials: Credentials,
    vault: Vault,
    clock: Clock,
    kept: Mutex<Wallet>,
}

/// What is kept between requests. Its lock is held while a token is asked for: whoever comes
/// meanwhile wants the same one.
#[derive(Default)]
struct Wallet {
    access: BTreeMap<Service, Access>,
    /// A rotated refresh token that could not be written where the first one came from.
    refresh: Option<SecretString>,
}

/// An access token.
#[derive(Clone)]
pub struct Access {
    token: SecretString,
    expires: Duration,
    /// Grows with each renewal, so that a stale one is recognised.
    generation: u64,
}

/// In whose token requests are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user's or the service principal's object id.
    pub object: Uuid,
    pub tenant: Option<Uuid>,
    pub application: Option<Uuid>,
    /// The sign-in name; absent for an application on its own.
    pub user: Option<String>,
    /// Whether a second factor was used; what an application on its own does not need.
    pub has_second_factor: bool,
}

impl Tokens {
    pub fn new(
        transport: Arc<dyn Transport>,
        endpoints: Endpoints,
        tenant: impl Into<String>,
        credentials: Credentials,
        vault: Vault,
        clock: Clock,
    ) -> Self {
        Self {
            transport,
            endpoints,
            tenant: tenant.into(),
            credentials,
            vault,
            clock,
            kept: Mutex::default(),
        }
    }

    /// A token for a service: the kept one, or a new one.
    pub async fn access(&self, service: Service) -> Result<Access, Error> {
        let mut kept = self.kept.lock().await;
        if let Some(access) = kept.access.get(&service)
            && self.clock.elapsed() + EXPIRY_MARGIN < access.expires
        {
            return Ok(access.clone());
        }
        self.ask(&mut kept, service).await
    }

    /// A token instead of one that was refused; the one that somebody else got meanwhile will do.
    pub async fn renewed(&self, service: Service, refused: &Access) -> Result<Access, Error> {
        let mut kept = self.kept.lock().await;
        if let Some(access) = kept.access.get(&service)
            && access.generation > refused.generation
        {
            return Ok(access.clone());
        }
        self.ask(&mut kept, service).await
    }

    /// Who the tokens say we are.
    pub async fn actor(&self, service: Service) -> Result<Option<Actor>, Error> {
        Ok(self.access(service).await?.actor())
    }

    async fn ask(&self, kept: &mut Wallet, service: Service) -> Result<Access, Error> {
        let generation = kept.access.get(&service).map_or(1, |access| access.generation + 1);
        let identity = match &self.credentials {
            Credentials::Bearer(token) => {
                return Ok(Access { token: token.clone(), expires: Duration::MAX, generation });
            }
            Credentials::Identity(identity) => identity,
        };
        let granted = self.granted(identity, service, kept).await?;
        let lifetime = endpoint::seconds(&granted.expires_in, LIFETIME_ASSUMED);
        let access = Access {
            token: granted.access_token,
            expires: self.clock.elapsed() + Duration::from_secs(lifetime),
            generation,
        };
        tracing::debug!(?service, lifetime, "a new access token");
        kept.access.insert(service, access.clone());
        Ok(access)
    }

    /// Asks until there is an answer. To ask again is safe: a grant takes nothing away, and a refresh
    /// token that was rotated is good for a while.
    async fn granted(
        &self,
        identity: &Identity,
        service: Service,
        kept: &mut Wallet,
    ) -> Result<Granted, Error> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ASKED_MAX {
            match self.grant(identity, service, kept).await {
                Err(error) if error.is_passing() => {
                    tracing::debug!(%error, "asking for a token again");
                    self.clock.sleep(wait).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        self.grant(identity, service, kept).await
    }

    /// Asks the login authority, and keeps the refresh token that comes before anything else.
    async fn grant(
        &self,
        identity: &Identity,
        service: Service,
        kept: &mut Wallet,
    ) -> Result<Granted, Error> {
        let url = format!("{}/{}/oauth2/v2.0/token", self.endpoints.login, self.tenant);
        let client = identity.client_id.to_string();
        let proof = self.proof(identity, &url).await?;
        let mut form = vec![("client_id", client.as_str())];
        match &proof {
            Proof::None => {}
            Proof::Secret(secret) => form.push(("client_secret", secret.expose_secret())),
            Proof::Assertion(assertion) => {
                form.push(("client_assertion_type", ASSERTION_TYPE));
                form.push(("client_assertion", assertion.expose_secret()));
            }
        }
        let audience = self.endpoints.audience(service);
        let Some(at) = &identity.refresh_token else {
            if matches!(proof, Proof::None) {
                let cause = "the identity has neither a secret, a certificate, a federation nor a refresh token";
                return Err(Error::Incomplete { cause: cause.to_owned() });
            }
            let scope = format!("{audience}/.default");
            form.extend([("grant_type", "client_credentials"), ("scope", &scope)]);
            return endpoint::post(&*self.transport, &url, &Form(form)).await;
        };
        // Read each time: another process may have rotated it.
        let refresh = match &kept.refresh {
            Some(refresh) => refresh.clone(),
            None => self.vault.read("refresh token", at)?,
        };
        let scope = delegated_scope(audience, service);
        form.extend([
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
            ("scope", &scope),
        ]);
        let granted: Granted = endpoint::post(&*self.transport, &url, &Form(form)).await?;
        if let Some(rotated) = &granted.refresh_token
            && rotated.expose_secret() != refresh.expose_secret()
        {
            self.keep(at, rotated, kept)?;
        }
        Ok(granted)
    }

    fn keep(
        &self,
        at: &SecretReference,
        rotated: &SecretString,
        kept: &mut Wallet,
    ) -> Result<(), Error> {
        if self.vault.keep(at, rotated)? == Kept::InMemory {
            if kept.refresh.is_none() {
                tracing::warn!(
                    "the new refresh token cannot be kept in an environment variable: the old one expires"
                );
            }
            kept.refresh = Some(rotated.clone());
        }
        Ok(())
    }

    async fn proof(&self, identity: &Identity, url: &str) -> Result<Proof, Error> {
        if let Some(at) = &identity.client_secret {
            return self.vault.read("client secret", at).map(Proof::Secret);
        }
        if let Some(at) = &identity.certificate {
            let pem = self.vault.read("certificate", at)?;
            return assertion::sign(&pem, identity.client_id.0, url, self.clock.now())
                .map(Proof::Assertion);
        }
        let Some(federation) = identity.federated else { return Ok(Proof::None) };
        self.vouched(federation).await.map(Proof::Assertion)
    }

    async fn vouched(&self, federation: Federation) -> Result<SecretString, Error> {
        let exchange = self.endpoints.exchange();
        federation::token(federation, &self.vault, &*self.transport, exchange).await
    }
}

enum Proof {
    /// A public client.
    None,
    Secret(SecretString),
    Assertion(SecretString),
}

/// What a user's token is asked for; with a new refresh token.
pub(super) fn delegated_scope(audience: &str, service: Service) -> String {
    match service {
        Service::PartnerCenter => format!("{audience}/user_impersonation offline_access"),
        // Whatever was consented to.
        Service::Graph => format!("{audience}/.default offline_access"),
    }
}

impl Access {
    /// One that just came.
    pub(super) fn new(token: SecretString, expires: Duration) -> Self {
        Self { token, expires, generation: 1 }
    }

    /// The header that carries it, which does not print itself.
    pub(in crate::partner) fn header(&self) -> Option<http::HeaderValue> {
        endpoint::bearer(&self.token)
    }

    pub(in crate::partner) fn secret(&self) -> &SecretString {
        &self.token
    }

    /// What the token says of who we are. It is not verified: it was sent to us by the authority that
    /// we asked, and decides nothing but what is shown and who is judged.
    pub fn actor(&self) -> Option<Actor> {
        #[derive(Deserialize)]
        struct Claims {
            oid: Uuid,
            tid: Option<Uuid>,
            appid: Option<Uuid>,
            azp: Option<Uuid>,
            upn: Option<String>,
            unique_name: Option<String>,
            preferred_username: Option<String>,
            scp: Option<String>,
            #[serde(default, deserialize_with = "json::or_default")]
            amr: Vec<String>,
        }
        let payload = self.token.expose_secret().split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Claims = serde_json::from_slice(&bytes).ok()?;
        let user = claims.scp.and(
            claims.upn.or(claims.unique_name).or(claims.preferred_username).or(Some(String::new())),
        );
        Some(Actor {
            object: claims.oid,
            tenant: claims.tid,
            application: claims.appid.or(claims.azp),
            user,
            has_second_factor: claims.amr.iter().any(|method| method == "mfa"),
        })
    }

    /// Whether a service may have refused this token for want of a second factor, which no renewal
    /// brings back.
    pub(in crate::partner) fn lacks_second_factor(&self) -> Option<Error> {
        let actor = self.actor()?;
        (actor.user.is_some() && !actor.has_second_factor)
            .then_some(Error::SignInNeeded { why: SignIn::SecondFactor, refusal: None })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("tenant", &self.tenant)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("generation", &self.generation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
