use contracts::tradewind::{ordering::v1::Recipient, shipping::v1::ParcelItem};
use tradewind_domain::{Reason, Reference};

/// What a shipment can be asked to do: by its order, by the warehouse, and by what the carrier answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The order is paid: find a carrier.
    Book {
        /// Whose shipment it is, as its events carry it.
        order_id: String,
        /// Who receives it.
        recipient: Option<Recipient>,
        /// What is in it.
        items: Vec<ParcelItem>,
    },
    /// The order is confirmed: the parcel may leave.
    Clear,
    /// The customer wants a confirmed order cancelled: say whether that is still possible.
    RequestCancellation,
    /// Never ask a carrier.
    Refuse {
        /// Whose shipment it is, as its events carry it.
        order_id: String,
        /// Why.
        reason: String,
    },
    /// The order is cancelled: the parcel must not leave.
    Cancel {
        /// Whose shipment it is, as its events carry it.
        order_id: String,
    },
    /// The parcel leaves.
    Dispatch,
    /// The parcel has arrived.
    Deliver,
    /// The carrier will take it.
    RecordBooked {
        /// The carrier's number; none where it gave none that can be kept.
        tracking: Option<Reference>,
        /// Another order's parcel has the same number.
        is_anothers: bool,
    },
    /// The carrier will not take it.
    RecordRejected {
        /// The carrier's reason.
        reason: Reason,
    },
    /// The carrier carries nothing under this order's key, and will not.
    RecordCancelled,
}

impl Command {
    /// The command's name, for messages to the operator.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Book { .. } => "Book",
            Self::Clear => "Clear",
            Self::RequestCancellation => "RequestCancellation",
            Self::Refuse { .. } => "Refuse",
            Self::Cancel { .. } => "Cancel",
            Self::Dispatch => "Dispatch",
            Self::Deliver => "Deliver",
            Self::RecordBooked { .. } => "RecordBooked",
            Self::RecordRejected { .. } => "RecordRejected",
            Self::RecordCancelled => "RecordCancelled",
        }
    }
}
