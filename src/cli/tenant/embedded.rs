//! The emulator as a tenant: in this process, through the same wire client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::Reach;
use crate::cli::CommandError;
use crate::emulator::Emulator;
use crate::model::account::Account;
use crate::model::cloud::Cloud;
use crate::model::contact::Url;
use crate::model::id::ApplicationId;
use crate::model::project::{self, Identity};
use crate::model::scalar::Scalar;
use crate::model::secret::SecretReference;
use crate::partner::auth::{Endpoints, Vault};
use crate::partner::clock::Clock;
use crate::partner::pace::Pacer;
use crate::partner::transport::Inside;

/// Where it is kept, beside the project file.
const FILE: &str = ".partnerctl/tenant.db";
/// Its address, which no request leaves the process for.
const ADDRESS: &str = "http://tenant.localhost";
/// What its secrets are called where an identity refers to them.
const CLIENT_SECRET: &str = "client secret";
const REFRESH_TOKEN: &str = "refresh token";

/// Opens the embedded tenant of a project. One that is not there yet is made, with an account.
pub(crate) fn open(
    home: &Path,
    account: impl FnOnce() -> Option<Account>,
) -> Result<Emulator, CommandError> {
    let path: PathBuf = home.join(FILE);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| {
            CommandError::failed(format!("making {}", folder.display()), source)
        })?;
    }
    let is_new = !path.exists();
    let emulator = Emulator::open(&path, rand::random())
        .map_err(|error| CommandError::because("opening the embedded tenant", &error))?;
    if is_new && let Some(account) = account() {
        emulator
            .begin(&account)
            .map_err(|error| CommandError::because("beginning the embedded tenant", &error))?;
    }
    Ok(emulator)
}

pub(super) fn reach(home: &Path, account: Option<&Account>) -> Result<Reach, CommandError> {
    let emulator = open(home, || account.cloned())?;
    let signing_in = "signing in to the embedded tenant";
    let credentials =
        emulator.credentials().map_err(|error| CommandError::because(signing_in, &error))?;
    let wrong = |what: &str| CommandError::Internal(format!("the embedded tenant's {what}"));
    let identity = Identity {
        client_id: ApplicationId::parse(&credentials.client_id).map_err(|_| wrong("client id"))?,
        client_secret: Some(SecretReference::Env(CLIENT_SECRET.into())),
        certificate: None,
        refresh_token: Some(SecretReference::Env(REFRESH_TOKEN.into())),
        federated: None,
    };
    let base = Some(Url::parse(ADDRESS).map_err(|_| wrong("address"))?);
    let addresses = project::Endpoints {
        login: base.clone(),
        graph: base.clone(),
        partner_center: base.clone(),
        admin: base,
    };
    let cloud = account.map_or(Cloud::Global, |account| account.cloud);
    let endpoints =
        Endpoints::new(cloud, &addresses).map_err(|error| wrong(&format!("address: {error}")))?;
    let tenant = credentials.tenant.clone();
    // Its secrets never touch the environment or a file: they are looked up here, by their names.
    let vault = Vault::with_environment(
        home,
        Arc::new(move |name| match name {
            CLIENT_SECRET => Some(credentials.client_secret.expose_secret().to_owned()),
            REFRESH_TOKEN => Some(credentials.refresh_token.expose_secret().to_owned()),
            _ => None,
        }),
    );
    let clock = Clock::system();
    Ok(Reach {
        transport: Arc::new(Inside::new(emulator.service())),
        endpoints,
        tenant,
        vault,
        clock,
        pacer: Pacer::new(clock),
        own: Some(identity),
    })
}
