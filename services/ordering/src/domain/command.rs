use contracts::tradewind::{
    money::v1::Money as ContractMoney,
    ordering::v1::{Recipient, ShortLine},
};
use prost_types::Timestamp;
use tradewind_domain::{Money, Sensitive};

use super::Line;

/// What an order can be asked to do: by the customer, by its deadline, and by the replies of those it asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Accept the order.
    Place(Box<Place>),
    /// Inventory has set every unit aside.
    ConfirmStock,
    /// Inventory is short of these lines and has set nothing aside.
    RejectStock {
        /// Every line that is short.
        short_lines: Vec<ShortLine>,
        /// Why, where no line is short.
        reason: String,
    },
    /// Inventory has given the units back to its stock.
    RecordRelease,
    /// The money is taken.
    RecordPayment,
    /// Something else was taken than was asked for, and is being paid back.
    RefusePayment,
    /// The card provider refused; nothing is taken.
    DeclinePayment {
        /// The provider's reason.
        reason: String,
    },
    /// Nothing is taken, and nothing can be any more.
    RecordVoid,
    /// The money is paid back.
    RecordRefund {
        /// What was paid back.
        amount: Option<ContractMoney>,
    },
    /// The carrier will take the parcel.
    ConfirmShipment {
        /// The carrier's number.
        tracking: String,
    },
    /// The carrier will not take it.
    RejectShipment {
        /// The carrier's reason.
        reason: String,
    },
    /// Nothing is booked, and nothing can be any more.
    RecordShipmentCancelled,
    /// Shipping cannot cancel: the parcel has left.
    RefuseCancellation,
    /// The parcel has left.
    Ship {
        /// The carrier's number.
        tracking: String,
    },
    /// The parcel has arrived.
    Deliver,
    /// The customer wants it no more.
    Cancel,
    /// Its deadline has passed.
    Expire,
    /// Whose it was is to be forgotten, once it is settled.
    Erase,
}

/// Everything an order is placed with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The order's id, as its events carry it.
    pub order_id: String,
    /// Whose order it is.
    pub customer_id: String,
    /// Who receives it.
    pub recipient: Recipient,
    /// What is ordered at which price, one line a product.
    pub lines: Vec<Line>,
    /// What the customer believes it costs, if the customer said so.
    pub expected_total: Option<Money>,
    /// What the card provider gave the client for its card.
    pub payment_token: Sensitive<String>,
    /// When it is cancelled unless it is confirmed.
    pub deadline: Timestamp,
}

impl Command {
    /// The command's name, for messages to the operator.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Place(_) => "Place",
            Self::ConfirmStock => "ConfirmStock",
            Self::RejectStock { .. } => "RejectStock",
            Self::RecordRelease => "RecordRelease",
            Self::RecordPayment => "RecordPayment",
            Self::RefusePayment => "RefusePayment",
            Self::DeclinePayment { .. } => "DeclinePayment",
            Self::RecordVoid => "RecordVoid",
            Self::RecordRefund { .. } => "RecordRefund",
            Self::ConfirmShipment { .. } => "ConfirmShipment",
            Self::RejectShipment { .. } => "RejectShipment",
            Self::RecordShipmentCancelled => "RecordShipmentCancelled",
            Self::RefuseCancellation => "RefuseCancellation",
            Self::Ship { .. } => "Ship",
            Self::Deliver => "Deliver",
            Self::Cancel => "Cancel",
            Self::Expire => "Expire",
            Self::Erase => "Erase",
        }
    }
}
