//! What a command needs that talks to a tenant: which one is meant, the way there, what we remember
//! of it, and in whose name it would be changed.
//!
//! A [`Tenant`] reads. What changes a tenant is of another type, and is made from the same [`Reach`]
//! with the writing identity, by whoever applies: a command that holds a `Tenant` cannot come by it.

mod actor;
mod context;
mod embedded;
mod memory;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::CommandError;
use crate::manifest::Loaded;
use crate::model::cloud::Cloud;
use crate::model::project::{Context, Identity, TenantSource};
use crate::model::tenant::{GroupRef, Scope, Snapshot};
use crate::partner::auth::{self, Credentials, Endpoints, Tokens, Vault};
use crate::partner::clock::Clock;
use crate::partner::pace::Pacer;
use crate::partner::retry::Patience;
use crate::partner::transport::{Network, Transport};
use crate::partner::{Connection, Reader, Writer};

pub(crate) use actor::{Acting, Known, unexpected};
pub(crate) use context::ContextArgs;
pub(crate) use embedded::open as open_embedded;
pub(crate) use memory::{LedgerArgs, Memory};

/// How long Microsoft's services may lag behind a write, unless a context says otherwise.
const SETTLE: Duration = Duration::from_secs(150);

/// How deep groups within groups are followed.
const NESTING_MAX: usize = 16;

/// A tenant to be read.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub reader: Reader,
    /// How long it may lag behind a write.
    pub settle: Duration,
    admin: String,
    context: Context,
}

impl Tenant {
    /// Connects to the tenant of a context, in the name of its reading identity; nothing is sent yet.
    ///
    /// `home` is the folder that `.partnerctl/` stands in, and that paths of secrets are relative to.
    /// An embedded tenant that is not there yet begins with the Account of `loaded`.
    pub(crate) fn connect(
        context: &Context,
        loaded: &Loaded,
        home: &Path,
    ) -> Result<Self, CommandError> {
        let reach = Reach::of(context, loaded, home)?;
        let connection = reach.connection(reach.identity(Doing::Read, context)?);
        Ok(Self {
            reader: Reader::new(connection),
            settle: settle(context),
            admin: reach.endpoints.admin.clone(),
            context: context.clone(),
        })
    }

    /// Observes what a scope asks for, and who is in groups within groups; with `could_be_roles`,
    /// who is in any group that could be a role.
    pub(crate) async fn observe(
        &self,
        mut scope: Scope,
        could_be_roles: bool,
    ) -> Result<Snapshot, CommandError> {
        let failed = |error: crate::partner::Error| unanswered("reading the tenant", &error);
        let mut snapshot = self.reader.snapshot(&scope, None).await.map_err(failed)?;
        // What was read once was read whole.
        let blind = snapshot.blind.clone();
        for _ in 0..NESTING_MAX {
            let before = scope.groups.len();
            let unread = crate::plan::observed::unread(&snapshot, could_be_roles);
            scope.groups.extend(unread.into_iter().map(GroupRef::Id));
            if scope.groups.len() == before {
                break;
            }
            // From what is known already: only those groups are read.
            snapshot = self.reader.snapshot(&scope, Some(&snapshot)).await.map_err(failed)?;
        }
        snapshot.blind = blind;
        Ok(snapshot)
    }

    /// Where people approve delegated access.
    pub(crate) fn admin(&self) -> &str {
        &self.admin
    }

    /// In whose name it would be changed, as far as that is known to somebody who only reads.
    pub(crate) async fn actor(
        &self,
        estate: &crate::model::estate::Estate,
    ) -> Result<Acting, CommandError> {
        actor::acting(&self.reader, &self.context, estate).await
    }
}

fn settle(context: &Context) -> Duration {
    match (context.settle, &context.tenant) {
        (Some(settle), _) => Duration::from_secs(settle.seconds.into()),
        (None, TenantSource::Embedded) => Duration::ZERO,
        (None, TenantSource::Domain(_) | TenantSource::Id(_)) => SETTLE,
    }
}

/// A tenant to be changed: for whoever applies, and nobody else.
pub(crate) struct WritingTenant {
    pub(crate) writer: Writer,
}

impl WritingTenant {
    /// Connects in the name of the writing identity; nothing is sent yet.
    pub(crate) fn connect(
        context: &Context,
        loaded: &Loaded,
        home: &Path,
    ) -> Result<Self, CommandError> {
        let reach = Reach::of(context, loaded, home)?;
        let connection = reach.connection(reach.identity(Doing::Write, context)?);
        Ok(Self { writer: Writer::new(connection) })
    }

    /// In whose name changes are made: the token decides, whoever was expected.
    pub(crate) async fn actor(&self) -> Result<Acting, CommandError> {
        actor::by_token(&self.writer.reader(), Known::Token).await
    }
}

/// What an identity is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Read,
    Write,
}

/// The way to a tenant, in whoever's name.
struct Reach {
    transport: Arc<dyn Transport>,
    endpoints: Endpoints,
    /// A domain or an id, as the login authority takes it.
    tenant: String,
    vault: Vault,
    clock: Clock,
    /// Shared by all connections: the limits are the tenant's.
    pacer: Pacer,
    /// Of an embedded tenant, who brings its own.
    own: Option<Identity>,
}

impl Reach {
    fn of(context: &Context, loaded: &Loaded, home: &Path) -> Result<Self, CommandError> {
        let account = loaded.estate.account.as_ref().map(|account| &*account.spec);
        let tenant = match &context.tenant {
            TenantSource::Embedded => return embedded::reach(home, account),
            TenantSource::Domain(domain) => domain.to_string(),
            TenantSource::Id(id) => id.to_string(),
        };
        let cloud = account.map_or(Cloud::Global, |account| account.cloud);
        let network = Network::new().map_err(|lost| {
            CommandError::failed("preparing to connect", std::io::Error::other(lost.cause))
        })?;
        let clock = Clock::system();
        Ok(Self {
            transport: Arc::new(network),
            endpoints: endpoints(cloud, context)?,
            tenant,
            vault: Vault::new(home),
            clock,
            pacer: Pacer::new(clock),
            own: None,
        })
    }

    fn identity<'a>(
        &'a self,
        doing: Doing,
        context: &'a Context,
    ) -> Result<&'a Identity, CommandError> {
        let (declared, word) = match doing {
            Doing::Read => (&context.read, "read"),
            Doing::Write => (&context.write, "write"),
        };
        self.own.as_ref().or(declared.as_ref()).ok_or_else(|| no_identity(word))
    }

    fn connection(&self, identity: &Identity) -> Connection {
        let Self { transport, endpoints, tenant, vault, clock, pacer, own: _ } = self;
        let tokens = Tokens::new(
            Arc::clone(transport),
            endpoints.clone(),
            tenant.clone(),
            Credentials::Identity(identity.clone()),
            vault.clone(),
            *clock,
        );
        Connection {
            transport: Arc::clone(transport),
            endpoints: endpoints.clone(),
            tokens: Arc::new(tokens),
            pacer: pacer.clone(),
            clock: *clock,
            patience: Patience::default(),
        }
    }
}

/// The addresses of a remote tenant.
pub(crate) fn endpoints(cloud: Cloud, context: &Context) -> Result<Endpoints, CommandError> {
    Endpoints::new(cloud, &context.endpoints)
        .map_err(|error| CommandError::usage(error.to_string()))
}

pub(crate) fn no_identity(word: &str) -> CommandError {
    CommandError::usage(format!("the context has no identity `auth.{word}`"))
}

/// Runs what waits for others, to its end.
pub(crate) fn block_on<T>(
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CommandError::failed("starting", source))?;
    let came = runtime.block_on(work);
    // Who still waits for a line to be typed is not waited for.
    runtime.shutdown_background();
    came
}

/// What the tenant did not answer, or not with a yes, while something was being done.
pub(crate) fn unanswered(doing: &str, error: &crate::partner::Error) -> CommandError {
    use crate::partner::Error;
    match error {
        // What is missing is for the caller to set: nothing was asked yet.
        Error::SignIn(
            auth::Error::Secret { .. }
            | auth::Error::Incomplete { .. }
            | auth::Error::InTheClear { .. },
        ) => CommandError::usage(error.to_string()),
        _ => CommandError::because(doing, error),
    }
}

#[cfg(test)]
mod tests;
