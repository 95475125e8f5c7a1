//! The acknowledgements that a reader owes the broker. Each is of a message and all before it, so few are sent: they cost the
//! broker as much as messages do, and nobody waits for one.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::Subject;
use tokio::time::Instant;

/// Messages that are owed at most; what is dropped is acknowledged with a later one.
const MOST: usize = 2_048;
/// What is handled is acknowledged after so long, or so many messages: long before the broker would send them again, or no more.
const AFTER: Duration = Duration::from_millis(250);
const MESSAGES: usize = 64;

/// What is owed.
#[derive(Default)]
pub(super) struct Debts {
    /// Last position and reply subject of each message that is not handled, in the order of arrival.
    owed: VecDeque<(u64, Subject)>,
    handled: Option<Handled>,
}

/// Messages that are handled and not acknowledged.
struct Handled {
    /// Acknowledges them all.
    reply: Subject,
    count: usize,
    since: Instant,
}

impl Debts {
    /// Notes that the message which ends at this position is to be acknowledged by `reply`.
    pub(super) fn owe(&mut self, position: u64, reply: Subject) {
        if self.owed.len() >= MOST {
            self.owed.pop_front();
        }
        self.owed.push_back((position, reply));
    }

    /// Everything up to `cursor` is handled, as far as it arrived in order.
    pub(super) fn settle(&mut self, cursor: u64, now: Instant) {
        while let Some((_, reply)) = self.owed.pop_front_if(|(position, _)| *position <= cursor) {
            let (count, since) = self.handled.take().map_or((0, now), |handled| (handled.count, handled.since));
            self.handled = Some(Handled { reply, count: count + 1, since });
        }
    }

    /// The reply that acknowledges what is handled, if it is time for that.
    pub(super) fn due(&mut self, now: Instant) -> Option<Subject> {
        let due = self.handled.take_if(|handled| handled.count >= MESSAGES || handled.since + AFTER <= now);
        due.map(|handled| handled.reply)
    }

    /// When it will be time.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.handled.as_ref().map(|handled| handled.since + AFTER)
    }

    /// The reply that acknowledges what is handled, at once.
    pub(super) fn last(&mut self) -> Option<Subject> {
        self.handled.take().map(|handled| handled.reply)
    }

    /// Forgets the debts of a connection that is gone.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owing(messages: impl IntoIterator<Item = (u64, &'static str)>) -> Debts {
        let mut debts = Debts::default();
        for (position, reply) in messages {
            debts.owe(position, Subject::from_static(reply));
        }
        debts
    }

    #[test]
    fn debts_are_settled_in_the_order_of_arrival() {
        let now = Instant::now();
        let mut debts = owing([(1, "a"), (3, "c"), (2, "b"), (0, "x")]);
        debts.settle(2, now);
        assert_eq!(debts.last(), Some(Subject::from_static("a")));
        debts.settle(2, now);
        assert_eq!(debts.last(), None);
        debts.settle(3, now);
        assert_eq!(debts.last(), Some(Subject::from_static("x")));
    }

    #[test]
    fn what_is_handled_is_acknowledged_together_a_little_later() {
        let now = Instant::now();
        let mut debts = owing([(1, "a"), (2, "b")]);
        assert_eq!((debts.due(now + AFTER), debts.due_at()), (None, None));
        debts.settle(1, now);
        debts.settle(2, now + AFTER / 2);
        assert_eq!((debts.due(now + AFTER / 2), debts.due_at()), (None, Some(now + AFTER)));
        assert_eq!(debts.due(now + AFTER), Some(Subject::from_static("b")));
        assert_eq!((debts.due(now + AFTER), debts.due_at()), (None, None));
    }

    #[test]
    fn many_are_acknowledged_at_once() {
        let now = Instant::now();
        let mut debts = owing((1..).zip(["a"; MESSAGES]));
        debts.settle(63, now);
        assert_eq!(debts.due(now), None);
        debts.settle(64, now);
        assert!(debts.due(now).is_some());
    }

    #[test]
    fn what_is_owed_is_bounded() {
        let debts = owing((1..).zip(["a"; 2 * MOST]));
        assert_eq!(debts.owed.len(), MOST);
    }
}
