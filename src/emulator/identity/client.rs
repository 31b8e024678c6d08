//! How an application proves that it is itself.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::form::Fields;
use super::refusal::Refusal;
use super::registration::Registration;
use super::token::Proof;
use crate::emulator::store::Read;
use crate::emulator::tenant::Tenant;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An application that asks for tokens.
pub(super) struct Client {
    pub registration: Registration,
    pub proof: Proof,
}

impl Client {
    /// Whoever the form says is asking, if it proves it, or offers no proof.
    pub(super) fn of(tx: &Read<'_>, tenant: &Tenant, fields: &Fields) -> Result<Self, Refusal> {
        let client_id = fields.need("client_id")?;
        let registration = tx
            .find::<Registration>("client-id", &client_id.to_lowercase())?
            .ok_or_else(|| Refusal::unknown_application(client_id))?
            .document;
        let proof = if let Some(assertion) = fields.get("client_assertion") {
            if fields.get("client_assertion_type") != Some(JWT_BEARER) {
                let message =
                    "The value for the input parameter 'client_assertion_type' is not valid.";
                return Err(Refusal::invalid_request(message));
            }
            by_assertion(tx, tenant, &registration, assertion)?;
            Proof::Certificate
        } else if let Some(secret) = fields.get("client_secret") {
            // It is compared in the time it takes: whoever reaches an emulator may know its secret.
            if registration.secret.as_deref() != Some(secret) {
                return Err(Refusal::invalid_client(7_000_215, "Invalid client secret provided."));
            }
            Proof::Secret
        } else {
            Proof::None
        };
        Ok(Self { registration, proof })
    }

    /// Refuses an application without proof.
    pub(super) fn must_prove_itself(&self) -> Result<(), Refusal> {
        if self.proof != Proof::None {
            return Ok(());
        }
        let message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        Err(Refusal::invalid_client(7_000_218, message))
    }
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Audiences,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
}

/// One audience or several: both are valid.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

impl Audiences {
    fn contain(&self, wanted: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(one) => wanted(one),
            Self::Several(several) => several.iter().any(|one| wanted(one)),
        }
    }
}

/// An assertion is signed by a certificate of the application, or comes from a trusted issuer.
fn by_assertion(
    tx: &Read<'_>,
    tenant: &Tenant,
    registration: &Registration,
    assertion: &str,
) -> Result<(), Refusal> {
    let own = registration.certificates.iter().find_map(|pem| verify(assertion, pem));
    let foreign = || {
        registration.federated.iter().find_map(|trusted| {
            let claims = verify(assertion, &trusted.key)?;
            let is_theirs = claims.iss == trusted.issuer
                && claims.sub == trusted.subject
                && claims.aud.contain(|audience| audience == trusted.audience);
            is_theirs.then_some(claims)
        })
    };
    let claims = match own {
        Some(claims) => {
            let is_own = claims.iss == registration.client_id
                && claims.sub == registration.client_id
                && claims.aud.contain(|audience| is_token_endpoint(audience, tenant));
            if !is_own {
                let message = "Client assertion audience, issuer or subject claim does not match.";
                return Err(Refusal::invalid_client(700_021, message));
            }
            claims
        }
        None => foreign().ok_or_else(|| {
            let message = "Client assertion contains an invalid signature.";
            Refusal::invalid_client(700_027, message)
        })?,
    };
    let now = tx.now().as_second();
    // Their clock is the machine's, which may be behind the tenant's: an assertion from before a
    // journey in time is still one.
    let ahead = now - crate::emulator::clock::machine_now().as_second();
    let is_early = claims.nbf.is_some_and(|begins| now < begins.saturating_sub(300));
    if now - ahead > claims.exp.saturating_add(300) || is_early {
        let message = "Client assertion is not within its valid time range.";
        return Err(Refusal::invalid_client(700_024, message));
    }
    Ok(())
}

/// Whether an audience is the address of a token endpoint of this tenant, on whatever host.
fn is_token_endpoint(audience: &str, tenant: &Tenant) -> bool {
    let Ok(uri) = audience.parse::<http::Uri>() else { return false };
    let mut segments = uri.path().split('/').filter(|segment| !segment.is_empty());
    let is_tenant = segments.next().is_some_and(|name| tenant.is_called(name));
    let rest: Vec<&str> = segments.collect();
    is_tenant
        && matches!(
            rest.as_slice(),
            [] | ["v2.0"] | ["oauth2", "token"] | ["oauth2", "v2.0", "token"]
        )
}

/// The claims of an assertion that a key signed.
fn verify(assertion: &str, pem: &str) -> Option<Assertion> {
    let algorithm = jsonwebtoken::decode_header(assertion).ok()?.alg;
    let key = match algorithm {
        Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256 => {
            DecodingKey::from_rsa_pem(pem.as_bytes()).ok()?
        }
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(pem.as_bytes()).ok()?,
        _ => return None,
    };
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    Some(jsonwebtoken::decode::<Assertion>(assertion, &key, &validation).ok()?.claims)
}
