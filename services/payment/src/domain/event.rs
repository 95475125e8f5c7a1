use contracts::tradewind::payment::v1::{
    Mismatch, PaymentCaptured, PaymentDeclined, PaymentRefundRequested, PaymentRefunded, PaymentRequested,
    PaymentVoidRequested, PaymentVoided,
};

tradewind_domain::events! {
    /// What can happen to a payment.
    pub enum PaymentEvent {
        Requested(PaymentRequested),
        Captured(PaymentCaptured),
        Declined(PaymentDeclined),
        VoidRequested(PaymentVoidRequested),
        Voided(PaymentVoided),
        RefundRequested(PaymentRefundRequested),
        Refunded(PaymentRefunded),
    }
}

/// Why a payment is declined where the provider says that it captured nothing, or less than that.
pub const PROVIDER_MISMATCH: &str = "PROVIDER_MISMATCH";

impl PaymentEvent {
    /// In what the provider's answer that it records is not what was asked for.
    #[must_use]
    pub fn mismatch(&self) -> Mismatch {
        match self {
            Self::Captured(event) => event.mismatch(),
            Self::Refunded(event) => event.mismatch(),
            // Where something was taken, it is its capture that records it.
            Self::Declined(event) if event.reason == PROVIDER_MISMATCH && event.mismatch == 0 => Mismatch::Amount,
            _ => Mismatch::Unspecified,
        }
    }
}
