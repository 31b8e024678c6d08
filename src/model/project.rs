//! The project: where manifests and policies are, what limits hold, which tenants there are.

use super::Str;
use std::collections::BTreeMap;

use super::contact::{Domain, Url};
use super::id::{ApplicationId, TenantId};
use super::name::{Name, Reference, UserKey};
use super::scalar::{Fault, Grammar, Malformed, Scalar, within};
use super::secret::SecretReference;
use super::text::Title;

/// The `spec` of a Project.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Project {
    /// Folders and files, relative to the project; its own folder unless given.
    pub manifests: Option<Vec<Title>>,
    /// Cedar of their own, beside the built-in library.
    pub policies: Vec<Title>,
    pub limits: Limits,
    pub guards: Guards,
    pub handover: Option<Handover>,
    pub contexts: BTreeMap<Name, Context>,
}

/// How much may change over 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    pub removals: Option<Limit>,
    pub privileged_grants: Option<Limit>,
    pub customers_touched: Option<Limit>,
    pub irreversible: Option<Limit>,
}

/// Whichever trips first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    pub count: Option<u32>,
    /// Of what is managed.
    pub percent: Option<u32>,
}

/// What must remain after every step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guards {
    pub global_admins_min: u32,
    pub admin_agents_min: u32,
    /// Users who must be there and able to sign in.
    pub required: Vec<UserKey>,
}

impl Default for Guards {
    fn default() -> Self {
        Self { global_admins_min: 1, admin_agents_min: 1, required: Vec::new() }
    }
}

/// Where one-time passwords go.
#[derive(Debug, Clone, PartialEq)]
pub struct Handover {
    pub age: Vec<AgeRecipient>,
    pub directory: Option<Title>,
}

/// A public key that a one-time password is sealed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgeRecipient(pub(super) Str);

impl AgeRecipient {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A tenant, and how to reach it.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    pub tenant: TenantSource,
    pub read: Option<Identity>,
    pub write: Option<Identity>,
    pub ledger: Option<LedgerSource>,
    /// An expectation; the token decides.
    pub actor: Option<Reference>,
    pub endpoints: Endpoints,
    /// How long the service may lag behind a write.
    pub settle: Option<Settle>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TenantSource {
    /// The emulator, in process.
    Embedded,
    Domain(Domain),
    Id(TenantId),
}

/// Who asks for a token, and with what.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub client_id: ApplicationId,
    pub client_secret: Option<SecretReference>,
    pub certificate: Option<SecretReference>,
    pub refresh_token: Option<SecretReference>,
    pub federated: Option<Federation>,
}

/// Base URLs that replace the cloud's own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Endpoints {
    pub login: Option<Url>,
    pub graph: Option<Url>,
    pub partner_center: Option<Url>,
    pub admin: Option<Url>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerSource {
    Sqlite(Title),
    Postgres(SecretReference),
}

super::choice::choices! {
    /// Who vouches for a workload.
    "a federation"
    pub enum Federation {
        /// GitHub Actions.
        Github = "github",
        /// Azure DevOps.
        AzureDevops = "azure-devops",
        /// GitLab.
        Gitlab = "gitlab",
    }
}

impl Scalar for AgeRecipient {
    const WHAT: &'static str = "an age recipient";
    const GRAMMAR: Grammar =
        Grammar::Pattern { pattern: "^age1[02-9ac-hj-np-z]{58}$", length_max: 62 };

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 62)?;
        let help = "a public key as `age-keygen` prints it: `age1` and 58 letters and digits";
        let Some(data) = text.strip_prefix("age1") else {
            return Err(Malformed::because(Fault::Form, help));
        };
        if data.len() == 58
            && data.bytes().all(|b| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&b))
        {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::because(Fault::Form, help))
        }
    }
}

impl Scalar for TenantSource {
    const WHAT: &'static str = "a tenant";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^(embedded|[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
        length_max: 253,
    };
    const EXAMPLES: &'static [&'static str] = &["embedded", "fabrikam.onmicrosoft.com"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        if text == "embedded" {
            return Ok(Self::Embedded);
        }
        if let Ok(id) = TenantId::parse(text) {
            return Ok(Self::Id(id));
        }
        let help = "`embedded`, a domain of the tenant, or its id";
        Domain::parse(text)
            .map(Self::Domain)
            .map_err(|malformed| Malformed { help: Some(help.to_owned()), ..malformed })
    }
}

/// How long the service may lag behind a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settle {
    pub seconds: u32,
}

impl Scalar for Settle {
    const WHAT: &'static str = "a time in seconds or minutes";
    const GRAMMAR: Grammar = Grammar::Pattern { pattern: "^[0-9]{1,4}[sm]$", length_max: 5 };
    const EXAMPLES: &'static [&'static str] = &["150s"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 5)?;
        let (number, factor) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
            (Some(number), _) => (number, 1),
            (_, Some(number)) => (number, 60),
            _ => return Err(Malformed::form()),
        };
        if (1..=4).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self { seconds: number.parse::<u32>().unwrap_or_default() * factor })
        } else {
            Err(Malformed::form())
        }
    }
}
