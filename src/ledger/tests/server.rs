//! PostgreSQL servers: one for the whole test process, and others for tests that restart theirs or
//! want it to speak TLS.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ledger::PostgresPlace;

#[path = "../../../tests/outside/postgres.rs"]
#[expect(dead_code, reason = "tests of the whole program ask for more")]
mod postgres;

pub(super) use postgres::Server;

static SERVER: OnceLock<Server> = OnceLock::new();
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A schema of its own for each test.
pub(super) fn place() -> PostgresPlace {
    // Never dropped: its shell's input stays open as long as this process lives.
    SERVER.get_or_init(|| Server::start(&[], &[])).place()
}

/// A schema of its own, of whatever server is at an address.
pub(super) fn place_at(url: &str) -> PostgresPlace {
    let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
    PostgresPlace { url: url.into(), schema: format!("test_{number}") }
}

impl Server {
    /// A schema of its own, reached by the socket.
    pub(super) fn place(&self) -> PostgresPlace {
        place_at(&self.address("postgres"))
    }
}
