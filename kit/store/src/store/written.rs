//! Whether this process has just written to its database: whoever is about to do outside what has to be recorded asks.

use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::Store;

/// How long a write says that the next one will not fail.
const FRESH: Duration = Duration::seconds(1);

/// When something was last committed that changed the database; `None` when a write has failed since, or nobody knows.
#[derive(Default)]
pub(crate) struct Written(Mutex<Option<OffsetDateTime>>);

impl Written {
    fn set(&self, at: Option<OffsetDateTime>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Store {
    /// Tells whether this process has written to the database within the last second, and nothing has failed since. A commit that
    /// may have changed nothing does not count.
    #[must_use]
    pub fn has_just_written(&self) -> bool {
        let written = *self.memory().written.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at| (Duration::ZERO..=FRESH).contains(&(self.now() - at));
        written.is_some_and(is_fresh) && self.undamaged().is_ok()
    }

    /// Takes note that the database was written to.
    pub(crate) fn wrote(&self) {
        self.memory().written.set(Some(self.now()));
    }

    /// Takes note that it could not be written to, or that nobody knows.
    pub(crate) fn wrote_not(&self) {
        self.memory().written.set(None);
    }
}
