//! How far publishing has come in each partition, and saving that.

use tradewind_domain::Error;
use tradewind_store::Cursor;

use super::{CONSUMER, Relay};
use crate::metrics::metrics;

/// Frames of a partition that are published and not acknowledged: what comes meanwhile makes the next one.
const ON_THEIR_WAY: usize = 1;
/// So many acknowledged events are saved without waiting any longer.
const SAVE_EVENTS: u64 = 1_000;

/// One partition of the own log, and how far each stage has come.
pub(super) struct Lane {
    pub(super) partition: u16,
    pub(super) published: u64,
    pub(super) acknowledged: u64,
    /// What the database has.
    pub(super) saved: Cursor,
    pub(super) head: u64,
    /// Frames that are published and not acknowledged.
    pub(super) on_their_way: usize,
    /// Up to here events go out alone, since the broker has refused a frame of them.
    pub(super) alone_through: u64,
}

impl Lane {
    /// A lane on which everything up to `saved` is published.
    fn at(partition: u16, saved: Cursor) -> Self {
        let position = saved.position;
        Self {
            partition,
            published: position,
            acknowledged: position,
            saved,
            head: position,
            on_their_way: 0,
            alone_through: 0,
        }
    }

    /// Whether another frame may go out.
    pub(super) fn has_room(&self) -> bool {
        self.on_their_way < ON_THEIR_WAY
    }

    /// Whether something is known that was not published.
    pub(super) fn waits(&self) -> bool {
        self.head > self.published
    }
}

impl Relay {
    pub(super) async fn load(&mut self) -> Result<(), Error> {
        let mut lanes = Vec::new();
        for partition in 0..self.store.partitions() {
            let cursor = self.store.cursor(CONSUMER, self.store.context(), partition).await?;
            lanes.push(Lane::at(partition, cursor.unwrap_or_else(|| self.place(0))));
        }
        self.lanes = lanes;
        Ok(())
    }

    pub(super) fn go_back(&mut self) {
        self.in_flight.clear();
        for lane in &mut self.lanes {
            lane.published = lane.acknowledged;
            lane.on_their_way = 0;
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
