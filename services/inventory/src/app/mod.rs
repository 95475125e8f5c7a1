//! What this service does: one reaction, command or query a file.

mod audit_stock;
mod correct_stock;
mod count_stock_differences;
mod get_reservation;
mod get_stock;
mod list_open_reservations;
mod list_stock;
mod list_stock_differences;
mod list_stock_movements;
mod movements;
mod receive_stock;
mod release_on_order_cancelled;
mod reserve_on_order_placed;
mod resolve_stock_difference;
mod ship_on_order_shipped;

use contracts::reactions;
use tradewind_events::{Forward, Reactions};

use crate::domain::Reservation;

pub use audit_stock::audit_stock;
pub use correct_stock::{correct, correct_stock};
pub use count_stock_differences::count_stock_differences;
pub use get_reservation::get_reservation;
pub use get_stock::get_stock;
pub use list_open_reservations::list_open_reservations;
pub use list_stock::list_stock;
pub use list_stock_differences::list_stock_differences;
pub use list_stock_movements::list_stock_movements;
pub use movements::movements;
pub use receive_stock::{book_in, receive_stock};
pub use release_on_order_cancelled::release_on_order_cancelled;
pub use reserve_on_order_placed::ReserveOnOrderPlaced;
use reserve_on_order_placed::refuse;
pub use resolve_stock_difference::{Resolving, resolve_stock_difference};
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
