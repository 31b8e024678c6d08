//! The ledger of a context, for commands that read it.

use std::path::Path;

use crate::cli::CommandError;
use crate::cli::output::Output;
use crate::ledger::{Ledger, LedgerError, Opening, Place, PostgresPlace};
use crate::model::project::{Context, LedgerSource, TenantSource};
use crate::partner::auth::Vault;

/// Where it is kept unless the context says otherwise, beside the project file.
const FILE: &str = ".partnerctl/ledger.db";

/// What a command does where there is no ledger
#[derive(clap::Args, Debug)]
pub(crate) struct LedgerArgs {
    /// Go on without a ledger where there is none yet: nothing is known to be managed then
    #[arg(long)]
    new_ledger: bool,
}

impl LedgerArgs {
    /// Opens the ledger to write into; makes it where a new one was asked for.
    pub(crate) async fn keep(
        &self,
        context: &Context,
        home: &Path,
    ) -> Result<Ledger, CommandError> {
        let opening = if self.new_ledger { Some(Opening::Create) } else { None };
        match open_as(context, home, opening).await {
            Ok(ledger) => Ok(ledger),
            Err(Refused::Missing { place }) => Err(CommandError::usage(format!(
                "there is no ledger at {place}\nfor the first run on this tenant, add `--new-ledger`; otherwise say in the context where the ledger is"
            ))),
            Err(Refused::Otherwise(error)) => Err(error),
        }
    }
}

/// What we remember.
#[derive(Debug)]
pub(crate) enum Memory {
    Kept(Ledger),
    /// Nothing, and nothing is kept either: reading makes no ledger.
    Nothing,
}

impl LedgerArgs {
    /// Opens the ledger of a context.
    ///
    /// The embedded tenant's is made where there is none. A remote tenant's is missed: what is lost
    /// with a ledger is protection, confirmations and what was applied last.
    pub(crate) async fn recall(
        &self,
        context: &Context,
        home: &Path,
        out: &Output,
    ) -> Result<Memory, CommandError> {
        match open(context, home).await {
            Ok(ledger) => Ok(Memory::Kept(ledger)),
            Err(Refused::Missing { .. }) if self.new_ledger => {
                out.say("there is no ledger yet: nothing is known to be managed, protected or confirmed");
                Ok(Memory::Nothing)
            }
            Err(Refused::Missing { place }) => Err(CommandError::usage(format!(
                "there is no ledger at {place}\nfor the first run on this tenant, add `--new-ledger`; otherwise say in the context where the ledger is"
            ))),
            Err(Refused::Otherwise(error)) => Err(error),
        }
    }
}

impl Memory {
    /// The ledger of a context, if there is one, for commands that can do without.
    pub(crate) async fn if_any(context: &Context, home: &Path) -> Result<Self, CommandError> {
        match open(context, home).await {
            Ok(ledger) => Ok(Self::Kept(ledger)),
            Err(Refused::Missing { .. }) => Ok(Self::Nothing),
            Err(Refused::Otherwise(error)) => Err(error),
        }
    }
}

enum Refused {
    Missing { place: String },
    Otherwise(CommandError),
}

async fn open(context: &Context, home: &Path) -> Result<Ledger, Refused> {
    open_as(context, home, None).await
}

async fn open_as(
    context: &Context,
    home: &Path,
    opening: Option<Opening>,
) -> Result<Ledger, Refused> {
    let place = match &context.ledger {
        None => Place::File(home.join(FILE)),
        Some(LedgerSource::Sqlite(path)) => Place::File(home.join(path.as_str())),
        Some(LedgerSource::Postgres(at)) => {
            let address = Vault::new(home)
                .read("address of the ledger", at)
                .map_err(|error| Refused::Otherwise(CommandError::usage(error.to_string())))?;
            Place::Postgres(PostgresPlace::new(address))
        }
    };
    let opening = opening.unwrap_or(match context.tenant {
        TenantSource::Embedded => Opening::Create,
        TenantSource::Domain(_) | TenantSource::Id(_) => Opening::Existing,
    });
    Ledger::open(place, opening).await.map_err(|error| match error {
        LedgerError::Missing { place } => Refused::Missing { place },
        error => Refused::Otherwise(CommandError::because("opening the ledger", &error)),
    })
}

#[cfg(test)]
impl LedgerArgs {
    pub(crate) fn of(new_ledger: bool) -> Self {
        Self { new_ledger }
    }
}
