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
mod get_shipment;
mod intents;
mod keep_shipment_list;
mod list_shipments;
mod resource;

use tradewind_events::Reactions;

pub use answer_on_order_cancellation_requested::AnswerOnOrderCancellationRequested;
pub use book_on_order_paid::BookOnOrderPaid;
pub use call_carrier::{CallCarrier, Outcome};
pub use cancel_on_order_cancelled::CancelOnOrderCancelled;
pub use carrier::{Booking, Carrier, NoAnswer, Standing};
pub use clear_on_order_confirmed::ClearOnOrderConfirmed;
pub use deliver_shipment::deliver_shipment;
pub use dispatch_shipment::dispatch_shipment;
pub use get_shipment::get_shipment;
pub use intents::intent_of;
pub use keep_shipment_list::shipment_list;
pub use list_shipments::list_shipments;

/// What follows the events of orders.
#[must_use]
pub fn reactions() -> Reactions {
    Reactions::new("shipping")
        .on(BookOnOrderPaid)
        .on(ClearOnOrderConfirmed)
        .on(AnswerOnOrderCancellationRequested)
        .on(CancelOnOrderCancelled)
}
