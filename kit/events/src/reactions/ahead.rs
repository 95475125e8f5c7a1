//! What is done about events where no transaction reaches, before they are reacted to.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tradewind_domain::Error;
use tradewind_store::Recorded;

use super::Reactions;

/// What is done about events outside of the database, before the transaction that moves the cursor past them: nobody else waits for
/// that one meanwhile. It may be done again, by somebody else at the same time, and with other events beside them; that must come to
/// the same.
pub trait Ahead: Send + Sync + 'static {
    /// Does it about events of one log, in their order.
    ///
    /// # Errors
    /// As those of a [reaction](super::Reaction): the kind says whether it is tried again, or an event is at fault.
    fn go<'a>(&'a self, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), Error>>;
}

impl Reactions {
    /// With what is done ahead of them.
    #[must_use]
    pub fn ahead(self, ahead: Arc<dyn Ahead>) -> Self {
        Self { ahead: Some(ahead), ..self }
    }

    /// Does what is done ahead of reacting to these events, if anything is; one that panics has failed.
    ///
    /// # Errors
    /// Those of [`Ahead::go`].
    pub async fn go_ahead(&self, events: &[&Recorded]) -> Result<(), Error> {
        match &self.ahead {
            Some(ahead) if !events.is_empty() => {
                let going = AssertUnwindSafe(ahead.go(events)).catch_unwind();
                going.await.unwrap_or_else(|_| Err(Error::internal(format!("{} panicked", self.consumer))))
            }
            _ => Ok(()),
        }
    }
}
