use std::time::Instant;

use contracts::tradewind::shipping::v1::Mismatch;
use tradewind_domain::{Error, ErrorKind, Reason};
use tradewind_runtime::outside::{Calls, Mismatches};
use tradewind_store::Tx;
use tradewind_work::{Intent, IntentHandler, Unknown};

use super::{
    Carrier, NoAnswer, Standing,
    intents::{CARRIER, Owed, execute, owed},
};
use crate::domain::{Command, ShipmentEvent};

static CALLS: Calls = Calls::new("tradewind_shipping_carrier", "the carrier");

/// Makes the calls that are owed to the carrier and records what they come to.
///
/// What cannot settle a call, a refusal of the request or an answer that contradicts what the shipment knows, sounds the
/// alarm and leaves the intent where it is: it is made again, slowly, under the same key, until somebody has helped.
pub struct CallCarrier<C> {
    carrier: C,
    mismatches: Mismatches,
}

/// What came back from the carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// How the booking stands.
    Answered(Standing),
    /// The carrier will not take the request as it is, for this reason.
    Refused(Reason),
}

impl<C: Carrier> CallCarrier<C> {
    /// Calls `carrier`.
    pub fn new(carrier: C) -> Self {
        Self { carrier, mismatches: Mismatches::of("carrier") }
    }

    async fn make(&self, order_id: &str, call: &Owed) -> Result<Standing, NoAnswer> {
        match call {
            Owed::Book(booking) => self.carrier.book(booking).await,
            Owed::Cancel => self.carrier.cancel(order_id).await,
            Owed::Dispatch => self.carrier.dispatch(order_id).await,
            Owed::Deliver => {
                // The delivery may have replaced a dispatch that the carrier has not heard of.
                self.carrier.dispatch(order_id).await?;
                self.carrier.deliver(order_id).await
            }
        }
    }
}

impl<C: Carrier> IntentHandler for CallCarrier<C> {
    const KIND: &'static str = CARRIER;
    type Outcome = Reply;

    async fn call(&self, intent: &Intent) -> Result<Reply, Unknown> {
        let call = owed(&intent.action, &intent.payload).map_err(|defect| {
            tracing::error!(order_id = intent.key, action = intent.action, %defect, "unreadable intent");
            Unknown(defect.to_string())
        })?;
        let began = Instant::now();
        let answer = self.make(&intent.key, &call).await;
        CALLS.count(call.name(), result_of(&answer), began.elapsed());
        match answer {
            Ok(standing) => Ok(Reply::Answered(standing)),
            Err(NoAnswer::Refused(reason)) => Ok(Reply::Refused(reason)),
            Err(NoAnswer::Unreadable(cause)) => {
                tracing::error!(order_id = intent.key, action = call.name(), cause, "the carrier gives no answer");
                Err(Unknown(cause.to_owned()))
            }
            Err(NoAnswer::Unknown(cause)) => Err(Unknown(cause)),
        }
    }

    async fn settle(&self, tx: &mut Tx, intent: &Intent, outcome: &Reply) -> Result<(), Error> {
        let order_id = &intent.key;
        let Some(mut command) = outcome.settles(intent)? else { return Ok(()) };
        if let Command::RecordBooked { tracking: Some(tracking), is_anothers } = &mut command {
            *is_anothers = !tx.claim_reference("tracking", tracking.as_str(), order_id).await?;
        }
        for event in execute(tx, order_id, command).await? {
            match event {
                ShipmentEvent::CancellationRequested(event) if event.mismatch() != Mismatch::Unspecified => {
                    self.mismatches.tell(tx, order_id, &intent.action, event.mismatch().as_str_name());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Reply {
    /// What it asks of the shipment as the end of `intent`; nothing where it only confirms what was decided here.
    ///
    /// # Errors
    /// `Rejected` with reason `CARRIER_REFUSED` or `UNEXPECTED_ANSWER` for what cannot be its end.
    pub fn settles(&self, intent: &Intent) -> Result<Option<Command>, Error> {
        match self {
            Self::Answered(standing) => owed(&intent.action, &intent.payload)?.settled_by(standing),
            Self::Refused(reason) => {
                let message = format!("the carrier refuses to {}: {reason}", intent.action);
                Err(Error::new(ErrorKind::Rejected, "CARRIER_REFUSED", message))
            }
        }
    }
}

impl Owed {
    /// What an answer asks of the shipment; nothing where it only confirms what was decided here.
    ///
    /// # Errors
    /// `Rejected` with reason `UNEXPECTED_ANSWER` for one that is none to this call.
    fn settled_by(&self, standing: &Standing) -> Result<Option<Command>, Error> {
        match (self, standing.clone()) {
            (Self::Book(_), Standing::Booked { tracking }) => {
                Ok(Some(Command::RecordBooked { tracking, is_anothers: false }))
            }
            (Self::Book(_) | Self::Cancel, Standing::Rejected { reason }) => {
                Ok(Some(Command::RecordRejected { reason }))
            }
            (Self::Cancel, Standing::Cancelled) => Ok(Some(Command::RecordCancelled)),
            (Self::Dispatch, Standing::Dispatched) | (Self::Deliver, Standing::Delivered) => Ok(None),
            // A parcel leaves by a decision made here, so the carrier cannot be ahead of it; and only a cancellation made
            // here, which would have replaced the booking, takes a booking back.
            (_, contradiction) => {
                let message = format!("the carrier answers {} to {}", contradiction.name(), self.name());
                Err(Error::new(ErrorKind::Rejected, "UNEXPECTED_ANSWER", message))
            }
        }
    }
}

impl Standing {
    const fn name(&self) -> &'static str {
        match self {
            Self::Booked { .. } => "booked",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled => "cancelled",
            Self::Dispatched => "dispatched",
            Self::Delivered => "delivered",
        }
    }
}

const fn result_of(answer: &Result<Standing, NoAnswer>) -> &'static str {
    match answer {
        Ok(standing) => standing.name(),
        Err(NoAnswer::Unknown(_)) => "unknown",
        Err(NoAnswer::Unreadable(_)) => "unreadable",
        Err(NoAnswer::Refused(_)) => "refused",
    }
}

#[cfg(test)]
mod tests {
    use tradewind_domain::Reference;

    use super::*;

    #[test]
    fn only_an_answer_to_the_call_settles_it() {
        let reason = |owed: &Owed, standing| owed.settled_by(&standing).map_err(|error| error.reason);
        let tracking = || Reference::read("TW1");
        assert_eq!(reason(&Owed::Cancel, Standing::Cancelled), Ok(Some(Command::RecordCancelled)));
        assert_eq!(reason(&Owed::Dispatch, Standing::Dispatched), Ok(None));
        assert_eq!(reason(&Owed::Deliver, Standing::Delivered), Ok(None));
        for standing in [Standing::Dispatched, Standing::Delivered, Standing::Booked { tracking: tracking() }] {
            assert_eq!(reason(&Owed::Cancel, standing), Err("UNEXPECTED_ANSWER"));
        }
        for standing in [Standing::Cancelled, Standing::Booked { tracking: tracking() }, Standing::Delivered] {
            assert_eq!(reason(&Owed::Dispatch, standing), Err("UNEXPECTED_ANSWER"));
        }
    }
}
