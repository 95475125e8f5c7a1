//! What this context does: follow its orders, call the carrier, let parcels leave, tell how shipments stand.
//!
//! One use case a file. Transport, SQL and HTTP are elsewhere: the carrier is reached through [`Carrier`].

mod answer_on_order_cancellation_requested;
mod book_on_order_paid;
mod call_carrier;
mod cancel_on_order_cancelled;
mod carrier;
mod clear_on_order_confirmed;
mod deliver_shipment;
mod dispatch_shipment;
mod forget_on_order_erased;
mod get_shipment;
mod intents;
mod list_shipments;
mod resource;

use contracts::reactions;
use tradewind_events::{Forward, Reactions};

use self::answer_on_order_cancellation_requested::answer_on_order_cancellation_requested;
use self::book_on_order_paid::{book_on_order_paid, refuse};
use self::cancel_on_order_cancelled::cancel_on_order_cancelled;
use self::clear_on_order_confirmed::clear_on_order_confirmed;
use self::forget_on_order_erased::forget_on_order_erased;
use crate::domain::Shipment;

pub use call_carrier::{CallCarrier, Reply};
pub use carrier::{Booking, Carrier, NoAnswer, Standing};
pub use deliver_shipment::deliver_shipment;
pub use dispatch_shipment::dispatch_shipment;
pub use get_shipment::get_shipment;
pub use intents::intent_of;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use intents::owed;
pub use list_shipments::{list_shipments, shipment_list};

/// What follows the events of orders.
#[must_use]
pub fn reactions() -> Reactions {
    tradewind_runtime::reactions(reactions::Shipping {
        book_on_order_paid: Forward::new::<Shipment>(book_on_order_paid, refuse),
        clear_on_order_confirmed,
        answer_on_order_cancellation_requested,
        cancel_on_order_cancelled,
        forget_on_order_erased,
    })
}
