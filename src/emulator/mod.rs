//! A Partner Center and a Graph of our own, for demos, tests and training.
//!
//! An `Emulator` is a store and a router. Everything works through `tower::Service` alone:
//! `emulator serve` puts it behind a socket, the embedded tenant calls it in process, with the same
//! bytes. It has its own reading of the wire and shares no types with the client, so that one
//! misreading cannot hide in both.
//!
//! # The way of a request
//!
//! `http` tidies the address, then: log → faults → the family's own answer to errors →
//! authentication → routes. A family is a folder with a `routes() -> axum::Router<World>`; it is
//! mounted in `http::router`, which is the list of families:
//!
//! | family | serves | callers |
//! |---|---|---|
//! | `identity` | `/{tenant}/oauth2/...`, discovery, keys, the page for device codes | anybody |
//! | `center` | `/v1/...` | `Caller` with a token for Partner Center |
//! | `graph` | `/v1.0/...` | `Caller` with a token for Graph |
//! | `console` | `/`, invitation and approval pages, `/_emulator/...` | whoever reaches it |
//!
//! # How a route family is added
//!
//! A handler is `async fn(State(world): State<World>, caller: Caller, ...) -> Result<Response, E>`,
//! where `E` is `error::GraphError` or `error::CenterError`; ids and headers of requests are
//! added on the way out, by the family's layer. It looks at the store in one transaction,
//! `world.store().read(|tx| ...)` or `world.store().write(|tx| ...)`, which takes back everything
//! when it ends with an error. What is kept is a `store::Document`: a kind, an id, a body, and the
//! keys it is found and listed by. Documents that several families need stand in `directory` and
//! `tenant`; those of one family stand with it. Time is `tx.now()`, never the machine's; ids are
//! `tx.new_id()`, so that the same seed makes the same tenant.

mod act;
pub(crate) mod audit;
pub(crate) mod caller;
pub(crate) mod center;
pub(crate) mod clock;
pub(crate) mod console;
mod delegated;
pub(crate) mod directory;
pub(crate) mod error;
pub(crate) mod faults;
pub(crate) mod graph;
pub(crate) mod http;
pub(crate) mod identity;
mod limits;
mod seed;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod tenant;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod world;

use std::convert::Infallible;
use std::path::Path;

use ::http::{Request, Response};
use axum::Router;
use axum::body::Body;
use secrecy::SecretString;
use tower::{Service, ServiceExt};

use store::Store;
use world::World;

pub use act::{Act, ActCustomer, ActPartnership, ActPerson, Doing};
pub use faults::{Fault, FaultPlan, FaultRule};
pub use http::log::{Entry as LogEntry, Item as LogItem};
pub use seed::role_of;
pub use serve::{Secured, TlsError};
pub use store::{Dump, StoreError};

/// A tenant that can be talked to.
#[derive(Clone)]
pub struct Emulator {
    world: World,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").finish_non_exhaustive()
    }
}

/// What a client needs to sign in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the partner's tenant.
    pub tenant: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Of `embedded-admin`, signed in with a second factor.
    pub refresh_token: SecretString,
}

/// A fault ended the connection: there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLost;

impl std::fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was lost")
    }
}

impl std::error::Error for ConnectionLost {}

impl From<Infallible> for ConnectionLost {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Emulator {
    /// A tenant that is gone with the process. The same seed makes the same ids.
    pub fn in_memory(seed: u64) -> Result<Self, StoreError> {
        Self::over(Store::in_memory(), seed)
    }

    /// A tenant that is kept in a file, made if there is none.
    pub fn open(path: &Path, seed: u64) -> Result<Self, StoreError> {
        Self::over(Store::open(path), seed)
    }

    fn over(store: Result<Store, StoreError>, seed: u64) -> Result<Self, StoreError> {
        let world = World::new(store?)?;
        world.store().write(|tx| tenant::prepare(tx, seed))?;
        Ok(Self { world })
    }

    /// Everything it serves, as a service that needs no socket.
    pub fn router(&self) -> Router {
        http::router(self.world.clone())
    }

    /// The same, for whoever can lose a connection: faults that drop one are errors here.
    pub fn service(
        &self,
    ) -> impl Service<Request<Body>, Response = Response<Body>, Error = ConnectionLost, Future: Send>
    + Clone
    + Send
    + 'static {
        let router = self.router();
        ServiceExt::<Request<Body>>::map_result(
            router,
            |result: Result<Response<Body>, Infallible>| match result {
                Ok(response) if response.extensions().get::<faults::Dropped>().is_some() => {
                    Err(ConnectionLost)
                }
                Ok(response) => Ok(response),
                Err(never) => match never {},
            },
        )
    }

    /// The whole tenant, to move in elsewhere.
    pub fn dump(&self) -> Result<Dump, StoreError> {
        self.world.store().read(|tx| {
            let dump = tx.dump()?;
            Ok(dump)
        })
    }

    /// Becomes the tenant that was written out elsewhere.
    pub fn take_over(&self, dump: &Dump) -> Result<(), StoreError> {
        self.world.store().write(|tx| tx.take_over(dump))
    }

    /// Credentials that work here. Each call makes a new refresh token.
    pub fn credentials(&self) -> Result<Credentials, StoreError> {
        identity::credentials(&self.world)
    }
}
