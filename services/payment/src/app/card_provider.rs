//! What this context asks of a card provider; the provider itself is elsewhere.

use tradewind_domain::Money;

use crate::domain::Token;

/// A party that takes money from cards and gives it back.
///
/// Each call may be made any number of times: the keys under which the provider knows a charge and a refund derive from the
/// order's id alone, and the same key always gets the same answer.
pub trait CardProvider: Send + Sync + 'static {
    /// Takes money.
    fn charge(&self, charge: &Charge) -> impl Future<Output = Result<ChargeAnswer, NoAnswer>> + Send;

    /// Makes sure that no charge of this order can succeed any more, unless it has already: then the answer says so.
    fn void(&self, order_id: &str) -> impl Future<Output = Result<ChargeAnswer, NoAnswer>> + Send;

    /// Gives back what was taken.
    fn refund(&self, refund: &Refund) -> impl Future<Output = Result<RefundAnswer, NoAnswer>> + Send;
}

/// A charge to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The order it pays.
    pub order_id: String,
    /// What to take.
    pub amount: Money,
    /// From which card.
    pub token: Token,
}

/// A refund to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The order that was paid.
    pub order_id: String,
    /// What to give back.
    pub amount: Money,
}

/// What has become of a charge, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeAnswer {
    /// The money is taken.
    Captured {
        /// The provider's id of the charge.
        charge_id: String,
    },
    /// Nothing is taken.
    Declined {
        /// The provider's reason.
        reason: String,
    },
    /// Nothing is taken, and no charge can succeed any more.
    Voided,
}

/// The money is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAnswer {
    /// The provider's id of the refund.
    pub refund_id: String,
}

/// Why a call settles nothing. Neither kind says what became of the money, so both are asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The provider was not reached, or did not answer, or was in no state to decide. Asking again helps.
    #[error("{0}")]
    Unknown(String),
    /// The provider will not take the request as it is: a defect on either side. Needs a person.
    #[error("refused with {reason}: {message}")]
    Refused {
        /// The provider's reason, or the status it answered with.
        reason: String,
        /// What the provider says about it.
        message: String,
    },
}
