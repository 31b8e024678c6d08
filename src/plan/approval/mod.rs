//! A plan signed: by whoever made it, and by those who approve of it.
//!
//! An approval is a small file beside the plan. It names the plan by its digest and by when the tenant
//! was observed, says in which part its signer signs, and carries a signature as `ssh-keygen -Y sign`
//! makes it, so that the keys are those that people have and anyone can verify it with stock tools.
//! What is signed is the file itself without its `signature`, as canonical JSON (RFC 8785).
//!
//! Who signed is what the approvers' file says of the key ([`Signers`]); the `name` in an approval is a
//! claim, and nothing is decided by it. Whether the signatures are enough is [`count()`]'s question.
//! Nothing here reads a file, a key or the clock.

mod count;
mod people;
mod signers;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, SshSig};

pub use count::{Counted, Found, Question, Uncounted, count};
pub use signers::{Malformed, Revoked, Signers};

use super::file::Plan;

/// Which format this is; a reader refuses any other.
pub const FORMAT: &str = "partnerctl/approval/v1";

/// What OpenSSH calls the domain of a signature: one that was made for anything else is none here.
pub const NAMESPACE: &str = "partnerctl-plan";

/// A file that holds more is no approval.
pub const BYTES_MAX: u64 = 64 * 1024;

/// A signature over a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    pub format: String,
    pub role: Role,
    pub plan: Subject,
    /// Who says that they signed: a claim. The approvers' file says whose a key is.
    pub name: String,
    #[schemars(with = "String")]
    pub signed_at: Timestamp,
    /// An OpenSSH signature (`-----BEGIN SSH SIGNATURE-----`) in the namespace `partnerctl-plan` over
    /// the canonical JSON (RFC 8785) of this object without `signature`.
    pub signature: String,
}

/// An approval that is still to be signed.
#[derive(Debug, Clone)]
pub struct Unsigned(Approval);

/// In which part somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// They made the plan; they do not approve of it.
    Author,
    /// They have seen the plan and want it applied.
    Approver,
}

/// The plan that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// Covers what the plan says: steps, reports, limits, and what it was made from (manifests,
    /// policies, commit, ledger, tenant).
    pub digest: String,
    /// Not covered by the digest. A plan made later says the same and is another one.
    #[schemars(with = "String")]
    pub observed_at: Timestamp,
    pub estate: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl Subject {
    pub fn of(plan: &Plan) -> Self {
        Self {
            digest: plan.digest.clone(),
            observed_at: plan.observed_at,
            estate: plan.parents.estate.clone(),
            tenant: plan.parents.tenant.clone(),
            commit: plan.parents.commit.clone(),
        }
    }
}

impl Unsigned {
    pub fn new(plan: &Plan, role: Role, name: &str, signed_at: Timestamp) -> Self {
        Self(Approval {
            format: FORMAT.to_owned(),
            role,
            plan: Subject::of(plan),
            name: name.to_owned(),
            signed_at,
            signature: String::new(),
        })
    }

    /// What is signed, before OpenSSH's own hashing.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        self.0.signed_bytes()
    }

    /// With the signature that somebody made of it.
    pub fn signed(self, signature: &SshSig) -> Result<Approval, ssh_key::Error> {
        Ok(Approval { signature: signature.to_pem(LineEnding::LF)?, ..self.0 })
    }
}

/// The JSON Schema of the format, as in `schemas/approval.schema.json`.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Approval).to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "partnerctl approval, version 1".into());
    }
    if let Some(Value::Object(format)) = schema.pointer_mut("/properties/format") {
        format.insert("const".to_owned(), FORMAT.into());
    }
    schema
}

/// Why a file is no approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnApproval {
    /// It is of another format, or of none.
    Format,
    Malformed(String),
    /// The signature is not one, or not of this.
    Signature(String),
}

impl fmt::Display for NotAnApproval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => write!(f, "it does not say that its format is {FORMAT:?}"),
            Self::Malformed(cause) | Self::Signature(cause) => f.write_str(cause),
        }
    }
}

impl std::error::Error for NotAnApproval {}

impl Approval {
    /// As it is written: indented, because people look at it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads an approval; whether its signature holds is [`Self::signer`]'s question.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAnApproval> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| NotAnApproval::Malformed(format!("it is not JSON: {error}")))?;
        if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(NotAnApproval::Format);
        }
        serde_json::from_value(value).map_err(|error| NotAnApproval::Malformed(error.to_string()))
    }

    /// All of it but the signature.
    fn signed_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        if let Some(members) = value.as_object_mut() {
            members.remove("signature");
        }
        serde_json_canonicalizer::to_vec(&value)
    }

    /// The key that signed it, if one did.
    pub fn signer(&self) -> Result<KeyData, NotAnApproval> {
        let wrong = |cause: &str| NotAnApproval::Signature(cause.to_owned());
        let signature: SshSig = self
            .signature
            .parse()
            .map_err(|_| wrong("its signature cannot be read: `ssh-keygen -Y sign` makes one"))?;
        let key = signature.public_key().clone();
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(wrong("it is signed with a key that is not Ed25519"));
        }
        if !signature.reserved().is_empty() || signature.namespace() != NAMESPACE {
            return Err(NotAnApproval::Signature(format!(
                "its signature is for another purpose than {NAMESPACE}"
            )));
        }
        let said =
            self.signed_bytes().map_err(|error| NotAnApproval::Malformed(error.to_string()))?;
        PublicKey::from(key.clone())
            .verify(NAMESPACE, &said, &signature)
            .map_err(|_| wrong("its signature is not of what it says: it was changed"))?;
        Ok(key)
    }
}

/// The name of the file that an approval stands in: by its role and its key, so that no name that
/// anybody chose is in a path, and who signs again replaces their own.
pub fn file_name(role: Role, key: &KeyData) -> String {
    let role = match role {
        Role::Author => "author",
        Role::Approver => "approval",
    };
    let print = key.fingerprint(HashAlg::Sha256);
    // INVARIANT: a fingerprint has 32 bytes.
    let short = print.as_bytes().first_chunk().copied().map_or(0, u64::from_be_bytes);
    format!("{role}-{short:016x}.json")
}

#[cfg(test)]
mod tests;
