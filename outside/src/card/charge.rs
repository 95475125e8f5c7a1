//! A charge as it stands.

use super::wire::{ChargeView, DeclineReason};

#[derive(Clone)]
pub(super) enum Status {
    Undecided { attempts: u32 },
    Captured { charge_id: String, refunded_minor: i64, short_refund: bool },
    Declined { reason: DeclineReason },
    Voided,
}

pub(super) struct Charge {
    pub(super) order_id: String,
    /// What was asked for, or what was taken.
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    /// None where only a void was seen.
    pub(super) digest: Option<String>,
    pub(super) status: Status,
}

impl Charge {
    pub(super) fn view(&self) -> Option<ChargeView> {
        match &self.status {
            Status::Undecided { .. } => None,
            Status::Captured { charge_id, .. } => Some(ChargeView::Captured {
                charge_id: charge_id.clone(),
                amount_minor: self.amount_minor,
                currency: self.currency.clone(),
            }),
            Status::Declined { reason } => Some(ChargeView::declined(*reason)),
            Status::Voided => Some(ChargeView::Voided),
        }
    }
}
