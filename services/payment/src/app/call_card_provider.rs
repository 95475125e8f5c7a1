use std::time::Instant;

use contracts::tradewind::payment::v1::Mismatch;
use tradewind_domain::{Error, Reason};
use tradewind_runtime::outside::{Calls, Mismatches};
use tradewind_store::Tx;
use tradewind_work::{Intent, IntentHandler, Unknown};

use super::{
    CardProvider, ChargeAnswer, NoAnswer, Receipt,
    intents::{CARD, Owed, execute, owed},
};
use crate::domain::{Command, Moved};

pub(super) static CALLS: Calls = Calls::new("tradewind_payment_provider", "the card provider");

/// Makes the calls that are owed to the card provider and records what they come to.
///
/// Only an answer settles anything. Everything else, a refusal of the request by the provider included, leaves the intent where
/// it is, and it is called again under the same key: that money was not taken is for the provider to say.
pub struct CallCardProvider<P> {
    provider: P,
    mismatches: Mismatches,
}

impl<P: CardProvider> CallCardProvider<P> {
    /// Calls `provider`.
    pub fn new(provider: P) -> Self {
        Self { provider, mismatches: Mismatches::of("card provider") }
    }

    async fn charge(&self, charge: &super::Charge) -> Result<Command, NoAnswer> {
        match self.provider.charge(charge).await? {
            ChargeAnswer::Captured(receipt) => Ok(Command::RecordCaptured(receipt.into())),
            ChargeAnswer::Declined { reason } => Ok(Command::RecordDeclined { reason }),
            // Somebody voided a charge that this context still wants. Where that was a later void of this context's own, the
            // intent has been replaced and nothing settled here would count. Otherwise (a record restored from a backup, a
            // void by hand) nobody has decided that the order ends: its deadline will, and the void asked for then gets the
            // same answer, which settles.
            ChargeAnswer::Voided => Err(NoAnswer::Refused(Reason::told("CHARGE_VOIDED"))),
        }
    }

    async fn void(&self, order_id: &str) -> Result<Command, NoAnswer> {
        self.provider.void(order_id).await.map(|answer| match answer {
            ChargeAnswer::Captured(receipt) => Command::RecordCaptured(receipt.into()),
            ChargeAnswer::Declined { reason } => Command::RecordDeclined { reason },
            ChargeAnswer::Voided => Command::RecordVoided,
        })
    }

    async fn refund(&self, refund: &super::Refund) -> Result<Command, NoAnswer> {
        Ok(Command::RecordRefunded(self.provider.refund(refund).await?.into()))
    }
}

impl<P: CardProvider> IntentHandler for CallCardProvider<P> {
    const KIND: &'static str = CARD;
    /// What the answer asks of the payment.
    type Outcome = Command;

    async fn call(&self, intent: &Intent) -> Result<Command, Unknown> {
        let owed = owed(&intent.action, &intent.payload).map_err(|defect| {
            tracing::error!(order_id = intent.key, action = intent.action, %defect, "unreadable intent");
            Unknown(defect.to_string())
        })?;
        let began = Instant::now();
        let (action, answer) = match &owed {
            Owed::Charge(charge) => ("charge", self.charge(charge).await),
            Owed::Void { order_id } => ("void", self.void(order_id).await),
            Owed::Refund(refund) => ("refund", self.refund(refund).await),
        };
        CALLS.count(action, result_of(&answer), began.elapsed());
        answer.map_err(|cause| {
            // What is merely unknown is logged by the engine, which asks again.
            if !matches!(cause, NoAnswer::Unknown(_)) {
                let (order_id, attempt) = (&intent.key, intent.attempt);
                tracing::error!(order_id, action, attempt, %cause, "the card provider gives no answer; asking again");
            }
            Unknown(cause.to_string())
        })
    }

    async fn settle(&self, tx: &mut Tx, intent: &Intent, outcome: &Command) -> Result<(), Error> {
        let order_id = &intent.key;
        let mut command = outcome.clone();
        if let Some((kind, Moved { id: Some(id), .. })) = moved(outcome) {
            let is_own = tx.claim_reference(kind, id.as_str(), order_id).await?;
            if let Command::RecordCaptured(moved) | Command::RecordRefunded(moved) = &mut command {
                moved.is_anothers = !is_own;
            }
        }
        for event in execute(tx, order_id, command).await? {
            match event.mismatch() {
                Mismatch::Unspecified => {}
                differs => self.mismatches.tell(tx, order_id, &intent.action, differs.as_str_name()),
            }
        }
        Ok(())
    }
}

/// What the provider did, where it did anything, and the kind of its name for that: it may have called what it did for another
/// order the same.
const fn moved(outcome: &Command) -> Option<(&'static str, &Moved)> {
    match outcome {
        Command::RecordCaptured(moved) => Some(("charge", moved)),
        Command::RecordRefunded(moved) => Some(("refund", moved)),
        _ => None,
    }
}

impl From<Receipt> for Moved {
    fn from(Receipt { amount, id }: Receipt) -> Self {
        Self { amount, id, is_anothers: false }
    }
}

const fn result_of(answer: &Result<Command, NoAnswer>) -> &'static str {
    match answer {
        Ok(Command::RecordCaptured(_)) => "captured",
        Ok(Command::RecordDeclined { .. }) => "declined",
        Ok(Command::RecordVoided) => "voided",
        Ok(Command::RecordRefunded(_)) => "refunded",
        // No answer asks for these.
        Ok(Command::Charge { .. } | Command::Refuse { .. } | Command::GiveBack { .. }) => "none",
        Err(NoAnswer::Unknown(_)) => "unknown",
        Err(NoAnswer::Unreadable(_)) => "unreadable",
        Err(NoAnswer::Refused(_)) => "refused",
    }
}
