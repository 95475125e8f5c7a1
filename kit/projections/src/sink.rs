//! Rows of a projection that are not in the service's database.

use std::sync::Arc;

use futures::future::BoxFuture;
use tradewind_domain::Error;
use tradewind_events::Ahead;
use tradewind_store::{Recorded, Rows};

use crate::fold::Folded;
use crate::maker::Maker;
use crate::{Batch, Slot, Writer};

/// Where a projection has rows besides the service's database: something that takes batches, and knows a row that it has got twice.
/// It has both slots.
pub trait Sink: Send + Sync + 'static {
    /// Writes rows into a slot, and returns when they are there for good and every query sees them. The same may come again, in another
    /// batch and later than what followed it, also where this failed.
    ///
    /// # Errors
    /// `Unavailable` where it may succeed later; any other kind says that it never will, and parks an event's stream.
    fn write(&self, slot: Slot, batch: Batch) -> BoxFuture<'_, Result<(), Error>>;

    /// Empties a slot, which is not read.
    ///
    /// # Errors
    /// As [`write`](Self::write): it is tried again later.
    fn clear(&self, slot: Slot) -> BoxFuture<'_, Result<(), Error>>;
}

/// Sends the lines of events to a sink before its cursor moves past them.
pub(crate) struct Sending {
    makers: Vec<Arc<dyn Maker>>,
    sink: Arc<dyn Sink>,
    slot: Slot,
}

impl Sending {
    pub(crate) fn new(makers: Vec<Arc<dyn Maker>>, sink: Arc<dyn Sink>, slot: Slot) -> Self {
        Self { makers, sink, slot }
    }

    fn lines(&self, events: &[&Recorded]) -> Result<Batch, Error> {
        // Rows of the database are made in the transaction.
        let (mut rows, mut lines, folded) = (Rows::default(), Batch::default(), Folded::default());
        let mut writer = Writer::new(&mut rows, self.slot).sending(&mut lines);
        for event in events {
            self.makers.iter().try_for_each(|maker| maker.make(&mut writer, &folded, event))?;
        }
        Ok(lines)
    }
}

impl Ahead for Sending {
    fn go<'a>(&'a self, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let lines = self.lines(events)?;
            if lines == Batch::default() { Ok(()) } else { self.sink.write(self.slot, lines).await }
        })
    }
}
