//! What this service does: one reaction, command or query a file.

mod get_reservation;
mod get_stock;
mod list_open_reservations;
mod list_stock;
mod receive_stock;
mod release_on_order_cancelled;
mod reserve_on_order_placed;
mod ship_on_order_shipped;

use contracts::reactions;
use tradewind_events::{Forward, Reactions};

use crate::domain::Reservation;

pub use get_reservation::get_reservation;
pub use get_stock::get_stock;
pub use list_open_reservations::list_open_reservations;
pub use list_stock::list_stock;
pub use receive_stock::{book_in, receive_stock};
pub use release_on_order_cancelled::release_on_order_cancelled;
pub use reserve_on_order_placed::ReserveOnOrderPlaced;
use reserve_on_order_placed::refuse;
pub use ship_on_order_shipped::ship_on_order_shipped;

/// What follows an order's events.
#[must_use]
pub fn reactions() -> Reactions {
    tradewind_runtime::reactions(reactions::Inventory {
        reserve_on_order_placed: Forward::new::<Reservation>(ReserveOnOrderPlaced, refuse),
        release_on_order_cancelled,
        ship_on_order_shipped,
    })
}
