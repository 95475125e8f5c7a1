//! The card provider and the carrier: each remembers what it decided under a key and says the same again. They are
//! called through the services' own seams.

use std::sync::{Arc, Mutex, PoisonError};

use contracts::tradewind::money::v1::Money;
use payment::app::{CardProvider, Charge, ChargeAnswer, Receipt, Refund};
use shipping::app::{Booking, Carrier, NoAnswer, Standing};
use tradewind_domain::{Reason, Reference};

use crate::order::CURRENCY;

/// What the outside says where it is free to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verdict {
    /// The money is taken, the parcel will be.
    Accept,
    /// It is not.
    Refuse,
    /// Other money is taken than was asked for; the parcel will be, without a number.
    Mistake,
}

/// What is taken by mistake, in minor units.
pub(crate) const MISTAKEN: i64 = 1;

/// The card provider's record of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CardRecord {
    /// What became of the charge; nothing before it was asked for.
    pub(crate) charge: Option<ChargeAnswer>,
    /// All that was ever taken, in minor units.
    pub(crate) captured: i64,
    /// All that was ever given back, in minor units.
    pub(crate) refunded: i64,
}

/// The carrier's record of one order: nothing before it was asked.
pub(crate) type CarrierRecord = Option<Standing>;

/// A party with its record, and what it says if it has not decided yet.
#[derive(Clone)]
pub(crate) struct Outside<R> {
    record: Arc<Mutex<R>>,
    verdict: Verdict,
}

impl<R: Clone> Outside<R> {
    pub(crate) fn new(record: R, verdict: Verdict) -> Self {
        Self { record: Arc::new(Mutex::new(record)), verdict }
    }

    /// What it knows by now.
    pub(crate) fn record(&self) -> R {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, record: R) {
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = record;
    }
}

impl Outside<CardRecord> {
    /// Says what it has said before; the first time what `decide` makes of the record.
    fn decide(&self, decide: impl FnOnce(&mut CardRecord) -> ChargeAnswer) -> ChargeAnswer {
        let mut record = self.record();
        let answer = record.charge.clone().unwrap_or_else(|| decide(&mut record));
        self.write(CardRecord { charge: Some(answer.clone()), ..record });
        answer
    }
}

impl CardProvider for Outside<CardRecord> {
    async fn charge(&self, charge: &Charge) -> Result<ChargeAnswer, NoAnswer> {
        Ok(self.decide(|record| match self.verdict {
            Verdict::Accept => record.capture(charge.amount.minor()),
            Verdict::Mistake => record.capture(MISTAKEN),
            Verdict::Refuse => ChargeAnswer::Declined { reason: Reason::told("CARD_DECLINED") },
        }))
    }

    async fn void(&self, _: &str) -> Result<ChargeAnswer, NoAnswer> {
        Ok(self.decide(|_| ChargeAnswer::Voided))
    }

    async fn refund(&self, refund: &Refund) -> Result<Receipt, NoAnswer> {
        let record = self.record();
        if record.refunded == 0 {
            if refund.amount.minor > record.captured {
                return Err(NoAnswer::Refused(Reason::told("EXCEEDS_CAPTURED")));
            }
            self.write(CardRecord { refunded: refund.amount.minor, ..record });
        }
        Ok(receipt(self.record().refunded, "re_1"))
    }
}

impl Outside<CarrierRecord> {
    /// Writes down what it has decided, and says it.
    fn decided(&self, standing: Standing) -> Standing {
        self.write(Some(standing.clone()));
        standing
    }
}

impl Carrier for Outside<CarrierRecord> {
    async fn book(&self, _: &Booking) -> Result<Standing, NoAnswer> {
        let booked = Standing::Booked { tracking: Reference::read("TW1") };
        Ok(match (self.record(), self.verdict) {
            (Some(Standing::Dispatched | Standing::Delivered), _) => booked,
            (Some(known), _) => known,
            (None, Verdict::Accept) => self.decided(booked),
            (None, Verdict::Refuse) => {
                self.decided(Standing::Rejected { reason: Reason::told("UNDELIVERABLE_ADDRESS") })
            }
            (None, Verdict::Mistake) => self.decided(Standing::Booked { tracking: None }),
        })
    }

    async fn cancel(&self, _: &str) -> Result<Standing, NoAnswer> {
        Ok(match self.record() {
            None | Some(Standing::Booked { .. }) => self.decided(Standing::Cancelled),
            Some(Standing::Delivered) => Standing::Dispatched,
            Some(known) => known,
        })
    }

    async fn dispatch(&self, _: &str) -> Result<Standing, NoAnswer> {
        match self.record() {
            Some(Standing::Booked { .. }) => Ok(self.decided(Standing::Dispatched)),
            Some(Standing::Dispatched | Standing::Delivered) => Ok(Standing::Dispatched),
            _ => Err(NoAnswer::Refused(Reason::told("NOT_BOOKED"))),
        }
    }

    async fn deliver(&self, _: &str) -> Result<Standing, NoAnswer> {
        match self.record() {
            Some(Standing::Dispatched | Standing::Delivered) => Ok(self.decided(Standing::Delivered)),
            _ => Err(NoAnswer::Refused(Reason::told("NOT_DISPATCHED"))),
        }
    }
}

fn receipt(minor: i64, id: &str) -> Receipt {
    Receipt { amount: Money { currency: CURRENCY.to_owned(), minor }, id: Reference::read(id) }
}

impl CardRecord {
    /// Takes money.
    fn capture(&mut self, minor: i64) -> ChargeAnswer {
        self.captured += minor;
        ChargeAnswer::Captured(receipt(minor, "ch_1"))
    }

    /// A number that grows with all that is decided and moved.
    pub(crate) fn progress(&self) -> usize {
        let moved = usize::try_from(self.captured + self.refunded).unwrap_or_default();
        usize::from(self.charge.is_some()) + moved
    }
}

/// A number that grows with all that a carrier decides.
pub(crate) const fn carried(record: &CarrierRecord) -> usize {
    match record {
        None => 0,
        Some(Standing::Booked { .. } | Standing::Rejected { .. }) => 1,
        Some(Standing::Cancelled | Standing::Dispatched) => 2,
        Some(Standing::Delivered) => 3,
    }
}
