//! A projection that is built: how far it has come, and what it makes of events.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_store::{Cursor, Recorded, Rows, Store};

use crate::fold::Folded;
use crate::{Batch, Projection, Slot, Writer};

/// A partition of a context's log.
pub(crate) type Place = (String, u16);

/// A projection that is built.
pub(crate) struct Building<'a> {
    pub(crate) projection: &'a Projection,
    pub(crate) slot: Slot,
    pub(crate) begun: OffsetDateTime,
    pub(crate) sources: BTreeSet<String>,
    pub(crate) cursors: BTreeMap<Place, Cursor>,
}

impl Building<'_> {
    pub(crate) fn consumer(&self) -> &'static str {
        self.projection.consumer(self.slot)
    }

    pub(crate) fn position(&self, place: &Place) -> u64 {
        self.cursors.get(place).map_or(0, |cursor| cursor.position)
    }

    /// What it makes of the events that follow where it is: rows, and lines for its sink, if it has one.
    pub(crate) async fn make(
        &self,
        store: &Store,
        folded: &mut Folded,
        from: Cursor,
        events: &[Recorded],
    ) -> Result<(Rows, Batch), Error> {
        let (mut rows, mut lines) = (Rows::default(), Batch::default());
        let writer = Writer::new(&mut rows, self.slot);
        let mut writer = if self.projection.sink.is_some() { writer.sending(&mut lines) } else { writer };
        for maker in &self.projection.makers {
            maker.fold(store, folded, events).await?;
        }
        for event in events.iter().filter(|event| event.position > from.position) {
            for maker in &self.projection.makers {
                maker.make(&mut writer, folded, event)?;
            }
        }
        Ok((rows, lines))
    }
}
