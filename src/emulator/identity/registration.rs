//! Applications that may ask for tokens.

use serde::{Deserialize, Serialize};

use crate::emulator::store::Document;

/// An application, and how it proves that it is itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registration {
    pub client_id: String,
    pub secret: Option<String>,
    /// Certificates or public keys, as PEM.
    #[serde(default)]
    pub certificates: Vec<String>,
    #[serde(default)]
    pub federated: Vec<Federated>,
    /// Whether it may sign users in without proving itself.
    pub is_public: bool,
}

/// Whose tokens are taken in place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Federated {
    pub issuer: String,
    pub subject: String,
    pub audience: String,
    /// The issuer's public key, as PEM: nothing is fetched.
    pub key: String,
}

impl Registration {
    pub(crate) fn with_secret(client_id: &str, secret: String) -> Self {
        Self {
            client_id: client_id.to_owned(),
            secret: Some(secret),
            certificates: Vec::new(),
            federated: Vec::new(),
            is_public: true,
        }
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Document for Registration {
    const KIND: &'static str = "registration";

    fn id(&self) -> &str {
        &self.client_id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("client-id", self.client_id.to_lowercase())]
    }
}
