//! The calls that are owed to a party, and how far they are. They are made by the services' own handlers.

use futures::FutureExt;
use payment::app::CallCardProvider;
use shipping::app::{CallCarrier, Reply};
use tradewind_domain::Error;
use tradewind_store::Metadata;
use tradewind_work::{Intent, IntentHandler, NewIntent};

use crate::outside::{CardRecord, CarrierRecord, Outside, Verdict};

/// What was asked of a party for one order, what it has decided, and what of that was heard.
///
/// A request that was written once may be under way for ever: its call may have timed out here, and arrive there at any
/// later time, any number of times. So none is forgotten, and each may arrive until the end.
#[derive(Clone, Debug)]
pub(crate) struct Calls<R, A> {
    asked: Vec<NewIntent>,
    /// The last one waits for its answer.
    open: bool,
    /// The answer to the open one, in the memory of the process that called.
    in_hand: Option<A>,
    /// What the party has decided.
    pub(crate) record: R,
}

impl<R: Default, A> Default for Calls<R, A> {
    fn default() -> Self {
        Self { asked: Vec::new(), open: false, in_hand: None, record: R::default() }
    }
}

impl<R: Clone + PartialEq, A> Calls<R, A> {
    /// Writes an intent, which replaces the open one; what comes of that is dropped.
    pub(crate) fn write(&mut self, intent: NewIntent) {
        self.asked.push(intent);
        self.open = true;
        self.in_hand = None;
    }

    /// All that was ever asked.
    pub(crate) fn asked(&self) -> &[NewIntent] {
        &self.asked
    }

    /// The intent that waits for its answer.
    pub(crate) fn open(&self) -> Option<&NewIntent> {
        self.asked.last().filter(|_| self.open)
    }

    /// Lets a request arrive, and the service hear the answer if it still waits for it; `false` when nothing changes.
    pub(crate) fn arrive(
        &mut self,
        request: usize,
        heard: bool,
        call: impl FnOnce(R, &NewIntent) -> (R, Option<A>),
    ) -> bool {
        let (record, answer) = call(self.record.clone(), &self.asked[request]);
        let decides = record != self.record;
        self.record = record;
        if !heard {
            return decides;
        }
        let waits = self.open && request + 1 == self.asked.len() && self.in_hand.is_none();
        self.in_hand = self.in_hand.take().or(answer.filter(|_| waits));
        waits && self.in_hand.is_some()
    }

    /// Closes the request whose answer is in hand.
    pub(crate) fn close(&mut self) -> Option<(NewIntent, A)> {
        let answered = self.open().cloned().zip(self.in_hand.take())?;
        self.open = false;
        Some(answered)
    }

    /// Loses the answer in hand; `false` when there is none.
    pub(crate) fn crash(&mut self) -> bool {
        self.in_hand.take().is_some()
    }

    /// How far the requests are; another one counts for more than an answer to the one before.
    pub(crate) fn progress(&self) -> usize {
        let answered = match (self.open, &self.in_hand) {
            (true, None) => 0,
            (true, Some(_)) => 1,
            (false, _) => 2,
        };
        3 * self.asked.len() + answered
    }
}

/// Tells whether the party is free to refuse what is asked; all else undoes something, or tells what was decided here.
pub(crate) fn is_forward(intent: &NewIntent) -> bool {
    matches!(intent.action.as_str(), "charge" | "book")
}

/// What the provider knows after the call, and what its answer asks of the payment, if it gives one.
pub(crate) fn call_card(
    record: CardRecord,
    intent: &NewIntent,
    verdict: Verdict,
) -> (CardRecord, Option<payment::domain::Command>) {
    let provider = Outside::new(record, verdict);
    let answer = CallCardProvider::new(provider.clone()).call(&claimed(intent)).now_or_never();
    (provider.record(), answer.and_then(Result::ok))
}

/// What the carrier knows after the call, and its answer, if it gives one.
pub(crate) fn call_carrier(
    record: CarrierRecord,
    intent: &NewIntent,
    verdict: Verdict,
) -> (CarrierRecord, Option<Reply>) {
    let carrier = Outside::new(record, verdict);
    let answer = CallCarrier::new(carrier.clone()).call(&claimed(intent)).now_or_never();
    (carrier.record(), answer.and_then(Result::ok))
}

/// What the carrier's answer to `intent` asks of the shipment.
pub(crate) fn settled_by(outcome: &Reply, intent: &NewIntent) -> Result<Option<shipping::domain::Command>, Error> {
    outcome.settles(&claimed(intent))
}

/// The intent as a worker sees it.
fn claimed(intent: &NewIntent) -> Intent {
    let NewIntent { key, action, payload, .. } = intent.clone();
    Intent { key, action, payload, generation: 0, attempt: 0, cause: Metadata::default() }
}
