use std::sync::LazyLock;

use contracts::tradewind::shipping::v1::Shipment;
use prost::Message;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use tradewind_domain::{Error, OrderId};
use tradewind_projections::{Slot, Table, Writer};

use super::shipment::{Column, Entity, Model};

static PUT: LazyLock<Table<Entity>> = LazyLock::new(|| Table::replacing([Column::OrderId]));

/// Writes the entry of an order's shipment.
pub fn put(writer: &mut Writer<'_>, shipment: &Shipment) {
    writer.put(&PUT, Model { order_id: shipment.order_id.clone(), shipment: shipment.encode_to_vec() });
}

/// Up to `limit` shipments of a slot that follow the order `after`, by order id; from the first without it.
///
/// # Errors
/// When the database fails.
pub async fn page(
    connection: &impl ConnectionTrait,
    slot: Slot,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Shipment>, Error> {
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let rows = Entity::find().filter(Column::OrderId.gt(after)).order_by_asc(Column::OrderId);
    let rows = tradewind_sql::page(connection, slot.select(rows), [Column::Shipment], limit).await?;
    rows.into_iter().map(|row| Shipment::decode(row.shipment.as_slice()).map_err(Error::internal)).collect()
}
