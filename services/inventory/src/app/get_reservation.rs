//! What is, or was, set aside for one order.

use contracts::tradewind::inventory::v1::{GetReservationResponse, Reservation as Message};
use tradewind_domain::Error;
use tradewind_store::Store;

use crate::domain::Reservation;

/// Returns the reservation of the order `order_id`.
///
/// # Errors
/// `NotFound` with reason `RESERVATION_NOT_FOUND` when the order never asked for stock.
pub async fn get_reservation(store: &Store, order_id: &str) -> Result<GetReservationResponse, Error> {
    let reservation = store.load::<Reservation>(order_id).await?;
    if reservation.version == 0 {
        return Err(Error::not_found::<Message>(order_id, "RESERVATION_NOT_FOUND", "the order is unknown here"));
    }
    Ok(GetReservationResponse { reservation: Some(Message::from(&reservation.state)) })
}
