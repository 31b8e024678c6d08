//! What all handlers share.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::faults::Faults;
use super::identity::keys::Keys;
use super::limits::Limiter;
use super::store::{Store, StoreError};
use super::tenant::Quirks;

/// The store, and what is kept beside it while the process lives.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    store: Store,
    keys: OnceLock<Keys>,
    faults: Faults,
    limiter: Limiter,
    quirks: RwLock<Quirks>,
}

impl World {
    pub(crate) fn new(store: Store) -> Result<Self, StoreError> {
        let (quirks, faults) =
            store.read(|tx| Ok::<_, StoreError>((Quirks::of(tx)?, Faults::of(tx)?)))?;
        Ok(Self(Arc::new(Inner {
            store,
            keys: OnceLock::new(),
            faults,
            limiter: Limiter::default(),
            quirks: RwLock::new(quirks),
        })))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// The key that tokens are signed with; made when it is first needed.
    pub(crate) fn keys(&self) -> Result<&Keys, StoreError> {
        if let Some(keys) = self.0.keys.get() {
            return Ok(keys);
        }
        let keys = Keys::of(self.store())?;
        Ok(self.0.keys.get_or_init(|| keys))
    }

    /// How the tenant misbehaves, of what is documented.
    pub(crate) fn quirks(&self) -> Quirks {
        self.0.quirks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_quirks(&self, quirks: Quirks) -> Result<(), StoreError> {
        self.store().write(|tx| quirks.keep(tx))?;
        *self.0.quirks.write().unwrap_or_else(PoisonError::into_inner) = quirks;
        Ok(())
    }
}
