//! A signed statement that we are an application, instead of a secret: a certificate and its key.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use uuid::Uuid;

use super::Error;

/// Long enough for a slow clock, too short to be worth stealing.
const LIFETIME: Duration = Duration::from_mins(10);

/// Signs an assertion (RFC 7523) with PS256, naming the certificate by its SHA-256.
///
/// `pem` holds the certificate and its RSA key, in either order.
pub(super) fn sign(
    pem: &SecretString,
    client_id: Uuid,
    audience: &str,
    now: Timestamp,
) -> Result<SecretString, Error> {
    let incomplete = |cause: &str| Error::Incomplete { cause: cause.to_owned() };
    let bytes = pem.expose_secret().as_bytes();
    let certificate = CertificateDer::from_pem_slice(bytes)
        .map_err(|_| incomplete("the certificate file holds no certificate in PEM form"))?;
    let key = PrivateKeyDer::from_pem_slice(bytes)
        .map_err(|_| incomplete("the certificate file holds no private key in PEM form"))?;
    let signer = any_supported_type(&key)
        .ok()
        .and_then(|key| key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]))
        .ok_or_else(|| incomplete("the certificate's key is not an RSA key"))?;
    let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({
        "alg": "PS256",
        "typ": "JWT",
        "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.as_ref())),
    });
    let issued = now.as_second();
    let claims = json!({
        "aud": audience,
        "iss": client_id.to_string(),
        "sub": client_id.to_string(),
        "jti": Uuid::from_u128(rand::random()).to_string(),
        "nbf": issued,
        "iat": issued,
        "exp": issued.saturating_add_unsigned(LIFETIME.as_secs()),
    });
    let text = format!("{}.{}", encoded(&header), encoded(&claims));
    let signature = signer
        .sign(text.as_bytes())
        .map_err(|_| incomplete("the certificate's key cannot sign"))?;
    Ok(SecretString::from(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}
