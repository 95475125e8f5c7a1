//! The card provider and the carrier: each remembers what it decided under a key and says the same again. They are
//! called through the services' own seams.

use std::sync::{Arc, Mutex, PoisonError};

use payment::app::{CardProvider, Charge, ChargeAnswer, Refund, RefundAnswer};
use shipping::app::{Booking, Carrier, NoAnswer, Standing};

/// What the outside says where it is free to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verdict {
    /// The money is taken, the parcel will be.
    Accept,
    /// It is not.
    Refuse,
}

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
            Verdict::Accept => {
                record.captured += charge.amount.minor();
                ChargeAnswer::Captured { charge_id: "ch_1".to_owned() }
            }
            Verdict::Refuse => ChargeAnswer::Declined { reason: "CARD_DECLINED".to_owned() },
        }))
    }

    async fn void(&self, _: &str) -> Result<ChargeAnswer, NoAnswer> {
        Ok(self.decide(|_| ChargeAnswer::Voided))
    }

    async fn refund(&self, refund: &Refund) -> Result<RefundAnswer, NoAnswer> {
        let record = self.record();
        if record.refunded == 0 {
            if refund.amount.minor() > record.captured {
                return Err(NoAnswer::Refused("EXCEEDS_CAPTURED".to_owned()));
            }
            self.write(CardRecord { refunded: refund.amount.minor(), ..record });
        }
        Ok(RefundAnswer { refund_id: "re_1".to_owned() })
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
        let booked = Standing::Booked { tracking: "TW1".to_owned() };
        Ok(match (self.record(), self.verdict) {
            (Some(Standing::Dispatched | Standing::Delivered), _) => booked,
            (Some(known), _) => known,
            (None, Verdict::Accept) => self.decided(booked),
            (None, Verdict::Refuse) => self.decided(Standing::Rejected { reason: "UNDELIVERABLE_ADDRESS".to_owned() }),
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
            _ => Err(NoAnswer::Refused("NOT_BOOKED".to_owned())),
        }
    }

    async fn deliver(&self, _: &str) -> Result<Standing, NoAnswer> {
        match self.record() {
            Some(Standing::Dispatched | Standing::Delivered) => Ok(self.decided(Standing::Delivered)),
            _ => Err(NoAnswer::Refused("NOT_DISPATCHED".to_owned())),
        }
    }
}

impl CardRecord {
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
