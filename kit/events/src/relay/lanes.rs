//! How far publishing has come in each partition, and saving that.

use tradewind_domain::Error;

use super::{CONSUMER, Relay};
use crate::metrics::metrics;

/// So many acknowledgements are saved without waiting any longer.
const SAVE_EVENTS: u64 = 1_000;

/// One partition of the own log, and how far each stage has come.
pub(super) struct Lane {
    pub(super) partition: u16,
    pub(super) published: u64,
    pub(super) acknowledged: u64,
    pub(super) saved: u64,
    pub(super) head: u64,
}

impl Relay {
    pub(super) async fn load(&mut self) -> Result<(), Error> {
        let mut lanes = Vec::new();
        for partition in 0..self.store.partitions() {
            let cursor = self.store.cursor(CONSUMER, self.store.context(), partition).await?;
            let saved = cursor.map_or(0, |cursor| cursor.position);
            lanes.push(Lane { partition, published: saved, acknowledged: saved, saved, head: saved });
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

    fn unsaved(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.acknowledged.saturating_sub(lane.saved)).sum()
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
        let (context, incarnation) = (self.store.context(), self.store.incarnation());
        let mut tx = self.store.begin().await?;
        let mut overtaken = Vec::new();
        for (index, lane) in self.lanes.iter().enumerate().filter(|(_, lane)| lane.acknowledged > lane.saved) {
            let (from, to) = (lane.saved, lane.acknowledged);
            if !tx.advance_cursor(CONSUMER, context, lane.partition, from, to, incarnation).await? {
                overtaken.push(index);
            }
        }
        tx.commit().await?;
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if overtaken.contains(&index) {
                let cursor = self.store.cursor(CONSUMER, context, lane.partition).await?;
                lane.saved = cursor.map_or(0, |cursor| cursor.position);
                lane.acknowledged = lane.acknowledged.max(lane.saved);
                lane.published = lane.published.max(lane.acknowledged);
            } else {
                lane.saved = lane.acknowledged;
            }
        }
        Ok(())
    }

    pub(super) fn measure(&self) {
        let lag = self.lanes.iter().map(|lane| lane.head.saturating_sub(lane.acknowledged)).sum();
        metrics().relay_lag.record(lag, &[]);
    }
}
