//! How far publishing has come in each partition, and saving that.

use tradewind_domain::Error;
use tradewind_store::Cursor;

use super::{CONSUMER, Relay};
use crate::metrics::metrics;

/// So many acknowledgements are saved without waiting any longer.
const SAVE_EVENTS: u64 = 1_000;

/// One partition of the own log, and how far each stage has come.
pub(super) struct Lane {
    pub(super) partition: u16,
    pub(super) published: u64,
    pub(super) acknowledged: u64,
    /// What the database has.
    pub(super) saved: Cursor,
    pub(super) head: u64,
}

impl Relay {
    pub(super) async fn load(&mut self) -> Result<(), Error> {
        let mut lanes = Vec::new();
        for partition in 0..self.store.partitions() {
            let cursor = self.store.cursor(CONSUMER, self.store.context(), partition).await?;
            let saved = cursor.unwrap_or_else(|| self.place(0));
            let position = saved.position;
            lanes.push(Lane { partition, published: position, acknowledged: position, saved, head: position });
        }
        self.lanes = lanes;
        Ok(())
    }

    pub(super) fn go_back(&mut self) {
        self.in_flight.clear();
        for lane in &mut self.lanes {
            lane.published = lane.acknowledged;
        }
    }

    fn place(&self, position: u64) -> Cursor {
        Cursor { position, incarnation: self.store.incarnation(), event: None }
    }

    fn unsaved(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.acknowledged.saturating_sub(lane.saved.position)).sum()
    }

    pub(super) async fn save_if_many(&mut self) -> Result<(), Error> {
        if self.unsaved() >= SAVE_EVENTS { self.save().await } else { Ok(()) }
    }

    /// Saves the cursor; where another relay was faster, its place counts.
    pub(super) async fn save(&mut self) -> Result<(), Error> {
        self.dirty_since = None;
        if self.unsaved() == 0 {
            return Ok(());
        }
        let context = self.store.context();
        let mut tx = self.store.begin().await?;
        let mut overtaken = Vec::new();
        for (index, lane) in self.lanes.iter().enumerate().filter(|(_, lane)| lane.acknowledged > lane.saved.position) {
            let to = self.place(lane.acknowledged);
            if !tx.advance_cursor(CONSUMER, context, lane.partition, lane.saved, to).await? {
                overtaken.push(index);
            }
        }
        tx.commit().await?;
        let new = self.place(0);
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if overtaken.contains(&index) {
                let cursor = self.store.cursor(CONSUMER, context, lane.partition).await?;
                lane.saved = cursor.unwrap_or(new);
                lane.acknowledged = lane.acknowledged.max(lane.saved.position);
                lane.published = lane.published.max(lane.acknowledged);
            } else {
                lane.saved = Cursor { position: lane.acknowledged, ..new };
            }
        }
        Ok(())
    }

    pub(super) fn measure(&self) {
        let lag = self.lanes.iter().map(|lane| lane.head.saturating_sub(lane.acknowledged)).sum();
        metrics().relay_lag.record(lag, &[]);
    }
}
