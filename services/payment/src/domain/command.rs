use tradewind_domain::Money;

use super::Token;

/// What a payment can be asked to do: by its order, and by what the card provider answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take the money.
    Charge {
        /// Whose payment it is, as its events carry it.
        order_id: String,
        /// What to take.
        amount: Money,
        /// From which card.
        token: Token,
    },
    /// Take nothing, or give back what was taken.
    GiveBack,
    /// The provider took the money.
    RecordCaptured {
        /// The provider's id of the charge.
        charge_id: String,
    },
    /// The provider refused.
    RecordDeclined {
        /// The provider's reason.
        reason: String,
    },
    /// The provider took nothing, and will not under this order's key.
    RecordVoided,
    /// The provider gave the money back.
    RecordRefunded {
        /// The provider's id of the refund.
        refund_id: String,
    },
}

impl Command {
    /// The command's name, for messages to the operator.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Charge { .. } => "Charge",
            Self::GiveBack => "GiveBack",
            Self::RecordCaptured { .. } => "RecordCaptured",
            Self::RecordDeclined { .. } => "RecordDeclined",
            Self::RecordVoided => "RecordVoided",
            Self::RecordRefunded { .. } => "RecordRefunded",
        }
    }
}
