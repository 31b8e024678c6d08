//! The key that tokens are signed with.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::emulator::store::{Store, StoreError};

/// An RSA key pair, made once per store.
pub(crate) struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwk: Jwk,
    id: String,
}

const SETTING: &str = "signing-key";

/// Tenants in memory share a key: they end with the process, and a key takes a while to make.
static IN_MEMORY: OnceLock<String> = OnceLock::new();

impl Keys {
    /// The key of a store.
    pub(crate) fn of(store: &Store) -> Result<Self, StoreError> {
        if let Some(pem) = store.read(|tx| tx.setting::<String>(SETTING))? {
            return Self::from_pem(&pem);
        }
        let pem = match IN_MEMORY.get() {
            Some(pem) if store.is_in_memory() => pem.clone(),
            _ => generate()?,
        };
        if store.is_in_memory() {
            return Self::from_pem(IN_MEMORY.get_or_init(|| pem));
        }
        // Somebody else may have made one meanwhile: the first one counts.
        let pem = store.write(|tx| {
            if let Some(first) = tx.setting::<String>(SETTING)? {
                return Ok::<_, StoreError>(first);
            }
            tx.set(SETTING, &pem)?;
            Ok(pem)
        })?;
        Self::from_pem(&pem)
    }

    fn from_pem(pem: &str) -> Result<Self, StoreError> {
        let encoding = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(key_error)?;
        let mut jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256).map_err(key_error)?;
        let decoding = DecodingKey::from_jwk(&jwk).map_err(key_error)?;
        let digest = Sha256::digest(pem.as_bytes());
        let id = URL_SAFE_NO_PAD.encode(digest);
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
        Ok(Self { encoding, decoding, jwk, id })
    }

    pub(crate) fn sign<T: Serialize>(&self, claims: &T) -> Result<String, StoreError> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &self.encoding).map_err(key_error)
    }

    /// The claims of a token that this key signed, whatever they are.
    pub(crate) fn verify<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let mut validation = Validation::new(Algorithm::RS256);
        // Times are judged by the tenant's clock, audiences by who reads the token.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode(token, &self.decoding, &validation).ok().map(|token| token.claims)
    }

    /// The public half, as clients look it up.
    pub(crate) fn public(&self) -> &Jwk {
        &self.jwk
    }
}

fn generate() -> Result<String, StoreError> {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .map_err(key_error)?;
    Ok(pair.serialize_pem())
}

fn key_error(error: impl std::fmt::Display) -> StoreError {
    StoreError::Key(error.to_string())
}
