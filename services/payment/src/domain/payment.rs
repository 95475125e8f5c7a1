use contracts::tradewind::{
    money::v1::Money as ContractMoney,
    payment::v1::{
        Mismatch, PaymentCaptured, PaymentDeclined, PaymentRefundRequested, PaymentRefunded, PaymentRequested,
        PaymentStatus, PaymentVoidRequested, PaymentVoided,
    },
};
use tradewind_domain::{Aggregate, Money};

use super::{Command, Moved, PROVIDER_MISMATCH, PaymentError, PaymentEvent, Token};

type Decision = Result<Vec<PaymentEvent>, PaymentError>;

const NOTHING: Decision = Ok(Vec::new());

/// The payment of one order.
///
/// ```text
/// PENDING ─▶ CAPTURED ─▶ REFUNDING ─▶ REFUNDED
///    │ └───▶ DECLINED        ▲
///    ▼          ▲            │ captured after all, or not what was asked for
/// VOIDING ──────┴────────────┤
///    └────▶ VOIDED
/// ```
///
/// What is recorded and given back is what the provider says it took, whatever it was asked for.
/// What is given back before it was asked for is VOIDED, and what is refused then DECLINED, at once.
///
/// The card token is not part of the state: it is needed for the charge alone, which takes it from the event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payment {
    pub(crate) order_id: String,
    pub(crate) status: PaymentStatus,
    /// What was asked for.
    pub(crate) amount: Option<ContractMoney>,
    /// What was taken.
    pub(crate) captured: Option<ContractMoney>,
    pub(crate) charge_id: String,
    pub(crate) refund_id: String,
    pub(crate) decline_reason: String,
    /// Its number: a later build may have written one that this one has no name for.
    pub(crate) mismatch: i32,
}

impl Payment {
    /// How the payment stands; `Unspecified` before it is asked for.
    #[must_use]
    pub const fn status(&self) -> PaymentStatus {
        self.status
    }

    fn charge(&self, order_id: String, amount: Money, token: &Token) -> Decision {
        if self.ended_unasked() {
            return NOTHING;
        }
        if amount.minor() <= 0 {
            return Err(PaymentError::AmountNotPositive);
        }
        let amount = Some(ContractMoney { currency: amount.currency().code().to_owned(), minor: amount.minor() });
        match self.status {
            PaymentStatus::Unspecified => {
                Ok(vec![PaymentRequested { order_id, amount, payment_token: token.expose().to_owned() }.into()])
            }
            _ if self.amount == amount => NOTHING,
            _ => Err(PaymentError::AnotherAmount),
        }
    }

    /// Given back or refused before it was asked for, so that what comes late changes nothing.
    fn ended_unasked(&self) -> bool {
        self.status != PaymentStatus::Unspecified && self.amount.is_none()
    }

    fn refuse(&self, order_id: String, reason: String) -> Decision {
        match self.status {
            PaymentStatus::Unspecified => Ok(vec![declined(order_id, reason, Mismatch::Unspecified)]),
            _ => NOTHING,
        }
    }

    fn give_back(&self, order_id: String) -> Decision {
        match self.status {
            // Remembered, so that the charge which is still to come is refused.
            PaymentStatus::Unspecified => Ok(vec![PaymentVoided { order_id }.into()]),
            PaymentStatus::Pending => Ok(vec![PaymentVoidRequested { order_id: self.order_id.clone() }.into()]),
            PaymentStatus::Captured => Ok(vec![self.refund_requested(self.captured.clone())]),
            // Never taken, or on its way back.
            PaymentStatus::Declined
            | PaymentStatus::Voiding
            | PaymentStatus::Voided
            | PaymentStatus::Refunding
            | PaymentStatus::Refunded => NOTHING,
        }
    }

    fn captured(&self, moved: &Moved, unexpected: PaymentError) -> Decision {
        let (amount, charge_id) = (Some(moved.amount.clone()), moved.id());
        match self.status {
            PaymentStatus::Pending | PaymentStatus::Voiding | PaymentStatus::Declined if moved.amount.minor <= 0 => {
                self.declined(PROVIDER_MISMATCH.to_owned(), unexpected)
            }
            PaymentStatus::Pending | PaymentStatus::Voiding => {
                let mismatch = moved.differs_from(self.amount.as_ref());
                let captured = PaymentCaptured {
                    order_id: self.order_id.clone(),
                    amount: amount.clone(),
                    charge_id: charge_id.to_owned(),
                    mismatch: mismatch.into(),
                };
                let is_open = self.status == PaymentStatus::Pending;
                let is_kept = is_open && mismatch == Mismatch::Unspecified;
                // First, for an order of a build that knows of no mismatch would take the capture for its payment.
                let refused = (is_open && !is_kept)
                    .then(|| declined(self.order_id.clone(), PROVIDER_MISMATCH.to_owned(), mismatch));
                let refund = (!is_kept).then(|| self.refund_requested(amount));
                Ok(refused.into_iter().chain([captured.into()]).chain(refund).collect())
            }
            PaymentStatus::Captured | PaymentStatus::Refunding | PaymentStatus::Refunded
                if self.charge_id == charge_id && self.captured == amount =>
            {
                NOTHING
            }
            _ => Err(unexpected),
        }
    }

    fn declined(&self, reason: String, unexpected: PaymentError) -> Decision {
        match self.status {
            PaymentStatus::Pending | PaymentStatus::Voiding => {
                Ok(vec![declined(self.order_id.clone(), reason, Mismatch::Unspecified)])
            }
            PaymentStatus::Declined => NOTHING,
            _ => Err(unexpected),
        }
    }

    fn voided(&self, unexpected: PaymentError) -> Decision {
        match self.status {
            PaymentStatus::Voiding => Ok(vec![PaymentVoided { order_id: self.order_id.clone() }.into()]),
            PaymentStatus::Voided => NOTHING,
            _ => Err(unexpected),
        }
    }

    fn refunded(&self, moved: &Moved, unexpected: PaymentError) -> Decision {
        match self.status {
            // Where nothing came back, it is still owed.
            PaymentStatus::Refunding if moved.amount.minor > 0 => Ok(vec![
                PaymentRefunded {
                    order_id: self.order_id.clone(),
                    amount: Some(moved.amount.clone()),
                    refund_id: moved.id().to_owned(),
                    mismatch: moved.differs_from(self.captured.as_ref()).into(),
                }
                .into(),
            ]),
            PaymentStatus::Refunded if self.refund_id == moved.id() => NOTHING,
            _ => Err(unexpected),
        }
    }

    fn refund_requested(&self, amount: Option<ContractMoney>) -> PaymentEvent {
        PaymentRefundRequested { order_id: self.order_id.clone(), amount }.into()
    }
}

fn declined(order_id: String, reason: String, mismatch: Mismatch) -> PaymentEvent {
    PaymentDeclined { order_id, reason, mismatch: mismatch.into() }.into()
}

impl Aggregate for Payment {
    const NAME: &'static str = "payment";
    type Command = Command;
    type Event = PaymentEvent;
    type Error = PaymentError;

    fn decide(&self, command: Command) -> Decision {
        let unexpected = PaymentError::Unexpected { command: command.name(), status: self.status };
        match command {
            Command::Charge { order_id, amount, token } => self.charge(order_id, amount, &token),
            Command::Refuse { order_id, reason } => self.refuse(order_id, reason),
            Command::GiveBack { order_id } => self.give_back(order_id),
            Command::RecordCaptured(moved) => self.captured(&moved, unexpected),
            Command::RecordDeclined { reason } => self.declined(reason.into(), unexpected),
            Command::RecordVoided => self.voided(unexpected),
            Command::RecordRefunded(moved) => self.refunded(&moved, unexpected),
        }
    }

    fn evolve(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::Requested(event) => {
                self.order_id.clone_from(&event.order_id);
                self.amount.clone_from(&event.amount);
                self.status = PaymentStatus::Pending;
            }
            PaymentEvent::Captured(event) => {
                self.charge_id.clone_from(&event.charge_id);
                self.captured.clone_from(&event.amount);
                self.mismatch = event.mismatch;
                self.status = PaymentStatus::Captured;
            }
            // The capture that follows says what became of it.
            PaymentEvent::Declined(event) if event.mismatch != 0 => {}
            PaymentEvent::Declined(event) => {
                self.order_id.clone_from(&event.order_id);
                self.decline_reason.clone_from(&event.reason);
                self.status = PaymentStatus::Declined;
            }
            PaymentEvent::VoidRequested(_) => self.status = PaymentStatus::Voiding,
            PaymentEvent::Voided(event) => {
                self.order_id.clone_from(&event.order_id);
                self.status = PaymentStatus::Voided;
            }
            PaymentEvent::RefundRequested(_) => self.status = PaymentStatus::Refunding,
            PaymentEvent::Refunded(event) => {
                self.refund_id.clone_from(&event.refund_id);
                if event.mismatch != 0 {
                    self.mismatch = event.mismatch;
                }
                self.status = PaymentStatus::Refunded;
            }
        }
    }
}
