use std::time::Instant;

use tradewind_domain::Error;
use tradewind_events::{Intent, IntentHandler, Tx, Unknown};
use tradewind_runtime::outside::Calls;

use super::{
    CardProvider, ChargeAnswer, NoAnswer, RefundAnswer,
    intents::{CARD, Owed, execute, owed},
};
use crate::domain::Command;

static CALLS: Calls = Calls::new("tradewind_payment_provider", "the card provider");

/// Makes the calls that are owed to the card provider and records what they come to.
///
/// Only an answer settles anything. Everything else, a refusal of the request by the provider included, leaves the intent where
/// it is, and it is called again under the same key: that money was not taken is for the provider to say.
pub struct CallCardProvider<P> {
    provider: P,
}

impl<P: CardProvider> CallCardProvider<P> {
    /// Calls `provider`.
    pub const fn new(provider: P) -> Self {
        Self { provider }
    }

    async fn charge(&self, charge: &super::Charge) -> Result<Command, NoAnswer> {
        match self.provider.charge(charge).await? {
            ChargeAnswer::Captured { charge_id } => Ok(Command::RecordCaptured { charge_id }),
            ChargeAnswer::Declined { reason } => Ok(Command::RecordDeclined { reason }),
            // Somebody voided a charge that this context still wants. Where that was a later void of this context's own, the
            // intent has been replaced and nothing settled here would count. Otherwise (a record restored from a backup, a
            // void by hand) nobody has decided that the order ends: its deadline will, and the void asked for then gets the
            // same answer, which settles.
            ChargeAnswer::Voided => Err(NoAnswer::Refused("CHARGE_VOIDED".to_owned())),
        }
    }

    async fn void(&self, order_id: &str) -> Result<Command, NoAnswer> {
        self.provider.void(order_id).await.map(|answer| match answer {
            ChargeAnswer::Captured { charge_id } => Command::RecordCaptured { charge_id },
            ChargeAnswer::Declined { reason } => Command::RecordDeclined { reason },
            ChargeAnswer::Voided => Command::RecordVoided,
        })
    }

    async fn refund(&self, refund: &super::Refund) -> Result<Command, NoAnswer> {
        let RefundAnswer { refund_id } = self.provider.refund(refund).await?;
        Ok(Command::RecordRefunded { refund_id })
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
            if let NoAnswer::Refused(reason) = &cause {
                let (order_id, attempt) = (&intent.key, intent.attempt);
                tracing::error!(order_id, action, attempt, reason, "the card provider refuses; asking again");
            }
            Unknown(cause.to_string())
        })
    }

    async fn settle(&self, tx: &mut Tx, intent: &Intent, outcome: &Command) -> Result<(), Error> {
        execute(tx, &intent.key, outcome.clone()).await
    }
}

const fn result_of(answer: &Result<Command, NoAnswer>) -> &'static str {
    match answer {
        Ok(Command::RecordCaptured { .. }) => "captured",
        Ok(Command::RecordDeclined { .. }) => "declined",
        Ok(Command::RecordVoided) => "voided",
        Ok(Command::RecordRefunded { .. }) => "refunded",
        // No answer asks for these.
        Ok(Command::Charge { .. } | Command::GiveBack) => "none",
        Err(NoAnswer::Unknown(_)) => "unknown",
        Err(NoAnswer::Refused(_)) => "refused",
    }
}
