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

    /// A frame that ends at `position` is on its way.
    pub(super) fn sent(&mut self, position: u64) {
        self.published = self.published.max(position);
        self.on_their_way += 1;
    }

    /// It was acknowledged, or counts as that.
    pub(super) fn arrived(&mut self, position: u64) {
        self.acknowledged = self.acknowledged.max(position);
        self.on_their_way = self.on_their_way.saturating_sub(1);
    }

    /// What is on its way may be lost.
    fn go_back(&mut self) {
        self.published = self.acknowledged;
        self.on_their_way = 0;
    }

    /// The database has this place; where it is another relay's, what that has published needs not be.
    fn is_saved(&mut self, at: Cursor) {
        self.saved = at;
        self.acknowledged = self.acknowledged.max(at.position);
        self.published = self.published.max(self.acknowledged);
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
        self.lanes.iter_mut().for_each(Lane::go_back);
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
            lane.is_saved(if overtaken.contains(&index) {
                self.store.cursor(CONSUMER, context, lane.partition).await?.unwrap_or(new)
            } else {
                Cursor { position: lane.acknowledged, ..new }
            });
        }
        Ok(())
    }

    pub(super) fn measure(&self) {
        let lag = self.lanes.iter().map(|lane| lane.head.saturating_sub(lane.acknowledged)).sum();
        metrics().relay_lag.record(lag, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> Cursor {
        Cursor { position, ..Cursor::default() }
    }

    /// Whether the next frame goes out, and behind which position it begins.
    fn goes_on(lane: &Lane) -> (bool, u64) {
        (lane.has_room() && lane.waits(), lane.published)
    }

    #[test]
    fn what_comes_while_a_frame_is_on_its_way_makes_the_next() {
        let mut lane = Lane::at(0, at(3));
        assert_eq!(goes_on(&lane), (false, 3), "there is nothing");
        lane.head = 5;
        assert_eq!(goes_on(&lane), (true, 3));
        lane.sent(5);
        lane.head = 9;
        assert_eq!(goes_on(&lane), (false, 5), "one is on its way");
        lane.arrived(5);
        assert_eq!(goes_on(&lane), (true, 5));
        lane.sent(9);
        lane.arrived(9);
        assert_eq!(goes_on(&lane), (false, 9));
    }

    #[test]
    fn what_was_not_acknowledged_goes_out_again() {
        let mut lane = Lane { head: 9, ..Lane::at(0, at(3)) };
        lane.sent(5);
        lane.arrived(5);
        lane.sent(9);
        lane.go_back();
        assert_eq!(goes_on(&lane), (true, 5));
    }

    #[test]
    fn what_another_relay_has_published_does_not_go_out() {
        let mut lane = Lane { head: 9, ..Lane::at(0, at(3)) };
        lane.sent(5);
        lane.arrived(5);
        lane.is_saved(at(7));
        assert_eq!((goes_on(&lane), lane.acknowledged), ((true, 7), 7));
        lane.is_saved(at(4));
        assert_eq!((goes_on(&lane), lane.acknowledged), ((true, 7), 7), "never back");
    }
}
