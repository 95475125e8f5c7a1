//! What this context asks of a card provider; the provider itself is elsewhere.

use contracts::tradewind::money::v1::Money as ContractMoney;
use tradewind_domain::{Money, Reason, Reference};
pub use tradewind_runtime::outside::NoAnswer;

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
    fn refund(&self, refund: &Refund) -> impl Future<Output = Result<Receipt, NoAnswer>> + Send;
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
    /// What to give back: what was taken, in whichever currency that was.
    pub amount: ContractMoney,
}

/// What has become of a charge, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeAnswer {
    /// Money is taken.
    Captured(Receipt),
    /// Nothing is taken.
    Declined {
        /// The provider's reason.
        reason: Reason,
    },
    /// Nothing is taken, and no charge can succeed any more.
    Voided,
}

/// What the provider says that it took or gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How much; its currency is three capital letters, but perhaps none that there is.
    pub amount: ContractMoney,
    /// What the provider calls it; none where it says nothing that can be kept.
    pub id: Option<Reference>,
}
