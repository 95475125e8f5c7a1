//! What a reader has received and not yet handled: a bounded look-ahead over gaps.

use std::collections::BTreeMap;

use tradewind_store::Recorded;
use uuid::Uuid;

/// Events in one transaction.
const RUN_EVENTS: usize = 64;
/// Positions in one transaction, undeclared events included.
const RUN_POSITIONS: usize = 1_024;
/// Bytes of the events in one transaction.
const RUN_BYTES: usize = 4 * 1024 * 1024;
/// Positions held beyond the cursor; what is dropped comes again from the owner.
const CAPACITY: usize = 1_024;
/// Bytes of the events there.
const BYTES: usize = 16 * 1024 * 1024;

/// A run of contiguous positions, to be handled in one transaction.
pub(super) struct Run {
    /// The last position.
    pub(super) to: u64,
    /// The id of the event there.
    pub(super) last: Option<Uuid>,
    /// The declared events among them, in order.
    pub(super) events: Vec<Recorded>,
}

impl Run {
    /// Leaves only the first `count` declared events, which are one at least.
    pub(super) fn cut(&mut self, count: usize) {
        self.events.truncate(count);
        if let Some(last) = self.events.last() {
            (self.to, self.last) = (last.position, Some(last.id));
        }
    }

    /// One run for each event; together they end where this one ends.
    pub(super) fn singles(self) -> Vec<Self> {
        let single = |event: Recorded| Self { to: event.position, last: Some(event.id), events: vec![event] };
        let mut singles: Vec<Self> = self.events.into_iter().map(single).collect();
        if let Some(last) = singles.last_mut() {
            (last.to, last.last) = (self.to, self.last);
        }
        singles
    }
}

/// What was received at a position.
pub(super) struct Ahead {
    pub(super) id: Uuid,
    /// The id of the event before, where that is told.
    pub(super) after: Option<Uuid>,
    /// `None` for an event that nobody declared.
    pub(super) event: Option<Recorded>,
}

impl Ahead {
    fn size(&self) -> usize {
        self.event.as_ref().map_or(0, Recorded::size)
    }

    /// Whether it can come after the event `last`: two histories of one log have other events at the same positions.
    fn follows(&self, last: Option<Uuid>) -> bool {
        self.after.zip(last).is_none_or(|(after, last)| after == last)
    }
}

/// The look-ahead.
#[derive(Default)]
pub(super) struct Inbox {
    /// By position.
    ahead: BTreeMap<u64, Ahead>,
    bytes: usize,
}

impl Inbox {
    /// Whether what comes next may have to be dropped.
    pub(super) fn is_full(&self) -> bool {
        self.ahead.len() >= CAPACITY / 2 || self.bytes >= BYTES / 2
    }

    /// Takes an event beyond the cursor. When full, the furthest one is dropped.
    pub(super) fn put(&mut self, position: u64, event: Ahead) {
        if let Some(before) = self.ahead.remove(&position) {
            self.bytes -= before.size();
        }
        while self.ahead.len() >= CAPACITY || self.bytes + event.size() > BYTES {
            match self.ahead.last_entry() {
                Some(last) if *last.key() > position => self.bytes -= last.remove().size(),
                // What comes first is taken, however large it is.
                None => break,
                Some(_) => return,
            }
        }
        self.bytes += event.size();
        self.ahead.insert(position, event);
    }

    /// The run that continues `cursor`, where the event `last` is, if the next position is here.
    pub(super) fn run(&mut self, cursor: u64, last: Option<Uuid>) -> Option<Run> {
        self.forget_through(cursor);
        let mut run = Run { to: cursor, last, events: Vec::new() };
        let mut bytes = 0;
        for _ in 0..RUN_POSITIONS {
            match self.ahead.first_entry() {
                Some(entry)
                    if *entry.key() == run.to + 1
                        && run.events.len() < RUN_EVENTS
                        && (run.events.is_empty() || bytes + entry.get().size() <= RUN_BYTES)
                        && entry.get().follows(run.last) =>
                {
                    bytes += entry.get().size();
                    self.bytes -= entry.get().size();
                    let Ahead { id, event, .. } = entry.remove();
                    (run.to, run.last) = (run.to + 1, Some(id));
                    run.events.extend(event);
                }
                _ => break,
            }
        }
        (run.to > cursor).then_some(run)
    }

    /// Whether what is at the next position does not come after the event `last`.
    pub(super) fn contradicts(&self, cursor: u64, last: Option<Uuid>) -> bool {
        self.ahead.first_key_value().is_some_and(|(first, next)| *first == cursor + 1 && !next.follows(last))
    }

    /// Forgets everything beyond the cursor.
    pub(super) fn forget_ahead(&mut self) {
        self.ahead.clear();
        self.bytes = 0;
    }

    /// The number of positions missing between `cursor` and the first event beyond it, if there is one.
    pub(super) fn gap(&self, cursor: u64) -> Option<u64> {
        self.ahead.first_key_value().map(|(first, _)| first.saturating_sub(cursor + 1)).filter(|gap| *gap > 0)
    }

    /// The first declared event that is here.
    pub(super) fn oldest(&self) -> Option<&Recorded> {
        self.ahead.values().find_map(|ahead| ahead.event.as_ref())
    }

    fn forget_through(&mut self, cursor: u64) {
        while let Some(entry) = self.ahead.first_entry().filter(|entry| *entry.key() <= cursor) {
            self.bytes -= entry.remove().size();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tradewind_testing::recorded;

    use super::*;

    fn event(position: u64) -> Recorded {
        Recorded { position, ..recorded("order-1", position) }
    }

    fn ahead(event: Option<Recorded>) -> Ahead {
        Ahead { id: Uuid::nil(), after: None, event }
    }

    fn filled(positions: impl IntoIterator<Item = u64>) -> Inbox {
        let mut inbox = Inbox::default();
        for position in positions {
            inbox.put(position, ahead(Some(event(position))));
        }
        inbox
    }

    #[test]
    fn a_run_ends_before_a_gap() {
        let mut inbox = filled([5, 3, 4, 7]);
        assert!(inbox.run(1, None).is_none());
        assert_eq!(inbox.gap(1), Some(1));
        let run = inbox.run(2, None).unwrap();
        assert_eq!((run.to, run.events.len()), (5, 3));
        assert_eq!(inbox.gap(5), Some(1));
        assert!(inbox.run(5, None).is_none());
    }

    #[test]
    fn what_lies_behind_the_cursor_is_forgotten() {
        let mut inbox = filled(1..=4);
        assert_eq!(inbox.run(3, None).unwrap().to, 4);
        assert_eq!(inbox.gap(4), None);
    }

    #[test]
    fn undeclared_events_lengthen_a_run_and_declared_ones_bound_it() {
        let mut inbox = filled(1..=100);
        let run = inbox.run(0, None).unwrap();
        assert_eq!((run.to, run.events.len()), (64, 64));
        let mut inbox = Inbox::default();
        (1..=500).for_each(|position| inbox.put(position, ahead(None)));
        let run = inbox.run(0, None).unwrap();
        assert_eq!((run.to, run.events.len()), (500, 0));
    }

    #[test]
    fn singles_end_where_their_run_ends() {
        let mut inbox = filled([1, 2]);
        inbox.put(3, ahead(None));
        let ends: Vec<_> = inbox.run(0, None).unwrap().singles().into_iter().map(|run| run.to).collect();
        assert_eq!(ends, [1, 3]);
    }

    #[test]
    fn the_look_ahead_is_bounded_but_never_refuses_what_comes_first() {
        let mut inbox = filled(10..5_000);
        assert_eq!(inbox.ahead.len(), CAPACITY);
        inbox.put(9, ahead(None));
        assert_eq!(inbox.run(8, None).unwrap().to, 9 + 64);
    }

    #[test]
    fn a_page_that_fills_a_gap_is_kept_whole_at_the_expense_of_what_is_furthest() {
        let mut inbox = filled(1_001..5_000);
        (1..=256).for_each(|position| inbox.put(position, ahead(None)));
        assert_eq!(inbox.ahead.len(), CAPACITY);
        assert_eq!(inbox.run(0, None).unwrap().to, 256);
        assert_eq!(inbox.gap(256), Some(1_000 - 256));
        assert_eq!(inbox.ahead.last_key_value().map(|(last, _)| *last), Some(1_000 + 1_024 - 256));
    }

    #[test]
    fn large_events_bound_the_look_ahead_and_a_run_but_never_keep_out_what_comes_first() {
        let large = |position, bytes| ahead(Some(Recorded { payload: vec![0; bytes], ..event(position) }));
        let mut inbox = Inbox::default();
        (2..=40).for_each(|position| inbox.put(position, large(position, 900_000)));
        assert_eq!((inbox.ahead.len(), inbox.bytes <= BYTES), (18, true));
        inbox.put(1, large(1, 50_000_000));
        assert_eq!((inbox.ahead.len(), inbox.run(0, None).unwrap().to, inbox.bytes), (1, 1, 0));
        (2..=40).for_each(|position| inbox.put(position, large(position, 900_000)));
        inbox.put(2, large(2, 900_000));
        assert_eq!(inbox.run(1, None).unwrap().to, 5);
        inbox.forget_through(40);
        assert_eq!(inbox.bytes, 0);
    }

    #[test]
    fn what_comes_after_another_event_ends_a_run() {
        let mut inbox = Inbox::default();
        let id = |number| Some(Uuid::from_u128(number));
        for (position, number, after) in [(2, 2, 1), (3, 3, 2), (4, 14, 13), (5, 15, 14)] {
            inbox.put(position, Ahead { id: Uuid::from_u128(number), after: id(after), event: None });
        }
        assert!(inbox.run(1, id(11)).is_none() && inbox.contradicts(1, id(11)));
        let run = inbox.run(1, id(1)).unwrap();
        assert_eq!((run.to, run.last), (3, id(3)));
        assert!(inbox.run(3, id(3)).is_none() && inbox.contradicts(3, id(3)));
        inbox.forget_ahead();
        assert!(!inbox.contradicts(3, id(3)));
    }
}
