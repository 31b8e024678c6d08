//! Who we are to the tenant: identities, tokens, and where their secrets are kept.
//!
//! A run has two identities, one that reads and one that writes, each with tokens of its own. Tokens
//! come from the v2 endpoint of the cloud's login authority; secrets are read where the project says
//! they are, at the moment they are needed, and a rotated refresh token is safe on disk before the
//! access token that came with it is used for anything.
//!
//! Never asked for: tokens for Azure AD Graph (`graph.windows.net`), which is gone.

mod assertion;
pub mod cloud;
pub mod device;
mod endpoint;
mod federation;
pub mod tokens;
pub mod vault;

use std::fmt;

use super::error::shown;

pub use cloud::Endpoints;
pub use tokens::{Actor, Credentials, Tokens};
pub use vault::Vault;

/// Why there is no token.
#[derive(Debug)]
pub enum Error {
    /// The login authority refused.
    Refused(Box<Refusal>),
    /// It could not be asked, or its answer makes no sense.
    Unreachable { cause: String },
    /// A person must sign in again: no repeat helps.
    SignInNeeded { why: SignIn, refusal: Option<Box<Refusal>> },
    /// A secret is not where the project says it is.
    Secret { what: &'static str, place: String, cause: String },
    /// What the identity is made of does not suffice.
    Incomplete { cause: String },
    /// The refresh token that came could not be kept, so that what came with it is not used.
    NotKept { place: String, cause: String },
    /// A credential would travel in the clear.
    InTheClear { url: String },
}

/// Why a person must sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// The refresh token is not good any more.
    Expired,
    /// The sign-in behind the token was made without a second factor.
    SecondFactor,
    /// Nobody consented to the application yet.
    Consent,
    /// A policy of the tenant does not let it in.
    Policy,
}

/// What the login authority said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// Such as `invalid_grant`.
    pub error: String,
    /// AADSTS numbers.
    pub codes: Vec<u64>,
    /// The first line of its description, scrubbed.
    pub description: String,
    pub trace_id: Option<String>,
    pub correlation_id: Option<String>,
}

impl Refusal {
    /// Whether a person must do something, rather than a program.
    fn sign_in(&self) -> Option<SignIn> {
        let has = |codes: &[u64]| self.codes.iter().any(|code| codes.contains(code));
        if has(&[50076, 50079, 50074, 50072, 50158]) {
            return Some(SignIn::SecondFactor);
        }
        if has(&[65001]) || self.error == "consent_required" {
            return Some(SignIn::Consent);
        }
        if has(&[53003, 53000, 53001]) {
            return Some(SignIn::Policy);
        }
        match self.error.as_str() {
            "invalid_grant" => Some(SignIn::Expired),
            "interaction_required" => Some(SignIn::SecondFactor),
            _ => None,
        }
    }

    fn into_error(self) -> Error {
        match self.sign_in() {
            Some(why) => Error::SignInNeeded { why, refusal: Some(Box::new(self)) },
            None => Error::Refused(Box::new(self)),
        }
    }
}

impl Error {
    /// Whether the same question may be answered a moment later: the authority is away or busy,
    /// and said nothing about who asks.
    fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => refusal.status >= 500 || matches!(refusal.status, 408 | 429),
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, shown(&self.error))?;
        if !self.description.is_empty() {
            write!(f, ": {}", shown(&self.description))?;
        }
        match (&self.trace_id, &self.correlation_id) {
            (Some(trace), Some(correlation)) => {
                write!(f, " (trace {}, correlation {})", shown(trace), shown(correlation))
            }
            (Some(id), None) => write!(f, " (trace {})", shown(id)),
            (None, Some(id)) => write!(f, " (correlation {})", shown(id)),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "sign-in refused: {refusal}"),
            Self::Unreachable { cause } => {
                write!(f, "the login authority cannot be reached: {}", shown(cause))
            }
            Self::SignInNeeded { why, refusal } => {
                f.write_str(match why {
                    SignIn::Expired => "the sign-in has expired: run `partnerctl login`",
                    SignIn::SecondFactor => {
                        "a sign-in with a second factor is needed: run `partnerctl login`"
                    }
                    SignIn::Consent => {
                        "the application has not been consented to: an administrator must do so"
                    }
                    SignIn::Policy => "a conditional access policy blocks this sign-in",
                })?;
                refusal.as_ref().map_or(Ok(()), |refusal| write!(f, ": {refusal}"))
            }
            Self::Secret { what, place, cause } => {
                write!(f, "no {what} in {}: {}", shown(place), shown(cause))
            }
            Self::Incomplete { cause } => f.write_str(cause),
            Self::NotKept { place, cause } => {
                write!(
                    f,
                    "the new refresh token cannot be kept in {}: {}",
                    shown(place),
                    shown(cause)
                )
            }
            Self::InTheClear { url } => write!(
                f,
                "{} is not encrypted: credentials go over https, or to this machine",
                shown(url)
            ),
        }
    }
}

impl std::error::Error for Error {}
