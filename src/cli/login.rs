use std::path::Path;
use std::sync::Arc;

use super::files::SourceArgs;
use super::output::Output;
use super::tenant::{ContextArgs, endpoints, no_identity};
use super::{CommandError, Outcome, clock as day};
use crate::manifest::Loaded;
use crate::model::cloud::Cloud;
use crate::model::project::{Context, Identity, TenantSource};
use crate::model::secret::SecretReference;
use crate::partner::auth::vault::{Kept, place};
use crate::partner::auth::{Actor, Endpoints, Error, Vault, device};
use crate::partner::clock::Clock;
use crate::partner::transport::{Network, Transport};

/// Sign in with a browser, here or on another machine, and keep the sign-in for later runs
///
/// Shows a code to enter on a page of the login authority. What comes of it is a refresh token: it is
/// kept where the identity's `refreshToken` says, readable by its owner alone, and shown nowhere.
#[derive(clap::Args, Debug)]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    whose: WhoseArgs,
}

/// Forget a kept sign-in
///
/// Removes the refresh token from where the identity's `refreshToken` says. Runs that are under way
/// go on; sessions at the login authority are ended there.
#[derive(clap::Args, Debug)]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    whose: WhoseArgs,
}

/// Whose sign-in
#[derive(clap::Args, Debug)]
struct WhoseArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// Which of its identities
    #[arg(long, value_enum, default_value_t, value_name = "IDENTITY")]
    identity: Which,
    #[command(flatten)]
    source: SourceArgs,
}

/// One of the two identities of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Which {
    /// The one that reads
    Read,
    /// The one that changes things
    #[default]
    Write,
}

/// What it takes to sign in.
struct SignIn {
    tenant: String,
    identity: Identity,
    keep: SecretReference,
    endpoints: Endpoints,
    vault: Vault,
}

pub(crate) fn login(out: &Output, args: &LoginArgs) -> Result<Outcome, CommandError> {
    let sign_in = args.whose.find(out)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::failed("preparing to sign in", error))?;
    let transport: Arc<dyn Transport> =
        Arc::new(Network::new().map_err(|lost| failed(&lost.cause))?);
    runtime.block_on(sign_in.go(out, &*transport))
}

pub(crate) fn logout(out: &Output, args: &LogoutArgs) -> Result<Outcome, CommandError> {
    let sign_in = args.whose.find(out)?;
    sign_in.vault.forget(&sign_in.keep).map_err(|error| failed(&error))?;
    out.say(&format!("the sign-in is gone from {}", place(&sign_in.keep)));
    Ok(Outcome::Done)
}

impl SignIn {
    async fn go(&self, out: &Output, transport: &dyn Transport) -> Result<Outcome, CommandError> {
        let client = self.identity.client_id;
        let waiting = device::begin(transport, &self.endpoints, &self.tenant, client)
            .await
            .map_err(|error| failed(&error))?;
        out.say(&format!(
            "open {} and enter the code {}",
            waiting.verification_uri, waiting.user_code
        ));
        out.say(&format!(
            "waiting for up to {} minutes",
            waiting.expires_in.as_secs().div_ceil(60)
        ));
        let clock = Clock::system();
        let signed_in =
            device::finish(transport, &self.endpoints, &self.tenant, client, &waiting, &clock)
                .await
                .map_err(|error| failed(&explained(error)))?;
        let actor = signed_in.actor();
        // Kept or not, nobody is told that they are signed in before they are.
        match signed_in.keep(&self.vault, &self.keep).map_err(|error| failed(&error))? {
            Kept::Safely => {}
            Kept::InMemory => return Err(CommandError::usage(NOT_KEPT)),
        }
        out.result(|to| writeln!(to, "signed in{}", who(actor.as_ref())))?;
        if actor.is_some_and(|actor| !actor.has_second_factor) {
            out.say("warning: without a second factor, which Partner Center wants to see");
        }
        Ok(Outcome::Done)
    }
}

const NOT_KEPT: &str = "an environment variable cannot be written\nlet the identity's `refreshToken` name a file: `{file: PATH}`";

fn who(actor: Option<&Actor>) -> String {
    let name = actor.and_then(|actor| actor.user.as_deref()).filter(|name| !name.is_empty());
    name.map(|name| format!(" as {}", crate::report::clean::line(name))).unwrap_or_default()
}

/// To have waited too long is not to have signed in long ago.
fn explained(error: Error) -> String {
    match error {
        Error::SignInNeeded { refusal: None, .. } => "nobody entered the code in time".to_owned(),
        Error::Refused(refusal) if refusal.error == "authorization_declined" => {
            "the sign-in was declined".to_owned()
        }
        error => error.to_string(),
    }
}

fn failed(cause: &dyn std::fmt::Display) -> CommandError {
    CommandError::failed("signing in", std::io::Error::other(cause.to_string()))
}

impl WhoseArgs {
    fn find(&self, out: &Output) -> Result<SignIn, CommandError> {
        let files = self.source.read(out)?;
        let folder = files.folder().to_owned();
        let Some(project) = files.project.project.clone() else {
            return Err(CommandError::usage("without a project there is nowhere to sign in to"));
        };
        let context = self.context.choose(Some(&project), out)?;
        let loaded = files.load(day::today(None));
        self.sign_in(&context, &loaded, &folder)
    }

    fn sign_in(
        &self,
        context: &Context,
        loaded: &Loaded,
        folder: &Path,
    ) -> Result<SignIn, CommandError> {
        let tenant = match &context.tenant {
            TenantSource::Embedded => {
                return Err(CommandError::usage("the embedded tenant needs no sign-in"));
            }
            TenantSource::Domain(domain) => domain.to_string(),
            TenantSource::Id(id) => id.to_string(),
        };
        let (identity, word) = match self.identity {
            Which::Read => (&context.read, "read"),
            Which::Write => (&context.write, "write"),
        };
        let identity = identity.clone().ok_or_else(|| no_identity(word))?;
        let keep = match &identity.refresh_token {
            Some(SecretReference::Env(_)) => return Err(CommandError::usage(NOT_KEPT)),
            Some(at) => at.clone(),
            None => {
                return Err(CommandError::usage(format!(
                    "`auth.{word}` does not say where its sign-in is kept\nadd `refreshToken: {{file: PATH}}` to it"
                )));
            }
        };
        let cloud =
            loaded.estate.account.as_ref().map_or(Cloud::Global, |account| account.spec.cloud);
        let endpoints = endpoints(cloud, context)?;
        Ok(SignIn { tenant, identity, keep, endpoints, vault: Vault::new(folder) })
    }
}
