//! Every order by customer and status, as the API shows it.

use std::sync::LazyLock;

use contracts::tradewind::ordering::v1::{Order, OrderStatus};
use prost::Message;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QueryTrait};
use tradewind_domain::{Error, OrderId};
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::{from_micros, timestamp};
use tradewind_store::Upsert;

use super::listed_order::{Column, Entity, Model};

/// An entry never goes back.
static PUT: LazyLock<Table<Entity>> = LazyLock::new(|| {
    Table::new(|| {
        let is_older = Expr::col((Entity, Column::Version)).lt(Expr::col(("excluded", Column::Version)));
        let mut newer = OnConflict::column(Column::OrderId);
        newer.update_columns([Column::Status, Column::Version, Column::Body]).action_and_where(is_older);
        Upsert::new(newer)
    })
});

/// Puts an order in its place, unless a newer version of it is there. Its creation is that of the first version put.
pub(crate) fn put(writer: &mut Writer<'_>, mut order: Order) -> Result<(), Error> {
    let created = order.create_time.take().unwrap_or_default();
    let row = Model {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        status: order.status.into(),
        version: i64::try_from(order.version).map_err(Error::internal)?,
        created: created.seconds * 1_000_000 + i64::from(created.nanos / 1_000),
        body: order.encode_to_vec(),
    };
    writer.put(&PUT, row);
    Ok(())
}

/// Which orders of the list are wanted.
pub(crate) struct Filter<'a> {
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) status: Option<OrderStatus>,
    /// Those that were placed before it.
    pub(crate) before: Option<OrderId>,
}

/// Up to `limit` of the orders that are wanted, newest first, from a slot.
pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    slot: Slot,
    wanted: Filter<'_>,
    limit: usize,
) -> Result<Vec<Order>, Error> {
    let rows = Entity::find()
        .apply_if(wanted.customer_id, |rows, customer| rows.filter(Column::CustomerId.eq(customer)))
        .apply_if(wanted.status, |rows, status| rows.filter(Column::Status.eq(i64::from(i32::from(status)))))
        .apply_if(wanted.before, |rows, before| rows.filter(Column::OrderId.lt(before.to_string())))
        .order_by_desc(Column::OrderId);
    let rows = tradewind_sql::page(connection, slot.select(rows), [Column::Body], limit).await?;
    rows.into_iter().map(order).collect()
}

fn order(row: Model) -> Result<Order, Error> {
    let mut order = Order::decode(row.body.as_slice()).map_err(Error::internal)?;
    order.create_time = Some(timestamp(from_micros(row.created)));
    Ok(order)
}
