use tradewind_domain::{Money, Reason};

use super::{Moved, Token};

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
    /// Never take it.
    Refuse {
        /// Whose payment it is, as its events carry it.
        order_id: String,
        /// Why.
        reason: String,
    },
    /// Take nothing, or give back what was taken.
    GiveBack {
        /// Whose payment it is, as its events carry it.
        order_id: String,
    },
    /// The provider took money: this, whatever it was asked for.
    RecordCaptured(Moved),
    /// The provider refused.
    RecordDeclined {
        /// The provider's reason.
        reason: Reason,
    },
    /// The provider took nothing, and will not under this order's key.
    RecordVoided,
    /// The provider gave money back: this, whatever it was asked for.
    RecordRefunded(Moved),
}

impl Command {
    /// The command's name, for messages to the operator.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Charge { .. } => "Charge",
            Self::Refuse { .. } => "Refuse",
            Self::GiveBack { .. } => "GiveBack",
            Self::RecordCaptured(_) => "RecordCaptured",
            Self::RecordDeclined { .. } => "RecordDeclined",
            Self::RecordVoided => "RecordVoided",
            Self::RecordRefunded(_) => "RecordRefunded",
        }
    }
}
