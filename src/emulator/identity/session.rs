//! Refresh tokens: what is left of a sign-in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::emulator::store::{Document, Read, StoreError, Write};

/// How long one lives when it is not used.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A refresh token that was given out. The old one works on after a new one is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// The token's digest: the token itself is kept nowhere.
    pub id: String,
    pub client_id: String,
    pub user: String,
    /// A sign-in without a second factor never gains one.
    pub mfa: bool,
    /// Whether the application had proved itself: then it must again.
    pub is_confidential: bool,
    pub issued_at: Timestamp,
}

impl Document for Session {
    const KIND: &'static str = "session";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("user", self.user.clone())]
    }
}

impl Session {
    /// Makes a refresh token.
    pub(crate) fn start(
        tx: &Write<'_>,
        client_id: &str,
        user: &str,
        mfa: bool,
        is_confidential: bool,
    ) -> Result<String, StoreError> {
        let token = format!("0.{}", tx.new_secret(60)?);
        tx.put(&Self {
            id: digest(&token),
            client_id: client_id.to_owned(),
            user: user.to_owned(),
            mfa,
            is_confidential,
            issued_at: tx.now(),
        })?;
        Ok(token)
    }

    /// What a refresh token stands for, spent or not.
    pub(crate) fn of(tx: &Read<'_>, token: &str) -> Result<Option<Self>, StoreError> {
        Ok(tx.get::<Self>(&digest(token))?.map(|found| found.document))
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.issued_at) > LIFETIME
    }
}

/// By which secrets are looked up without being kept.
pub(super) fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
