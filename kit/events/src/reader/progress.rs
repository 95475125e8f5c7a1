//! How far a reader is, what it has heard of its source, and what it is to do next. Pure: it is told the time, and waits for
//! nothing, reads nothing and writes nothing.

mod asking;
mod page;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_nats::Subject;
use time::OffsetDateTime;
use tokio::time::Instant;
use tradewind_broker::wire::{Entry, Frame};
use tradewind_store::{Cursor, Heads, Recorded};
use uuid::Uuid;

use self::asking::Asking;
pub(super) use self::asking::Way;
pub(super) use self::page::Changed;
use super::debts::Debts;
use super::inbox::{Ahead, Inbox, Run};

/// A cursor that only passed over undeclared events is saved after so long, or so many.
const SAVE_AFTER: Duration = Duration::from_millis(500);
const SAVE_EVENTS: u64 = 1_000;
/// Events asked for at a time.
const PAGE: u32 = 256;

/// What to do next.
pub(super) enum Next {
    /// Acknowledge messages by this reply.
    Acknowledge(Subject),
    Handle(Run),
    /// Save a cursor that only passed over events.
    Save,
    /// Ask the owner for so many events behind the cursor.
    Ask(u32),
    /// Nothing before then, unless there are news.
    Rest(Instant),
}

/// The progress of one reader.
pub(super) struct Progress {
    /// The last position handled or passed over, and the event there.
    position: u64,
    last: Option<Uuid>,
    /// What the database has.
    saved: Cursor,
    /// The log that is read.
    incarnation: Option<Uuid>,
    inbox: Inbox,
    debts: Debts,
    /// As far as the source is known to reach, and where the cursor was when that was told.
    head: u64,
    position_at_heartbeat: u64,
    /// Since when it is behind, as far as is known.
    behind_since: Option<OffsetDateTime>,
    asking: Asking,
    save_at: Option<Instant>,
}

impl Progress {
    /// Nothing is known yet but by which way events come.
    pub(super) fn new(way: Way, now: Instant) -> Self {
        Self {
            position: 0,
            last: None,
            saved: Cursor::default(),
            incarnation: None,
            inbox: Inbox::default(),
            debts: Debts::default(),
            head: 0,
            position_at_heartbeat: 0,
            behind_since: None,
            asking: Asking::new(way, now),
            save_at: None,
        }
    }

    /// It goes on from the cursor that the database has.
    pub(super) fn loaded(&mut self, cursor: Option<Cursor>) {
        self.incarnation = cursor.map(|cursor| cursor.incarnation).or(self.incarnation);
        self.saved = cursor.unwrap_or_default();
        (self.position, self.last) = (self.saved.position, self.saved.event);
        self.save_at = None;
    }

    /// What was received may be of another state of the database than the one that was loaded.
    pub(super) fn begin_again(&mut self, now: Instant) {
        self.inbox.forget_ahead();
        self.asking.now(now);
    }

    /// Events come by another way than before: the owner is asked what was missed.
    pub(super) fn goes_by(&mut self, way: Way, now: Instant) {
        // An acknowledgement of one consumer may mean another message to its successor of the same name.
        self.debts.forget();
        self.asking.by(way, now);
    }

    /// What is to be done, and not anew once it is.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(reply) = self.debts.due(now) {
            return Next::Acknowledge(reply);
        }
        // Until the owner has said which log it is, nothing is handled.
        if self.incarnation.is_some()
            && let Some(run) = self.inbox.run(self.position, self.last)
        {
            return Next::Handle(run);
        }
        if self.inbox.contradicts(self.position, self.last) {
            // The owner has to say which of them its log holds.
            self.inbox.forget_ahead();
            self.asking.soon(now);
        }
        let gap = self.inbox.gap(self.position);
        if self.save_at.is_some_and(|at| at <= now) {
            self.save_at = None;
            Next::Save
        } else if self.asking.is_due(gap.is_some(), now) {
            Next::Ask(gap.and_then(|gap| u32::try_from(gap).ok()).map_or(PAGE, |gap| gap.min(PAGE)))
        } else {
            let ends = [self.save_at, self.debts.due_at()].into_iter().flatten();
            Next::Rest(ends.fold(self.asking.at(), Instant::min))
        }
    }

    /// The reply that acknowledges what is handled, before reading ends.
    pub(super) fn last_acknowledgement(&mut self) -> Option<Subject> {
        self.debts.last()
    }

    /// Whether more can be taken without dropping what is ahead. In a gap anything may be what is missing.
    pub(super) fn has_room(&self) -> bool {
        !self.inbox.is_full() || self.inbox.gap(self.position).is_some()
    }

    /// A message which ends at that position is to be acknowledged once it is handled, which one that comes again may be already.
    pub(super) fn owes(&mut self, position: u64, reply: Subject, now: Instant) {
        self.debts.owe(position, reply);
        self.debts.settle(self.saved.position, now);
    }

    /// Takes a frame, but what was handled already. One of another log makes the reader ask the owner.
    pub(super) fn take(&mut self, frame: Frame, now: Instant) {
        if self.incarnation != Some(frame.incarnation) {
            return self.asking.soon(now);
        }
        self.head = self.head.max(frame.last());
        let mut after = frame.after;
        for (position, Entry { id, event }) in (frame.first..).zip(frame.entries) {
            if position > self.position {
                self.inbox.put(position, Ahead { id, after, event });
            }
            after = Some(id);
        }
    }

    /// Compares a heartbeat with the cursor.
    pub(super) fn heard(&mut self, heads: &Heads, partition: u16, now: Instant) {
        let head = heads.positions.get(usize::from(partition)).copied().unwrap_or_default();
        // A heartbeat may be a moment old, but not older than the one before it.
        if self.incarnation != Some(heads.incarnation) || head < self.position_at_heartbeat {
            self.asking.soon(now);
        } else if head > self.position {
            self.head = self.head.max(head);
            self.asking.ahead(now);
        }
        self.position_at_heartbeat = self.position;
    }

    /// The own log has grown.
    pub(super) fn grew(&mut self, now: Instant) {
        self.asking.now(now);
    }

    /// The owner could not be asked; tells how often it was in vain before.
    pub(super) fn not_answered(&mut self, random: u64, now: Instant) -> u32 {
        self.asking.in_vain(random, now)
    }

    /// An event is about to be handled, which may take many attempts.
    pub(super) fn begins(&mut self, event: &Recorded) {
        self.behind_since = Some(event.time);
    }

    /// Passes over events that nobody declared; they cost no transaction of their own.
    pub(super) fn passed_over(&mut self, to: u64, last: Option<Uuid>, now: Instant) {
        (self.position, self.last) = (to, last);
        if self.position - self.saved.position >= SAVE_EVENTS {
            self.save_at = Some(now);
        } else {
            self.not_saved(now);
        }
    }

    /// The cursor is saved a little later.
    pub(super) fn not_saved(&mut self, now: Instant) {
        self.save_at.get_or_insert(now + SAVE_AFTER);
    }

    /// The database has the cursor at `place`: everything up to it can be acknowledged.
    pub(super) fn reached(&mut self, place: Cursor, now: Instant) {
        (self.position, self.last) = (place.position, place.event);
        self.saved = place;
        self.save_at = None;
        self.debts.settle(place.position, now);
    }

    /// A run was handled.
    pub(super) fn moved(&mut self, now: Instant) {
        self.behind_since = None;
        self.head = self.head.max(self.position);
        self.asking.moved(self.head == self.position, now);
    }

    /// Where the cursor is once everything up to `position`, where the event `last` is, is done.
    pub(super) fn place(&self, position: u64, last: Option<Uuid>) -> Cursor {
        // A page of the owner's log has been read before anything is handled, so the incarnation is known.
        Cursor { position, incarnation: self.incarnation.unwrap_or_default(), event: last }
    }

    /// Where the cursor is now.
    pub(super) fn here(&self) -> Cursor {
        self.place(self.position, self.last)
    }

    /// The last position handled or passed over.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// What the database has.
    pub(super) fn saved(&self) -> Cursor {
        self.saved
    }

    /// The log that is read, once that is known.
    pub(super) fn incarnation(&self) -> Option<Uuid> {
        self.incarnation
    }

    /// How many events are known that are not handled.
    pub(super) fn lag(&self) -> u64 {
        self.head.saturating_sub(self.position)
    }

    /// Looks since when the reader is behind. Where the oldest event is not here yet, its age counts from when it was heard of.
    pub(super) fn look(&mut self, now: OffsetDateTime) {
        self.behind_since = (self.lag() > 0).then(|| {
            let known = self.inbox.oldest().map_or(now, |event| event.time.min(now));
            self.behind_since.map_or(known, |since| since.min(known))
        });
    }

    /// Since when the reader is behind, as it was looked last.
    pub(super) fn behind_since(&self) -> Option<OffsetDateTime> {
        self.behind_since
    }
}
