//! The list of reservations that hold stock at the moment.

use std::sync::LazyLock;

use contracts::tradewind::inventory::v1::Reservation;
use prost::Message;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use tradewind_domain::Error;
use tradewind_store::{Tx, Upsert};

use super::open_reservation::{Column, Entity, Model};

static PUT: LazyLock<Upsert<Entity>> = LazyLock::new(Upsert::only_new);

/// Lists a reservation when `tx` is committed. One that is listed is never overwritten: its units would be set aside for ever.
pub(super) fn put(tx: &mut Tx, reservation: &Reservation) {
    tx.put(&PUT, Model { order_id: reservation.order_id.clone(), reservation: reservation.encode_to_vec() });
}

/// Strikes the reservation of an order off the list when `tx` is committed.
pub(super) fn remove(tx: &mut Tx, order_id: &str) {
    tx.remove::<Entity>(order_id);
}

/// Up to `limit` open reservations that follow the order `after`, by order id; from the first with an empty one.
///
/// # Errors
/// When the database fails.
pub async fn page(db: &impl ConnectionTrait, after: &str, limit: usize) -> Result<Vec<Reservation>, Error> {
    let rows = Entity::find().filter(Column::OrderId.gt(after)).order_by_asc(Column::OrderId);
    let rows = tradewind_sql::page(db, rows, [Column::Reservation], limit).await?;
    rows.into_iter().map(|row| Reservation::decode(row.reservation.as_slice()).map_err(Error::internal)).collect()
}
