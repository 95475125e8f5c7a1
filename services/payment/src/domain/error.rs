use contracts::tradewind::payment::v1::PaymentStatus;
use tradewind_domain::{DomainError, ErrorKind};

/// Why a payment refuses a command. None of these happens while every party keeps its promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// There is nothing to charge.
    #[error("the amount must be greater than 0")]
    AmountNotPositive,
    /// The order asks for another amount than it did before.
    #[error("another amount was already requested for this order")]
    AnotherAmount,
    /// The provider answers what was never asked, or contradicts an earlier answer. Needs a person.
    #[error("{command} makes no sense for a payment that is {}", .status.as_str_name())]
    Unexpected {
        /// What the answer amounts to.
        command: &'static str,
        /// How the payment stands.
        status: PaymentStatus,
    },
}

impl DomainError for PaymentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AmountNotPositive => ErrorKind::Invalid,
            Self::AnotherAmount => ErrorKind::AlreadyExists,
            Self::Unexpected { .. } => ErrorKind::Rejected,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AmountNotPositive => "AMOUNT_NOT_POSITIVE",
            Self::AnotherAmount => "PAYMENT_ALREADY_REQUESTED",
            Self::Unexpected { .. } => "UNEXPECTED_ANSWER",
        }
    }
}
