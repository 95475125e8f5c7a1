use contracts::tradewind::payment::v1::{
    PaymentCaptured, PaymentDeclined, PaymentRefundRequested, PaymentRefunded, PaymentRequested, PaymentVoidRequested,
    PaymentVoided,
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
