//! Our memory between runs: what we manage, what was about to be sent and what came of it, who may
//! send, whom we wait for, which runs there were, and what was last seen.
//!
//! One interface over two stores: a file (SQLite), or a PostgreSQL database for teams, CI and
//! fleets. Each behaviour is written once, in SQL that both understand (`session`), and one suite
//! of tests runs over both. A thread of its own has the connection and writes whatever is queued in
//! one flush (`writer`). Time is the database's alone.
//!
//! It holds no secrets: no type here takes one. It decides nothing either: what is to be sent, and
//! what an open entry came to, is for others to say.

mod error;
mod history;
mod journal;
mod json;
mod lease;
mod object;
mod postgres;
mod schema;
mod session;
mod snapshot;
mod sqlite;
#[cfg(test)]
mod tests;
mod tls;
mod waiting;
mod writer;

use std::fmt;
use std::path::PathBuf;

use session::{Purpose, Session};
use writer::{Ended as WriterEnded, Writer};

pub use error::{Cause, LedgerError};
pub use history::{Broken, Counts, Ended, Head, Run, RunOutcome, Started};
pub use journal::{Entry, EntryId, Intent, Outcome};
pub use lease::{Holder, Lease, LeaseState, Terms, Token};
pub use object::Change;
pub use postgres::PostgresPlace;
pub use snapshot::KeptSnapshot;

pub use crate::model::record::{
    Confirmation, ConfirmedAt, Effect, Exchange, Json, Managed, ObjectKey, Origin, Recorded, Spent,
    Waiting, WaitingSince,
};

/// Where a ledger is kept.
#[derive(Debug, Clone)]
pub enum Place {
    File(PathBuf),
    Postgres(PostgresPlace),
}

/// What to do where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Say so: with a ledger more is lost than a file.
    Existing,
    /// Make one.
    Create,
}

/// The ledger, open. Ask from as many tasks as there are.
pub struct Ledger {
    writer: Writer,
    ended: WriterEnded,
    id: String,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens a ledger and brings its tables to this version.
    pub async fn open(place: Place, opening: Opening) -> Result<Self, LedgerError> {
        let open = async move || {
            let mut session = match place {
                Place::File(path) => Session::Sqlite(sqlite::Sqlite::open(&path, opening)?),
                Place::Postgres(place) => {
                    Session::Postgres(Box::new(postgres::Postgres::open(&place).await?))
                }
            };
            let id = schema::prepare(&mut session, opening).await?;
            Ok((session, id))
        };
        let (writer, ended, id) = Writer::start(open).await?;
        Ok(Self { writer, ended, id })
    }

    /// Which ledger this is, as plans name it; made at random with it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many may write at the same time from now on: many are written down together.
    pub fn expect(&self, writers: usize) {
        self.writer.expect(writers);
    }

    /// Waits until everything is written and the connection is closed. Dropping it does the same
    /// without waiting; what was answered is durable either way.
    pub async fn close(self) {
        let Self { writer, ended, id: _ } = self;
        drop(writer);
        // An error means that the thread is gone already.
        let _ = ended.await;
    }

    async fn call<T: Send + 'static>(
        &self,
        purpose: Purpose,
        work: impl AsyncFn(&mut Session) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.writer.call(purpose, work).await
    }
}
