use contracts::tradewind::{
    ordering::v1::Recipient,
    shipping::v1::{
        Mismatch, ParcelItem, ShipmentBooked, ShipmentCancellationRefused, ShipmentCancellationRequested,
        ShipmentCancelled, ShipmentCleared, ShipmentDelivered, ShipmentDispatched, ShipmentRejected, ShipmentRequested,
        ShipmentStatus,
    },
};
use tradewind_domain::{Aggregate, Reference};

use super::{Command, ShipmentError, ShipmentEvent};

type Decision = Result<Vec<ShipmentEvent>, ShipmentError>;

const NOTHING: Decision = Ok(Vec::new());

/// Why a shipment is rejected whose booking was no use.
const CARRIER_MISMATCH: &str = "CARRIER_MISMATCH";

/// The shipment of one order.
///
/// ```text
/// PENDING ─▶ BOOKED ─▶ CLEARED ─▶ DISPATCHED ─▶ DELIVERED
///   │ │        │          │
///   │ └────────┴──────────┴────▶ CANCELLING ─▶ CANCELLED
///   ▼                                │
/// REJECTED ◀─────────────────────────┘ never taken, or taken in a way that is no use
/// ```
///
/// Leaving CLEARED is the pivot of the whole order: one append decides between DISPATCHED and CANCELLING, whoever asks
/// first, and neither leads to the other.
///
/// The recipient is not part of the state: it is needed for the booking alone, which takes it from the event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shipment {
    pub(crate) order_id: String,
    pub(crate) status: ShipmentStatus,
    pub(crate) items: Vec<ParcelItem>,
    pub(crate) tracking: String,
    pub(crate) rejection_reason: String,
    /// In what the booking is no use, as its number, for a later build may have written one that this one has no name for; it is
    /// being taken back.
    pub(crate) mismatch: i32,
}

impl Shipment {
    /// How the shipment stands; `Unspecified` before it is asked for.
    #[must_use]
    pub const fn status(&self) -> ShipmentStatus {
        self.status
    }

    /// The carrier's number; empty before it is booked.
    #[must_use]
    pub fn tracking(&self) -> &str {
        &self.tracking
    }

    fn book(&self, order_id: String, recipient: Option<Recipient>, items: Vec<ParcelItem>) -> Decision {
        // Cancelled or refused before it was asked for: what comes late changes nothing.
        if self.status != ShipmentStatus::Unspecified && self.items.is_empty() {
            return NOTHING;
        }
        if recipient.is_none() {
            return Err(ShipmentError::RecipientMissing);
        }
        if items.is_empty() || items.iter().any(|item| item.quantity <= 0) {
            return Err(ShipmentError::NothingToShip);
        }
        match self.status {
            ShipmentStatus::Unspecified => Ok(vec![ShipmentRequested { order_id, recipient, items }.into()]),
            _ if self.items == items => NOTHING,
            _ => Err(ShipmentError::OtherContents),
        }
    }

    fn clear(&self, unexpected: ShipmentError) -> Decision {
        match self.status {
            ShipmentStatus::Booked => Ok(vec![ShipmentCleared { order_id: self.id() }.into()]),
            ShipmentStatus::Cleared
            | ShipmentStatus::Dispatched
            | ShipmentStatus::Delivered
            | ShipmentStatus::Cancelling
            | ShipmentStatus::Cancelled => NOTHING,
            // No order is confirmed without a booking.
            ShipmentStatus::Unspecified | ShipmentStatus::Pending | ShipmentStatus::Rejected => Err(unexpected),
        }
    }

    /// Answers every request: with a cancellation, or at once with its refusal.
    fn request_cancellation(&self, unexpected: ShipmentError) -> Decision {
        match self.status {
            ShipmentStatus::Pending | ShipmentStatus::Booked | ShipmentStatus::Cleared => {
                Ok(vec![self.cancellation_requested()])
            }
            ShipmentStatus::Dispatched | ShipmentStatus::Delivered => {
                Ok(vec![ShipmentCancellationRefused { order_id: self.id() }.into()])
            }
            // The answer is given or on its way.
            ShipmentStatus::Cancelling | ShipmentStatus::Cancelled => NOTHING,
            ShipmentStatus::Unspecified | ShipmentStatus::Rejected => Err(unexpected),
        }
    }

    fn refuse(&self, order_id: String, reason: String) -> Decision {
        match self.status {
            ShipmentStatus::Unspecified => Ok(vec![ShipmentRejected { order_id, reason }.into()]),
            _ => NOTHING,
        }
    }

    fn cancel(&self, order_id: String, unexpected: ShipmentError) -> Decision {
        match self.status {
            // Remembered, so that the booking which is still to come is refused.
            ShipmentStatus::Unspecified => Ok(vec![ShipmentCancelled { order_id }.into()]),
            ShipmentStatus::Pending | ShipmentStatus::Booked | ShipmentStatus::Cleared => {
                Ok(vec![self.cancellation_requested()])
            }
            // Never taken, or on its way back.
            ShipmentStatus::Rejected | ShipmentStatus::Cancelling | ShipmentStatus::Cancelled => NOTHING,
            // An order is not cancelled behind its shipment's back.
            ShipmentStatus::Dispatched | ShipmentStatus::Delivered => Err(unexpected),
        }
    }

    fn dispatch(&self) -> Decision {
        match self.status {
            ShipmentStatus::Cleared => {
                Ok(vec![ShipmentDispatched { order_id: self.id(), tracking: self.tracking.clone() }.into()])
            }
            ShipmentStatus::Dispatched | ShipmentStatus::Delivered => NOTHING,
            ShipmentStatus::Unspecified => Err(ShipmentError::NotFound),
            ShipmentStatus::Pending | ShipmentStatus::Booked => Err(ShipmentError::NotCleared),
            ShipmentStatus::Cancelling => Err(ShipmentError::BeingCancelled),
            ShipmentStatus::Cancelled => Err(ShipmentError::AlreadyCancelled),
            ShipmentStatus::Rejected => Err(ShipmentError::AlreadyRejected),
        }
    }

    fn deliver(&self) -> Decision {
        match self.status {
            ShipmentStatus::Dispatched => Ok(vec![ShipmentDelivered { order_id: self.id() }.into()]),
            ShipmentStatus::Delivered => NOTHING,
            ShipmentStatus::Unspecified => Err(ShipmentError::NotFound),
            _ => Err(ShipmentError::NotDispatched),
        }
    }

    /// Without a number of its own a parcel cannot be told from others: its booking is taken back before the order hears of it.
    fn booked(&self, tracking: Option<&Reference>, is_anothers: bool, unexpected: ShipmentError) -> Decision {
        let tracking = tracking.map_or("", Reference::as_str);
        match self.status {
            ShipmentStatus::Pending if tracking.is_empty() => Ok(vec![self.taken_back(Mismatch::TrackingMissing)]),
            ShipmentStatus::Pending if is_anothers => Ok(vec![self.taken_back(Mismatch::TrackingReused)]),
            ShipmentStatus::Pending => {
                Ok(vec![ShipmentBooked { order_id: self.id(), tracking: tracking.to_owned() }.into()])
            }
            // The cancellation that is owed, or done, comes after it.
            ShipmentStatus::Cancelling | ShipmentStatus::Cancelled => NOTHING,
            ShipmentStatus::Unspecified | ShipmentStatus::Rejected => Err(unexpected),
            _ if self.tracking == tracking => NOTHING,
            _ => Err(unexpected),
        }
    }

    fn rejected(&self, reason: String, unexpected: ShipmentError) -> Decision {
        let never_taken = self.tracking.is_empty();
        match self.status {
            ShipmentStatus::Pending | ShipmentStatus::Cancelling if never_taken => {
                Ok(vec![ShipmentRejected { order_id: self.id(), reason }.into()])
            }
            ShipmentStatus::Rejected => NOTHING,
            _ => Err(unexpected),
        }
    }

    fn cancelled(&self, unexpected: ShipmentError) -> Decision {
        match self.status {
            // The order has not heard of this booking: to it, the carrier has refused.
            ShipmentStatus::Cancelling if self.mismatch != 0 => {
                Ok(vec![ShipmentRejected { order_id: self.id(), reason: CARRIER_MISMATCH.to_owned() }.into()])
            }
            ShipmentStatus::Cancelling => Ok(vec![ShipmentCancelled { order_id: self.id() }.into()]),
            ShipmentStatus::Cancelled => NOTHING,
            _ => Err(unexpected),
        }
    }

    fn cancellation_requested(&self) -> ShipmentEvent {
        self.taken_back(Mismatch::Unspecified)
    }

    fn taken_back(&self, mismatch: Mismatch) -> ShipmentEvent {
        ShipmentCancellationRequested { order_id: self.id(), mismatch: mismatch.into() }.into()
    }

    fn id(&self) -> String {
        self.order_id.clone()
    }
}

impl Aggregate for Shipment {
    const NAME: &'static str = "shipment";
    type Command = Command;
    type Event = ShipmentEvent;
    type Error = ShipmentError;

    fn decide(&self, command: Command) -> Decision {
        let unexpected = ShipmentError::Unexpected { command: command.name(), status: self.status };
        match command {
            Command::Book { order_id, recipient, items } => self.book(order_id, recipient, items),
            Command::Clear => self.clear(unexpected),
            Command::RequestCancellation => self.request_cancellation(unexpected),
            Command::Refuse { order_id, reason } => self.refuse(order_id, reason),
            Command::Cancel { order_id } => self.cancel(order_id, unexpected),
            Command::Dispatch => self.dispatch(),
            Command::Deliver => self.deliver(),
            Command::RecordBooked { tracking, is_anothers } => self.booked(tracking.as_ref(), is_anothers, unexpected),
            Command::RecordRejected { reason } => self.rejected(reason.into(), unexpected),
            Command::RecordCancelled => self.cancelled(unexpected),
        }
    }

    fn evolve(&mut self, event: &ShipmentEvent) {
        match event {
            ShipmentEvent::Requested(event) => {
                self.order_id.clone_from(&event.order_id);
                self.items.clone_from(&event.items);
                self.status = ShipmentStatus::Pending;
            }
            ShipmentEvent::Booked(event) => {
                self.tracking.clone_from(&event.tracking);
                self.status = ShipmentStatus::Booked;
            }
            ShipmentEvent::Rejected(event) => {
                self.order_id.clone_from(&event.order_id);
                self.rejection_reason.clone_from(&event.reason);
                self.status = ShipmentStatus::Rejected;
            }
            ShipmentEvent::Cleared(_) => self.status = ShipmentStatus::Cleared,
            ShipmentEvent::CancellationRequested(event) => {
                self.mismatch = event.mismatch;
                self.status = ShipmentStatus::Cancelling;
            }
            ShipmentEvent::Cancelled(event) => {
                self.order_id.clone_from(&event.order_id);
                self.status = ShipmentStatus::Cancelled;
            }
            ShipmentEvent::CancellationRefused(_) => {}
            ShipmentEvent::Dispatched(_) => self.status = ShipmentStatus::Dispatched,
            ShipmentEvent::Delivered(_) => self.status = ShipmentStatus::Delivered,
        }
    }
}
