//! What this context asks of a carrier; the carrier itself is elsewhere.

use contracts::tradewind::{ordering::v1::Recipient, shipping::v1::ParcelItem};
use tradewind_domain::{Reason, Reference};
pub use tradewind_runtime::outside::NoAnswer;

/// A party that takes parcels to people.
///
/// Each call may be made any number of times: the key under which the carrier knows a booking derives from the order's
/// id alone, and the same key always gets the same answer.
pub trait Carrier: Send + Sync + 'static {
    /// Has a parcel taken.
    fn book(&self, booking: &Booking) -> impl Future<Output = Result<Standing, NoAnswer>> + Send;

    /// Makes sure that nothing is carried for this order, be it booked already or not.
    fn cancel(&self, order_id: &str) -> impl Future<Output = Result<Standing, NoAnswer>> + Send;

    /// Tells that the parcel has left.
    fn dispatch(&self, order_id: &str) -> impl Future<Output = Result<Standing, NoAnswer>> + Send;

    /// Tells that the parcel, which has left, has arrived.
    fn deliver(&self, order_id: &str) -> impl Future<Output = Result<Standing, NoAnswer>> + Send;
}

/// A parcel to be taken. The recipient is never shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    /// The order it belongs to.
    pub order_id: String,
    /// Who receives it.
    pub recipient: Recipient,
    /// What is in it.
    pub items: Vec<ParcelItem>,
}

/// How a booking stands at the carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It will be taken.
    Booked {
        /// The carrier's number; none where it gives none that can be kept.
        tracking: Option<Reference>,
    },
    /// It will not be taken.
    Rejected {
        /// The carrier's reason.
        reason: Reason,
    },
    /// It is not carried, and nothing under this key can be any more.
    Cancelled,
    /// It has left.
    Dispatched,
    /// It has arrived.
    Delivered,
}
