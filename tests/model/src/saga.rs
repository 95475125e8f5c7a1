//! The saga of one order: everything about it that a database, a log or the outside holds, and each step it can take.
//!
//! Of what a process keeps in its memory there is only the answer that it was just given. The rest begins with what is
//! durable, so it is the same whether the process has been there for long or was just started.

mod take;

use inventory::domain::Reservation;
use ordering::domain::Order;
use payment::domain::Payment;
use shipping::{app::Reply, domain::Shipment};
use tradewind_domain::Error;
use tradewind_work::NewIntent;

use crate::{
    Setting,
    calls::{Calls, is_forward},
    message::{Command, Context, Message},
    order,
    outside::{CardRecord, CarrierRecord, Verdict, carried},
    step::{FEEDS, Feed, Party, Step},
};

/// One order, wherever something is known about it.
#[derive(Clone, Debug)]
pub(crate) struct Saga {
    pub(crate) order: Order,
    pub(crate) reservation: Reservation,
    pub(crate) payment: Payment,
    pub(crate) shipment: Shipment,
    /// What each context has told, as far as somebody hears it.
    logs: [Vec<Message>; 4],
    /// How far each feed is read.
    cursors: [usize; FEEDS.len()],
    pub(crate) card: Calls<CardRecord, payment::domain::Command>,
    pub(crate) carrier: Calls<CarrierRecord, Reply>,
    /// The message that was overtaken and is still to come, by feed and position; whether there was one yet.
    late: Option<(usize, usize)>,
    overtaken: bool,
    /// How often a message was handled, with effect, that had been handled before.
    heard_again: usize,
    /// What was refused by somebody who has no right to.
    pub(crate) refusal: Option<String>,
}

/// What a step does to the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    Reserve(i64),
    Release(i64),
    Ship(i64),
}

impl Saga {
    /// An order that was just placed.
    pub(crate) fn placed(setting: &Setting) -> Result<Self, Error> {
        let mut saga = Self {
            order: Order::default(),
            reservation: Reservation::default(),
            payment: Payment::default(),
            shipment: Shipment::default(),
            logs: Default::default(),
            cursors: Default::default(),
            card: Calls::default(),
            carrier: Calls::default(),
            late: None,
            overtaken: false,
            heard_again: 0,
            refusal: None,
        };
        saga.execute(setting.mutant, Command::Order(order::place()?))?;
        Ok(saga)
    }

    /// Every step that changes something while that many units are available, what comes of it, and what it does to the
    /// stock.
    pub(crate) fn steps(&self, setting: &Setting, available: i64) -> Vec<(Step, Self, Option<Move>)> {
        if self.refusal.is_some() {
            return Vec::new();
        }
        let after = |step| self.after(setting, step, available).map(|(saga, moved)| (step, saga, moved));
        self.conceivable(setting).into_iter().filter_map(after).collect()
    }

    /// Tells whether the step comes by itself, sooner or later. People may do nothing, a request may be late for ever,
    /// and the outside may never say whether it takes the money or the parcel.
    pub(crate) fn is_owed(&self, step: Step) -> bool {
        match step {
            Step::Expire | Step::Hear { .. } | Step::HearLate | Step::Record { .. } => true,
            Step::Cancel
            | Step::Dispatch
            | Step::Deliver
            | Step::HearAgain { .. }
            | Step::Overtake { .. }
            | Step::Crash { .. } => false,
            Step::Arrive { party, request, heard, .. } => heard && !is_forward(&self.asked(party)[request]),
        }
    }

    /// A number that every step but a crash makes greater.
    pub(crate) fn progress(&self) -> usize {
        let told: usize = self.logs.iter().map(Vec::len).sum();
        let read: usize = self.cursors.iter().sum();
        let decided = self.card.record.progress() + carried(&self.carrier.record);
        let overtaken = usize::from(self.overtaken) + usize::from(self.overtaken && self.late.is_none());
        told + read + overtaken + self.heard_again + decided + self.card.progress() + self.carrier.progress()
    }

    /// Tells whether nothing waits for an answer of the outside.
    pub(crate) fn owes_no_call(&self) -> bool {
        self.card.open().is_none() && self.carrier.open().is_none()
    }

    /// Everything that was told, in the order of the contexts.
    pub(crate) fn told(&self) -> impl Iterator<Item = &Message> {
        self.logs.iter().flatten()
    }

    /// What was told after an earlier state.
    pub(crate) fn told_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Message> {
        self.logs.iter().zip(&before.logs).flat_map(|(log, known)| log.iter().skip(known.len()))
    }

    /// The message that a feed carries at a position.
    pub(crate) fn message(&self, feed: usize, position: usize) -> &Message {
        &self.logs[FEEDS[feed].owner as usize][position]
    }

    /// The feed and position of the message that is still to come although one after it was heard.
    pub(crate) const fn late(&self) -> Option<(usize, usize)> {
        self.late
    }

    /// All that was ever asked of a party.
    pub(crate) fn asked(&self, party: Party) -> &[NewIntent] {
        match party {
            Party::CardProvider => self.card.asked(),
            Party::Carrier => self.carrier.asked(),
        }
    }

    /// Every step that could be taken; those that change nothing are among them.
    fn conceivable(&self, setting: &Setting) -> Vec<Step> {
        let mut steps = vec![Step::Expire, Step::Cancel, Step::Dispatch, Step::Deliver, Step::HearLate];
        for (index, feed) in FEEDS.into_iter().enumerate() {
            steps.extend(self.next(index, feed).map(|position| Step::Hear { feed: index, position }));
            if setting.overtaken && !self.overtaken && feed.owner == Context::Ordering {
                steps.extend(self.next(index, feed).map(|position| Step::Overtake { feed: index, position }));
            }
            if self.heard_again < setting.heard_again {
                steps.extend((0..self.cursors[index]).map(|position| Step::HearAgain { feed: index, position }));
            }
        }
        for party in [Party::CardProvider, Party::Carrier] {
            for (request, intent) in self.asked(party).iter().enumerate() {
                let free = [Verdict::Accept, Verdict::Refuse, Verdict::Mistake];
                let possible = if is_forward(intent) { 2 + usize::from(setting.mistakes) } else { 1 };
                for verdict in &free[..possible] {
                    let verdict = *verdict;
                    let arrive = |heard| Step::Arrive { party, request, verdict, heard };
                    steps.extend([arrive(false), arrive(true)]);
                }
            }
            steps.extend([Step::Record { party }, Step::Crash { party }]);
        }
        steps
    }

    /// The position of the next message that the reader of a feed hears.
    fn next(&self, index: usize, feed: Feed) -> Option<usize> {
        let log = &self.logs[feed.owner as usize];
        (self.cursors[index]..log.len()).find(|position| log[*position].is_heard_by(feed.reader))
    }
}
