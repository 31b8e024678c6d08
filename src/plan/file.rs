//! The plan as a file: canonical JSON, known by its digest.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::limits::Limits;
use super::step::{Report, Step};

/// Which format this is; a reader refuses any other.
pub const FORMAT: &str = "partnerctl/plan/v1";

/// A plan, as it is written, shown and applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    pub format: String,
    /// SHA-256 of the canonical JSON (RFC 8785) without `digest` and `observedAt`.
    pub digest: String,
    pub parents: Parents,
    /// The tenant's own time when observing began.
    #[schemars(with = "String")]
    pub observed_at: Timestamp,
    pub steps: Vec<Step>,
    pub report: Vec<Report>,
    /// Who may do what afterwards that could not before, and the other way round.
    pub access: AccessChange,
    pub limits: Limits,
    pub forecast: Forecast,
    /// Why it must not be applied, if it must not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

/// What a plan was made from: recorded, not compared, but for the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parents {
    /// The estate's name, and the tenant it was planned against.
    pub estate: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// A digest of all manifests.
    pub manifests: String,
    /// A digest of all policies, the built-in ones included.
    pub policies: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Which ledger, not which revision of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// In whose token it is meant to be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The run that it takes back: it follows from that run and not from the manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

/// What changes in who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessChange {
    pub gained: Vec<Rectangle>,
    pub lost: Vec<Rectangle>,
}

/// These people, these actions, these things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rectangle {
    pub principals: Vec<String>,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    /// How many triples.
    pub count: u64,
    /// The policies that decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
}

/// What applying will cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forecast {
    pub calls: u64,
    pub minutes: u64,
}

/// Why a plan must not be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    pub why: Why,
    /// The step that is refused, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub message: String,
    pub remedy: String,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A policy says no.
    Policy,
    /// The account would fall below a minimum.
    Guard,
    /// More than may change in a day.
    Limit,
    /// What the manifests say fits the tenant in more ways than one, or in none.
    Manifest,
}

/// Why a text is no plan that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAPlan {
    /// It is of another format, or of none.
    Format(Option<String>),
    Malformed(String),
    /// It is not as it was written.
    Tampered,
}

impl std::fmt::Display for NotAPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Format(Some(format)) => {
                write!(f, "its format is {format:?}, and this partnerctl knows {FORMAT:?}")
            }
            Self::Format(None) => write!(f, "it does not say that its format is {FORMAT:?}"),
            Self::Malformed(cause) => f.write_str(cause),
            Self::Tampered => f.write_str("its digest is not that of its content: it was changed"),
        }
    }
}

impl std::error::Error for NotAPlan {}

impl Plan {
    /// Nothing will be sent.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The digest of what it says.
    pub fn computed_digest(&self) -> Result<String, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        if let Some(members) = value.as_object_mut() {
            members.remove("digest");
            members.remove("observedAt");
        }
        let text = serde_json_canonicalizer::to_vec(&value)?;
        Ok(format!("{:x}", Sha256::digest(text)))
    }

    /// With the digest of what it says.
    pub fn sealed(mut self) -> Result<Self, serde_json::Error> {
        self.digest = self.computed_digest()?;
        Ok(self)
    }

    /// As it is written: canonical, one line.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json_canonicalizer::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a plan; one that was changed since is refused.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAPlan> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| NotAPlan::Malformed(format!("it is not JSON: {error}")))?;
        let format = value.get("format").and_then(Value::as_str);
        if format != Some(FORMAT) {
            return Err(NotAPlan::Format(format.map(|format| format.chars().take(80).collect())));
        }
        let plan: Self = serde_json::from_value(value)
            .map_err(|error| NotAPlan::Malformed(error.to_string()))?;
        match plan.computed_digest() {
            Ok(digest) if digest == plan.digest => Ok(plan),
            Ok(_) => Err(NotAPlan::Tampered),
            Err(error) => Err(NotAPlan::Malformed(error.to_string())),
        }
    }
}
