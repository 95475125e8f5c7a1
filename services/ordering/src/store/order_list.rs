//! Every order by customer and status, as the API shows it.

use contracts::tradewind::ordering::v1::Order;
use prost::Message;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use tradewind_domain::Error;
use tradewind_events::{Tx, Upsert, db, from_micros, page_text, timestamp};

use crate::app::Page;

const PUT: Upsert = Upsert {
    insert: "INSERT INTO order_list (order_id, customer_id, status, version, created, body)",
    on_conflict: "ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, version = excluded.version, \
        body = excluded.body WHERE order_list.version < excluded.version",
};

/// Puts an order in its place when `tx` is committed, unless a newer version of it is there. Its creation is that of the first
/// version put.
pub(crate) fn put(tx: &mut Tx, mut order: Order) -> Result<(), Error> {
    let created = order.create_time.take().unwrap_or_default();
    let row = vec![
        order.order_id.as_str().into(),
        order.customer_id.as_str().into(),
        i64::from(order.status).into(),
        i64::try_from(order.version).map_err(Error::internal)?.into(),
        (created.seconds * 1_000_000 + i64::from(created.nanos / 1_000)).into(),
        order.encode_to_vec().into(),
    ];
    tx.put(PUT, &order.order_id, row);
    Ok(())
}

/// The orders of a page, newest first, and one more where there is a next page.
pub(crate) async fn page(connection: &impl ConnectionTrait, page: &Page) -> Result<Vec<Order>, Error> {
    let mut conditions = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut only = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(format!("{condition} ${}", values.len()));
    };
    if let Some(customer_id) = &page.customer_id {
        only("customer_id =", customer_id.as_str().into());
    }
    if let Some(status) = page.status {
        only("status =", i64::from(i32::from(status)).into());
    }
    if let Some(before) = page.before {
        only("order_id <", before.to_string().into());
    }
    let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {} ", conditions.join(" AND ")) };
    let rest = format!("order_list {filter}ORDER BY order_id DESC");
    let text = page_text("created, body", "LENGTH(body)", &rest, &(page.size + 1).to_string());
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), text, values);
    connection.query_all_raw(statement).await.map_err(db)?.iter().map(order).collect()
}

fn order(row: &QueryResult) -> Result<Order, Error> {
    let body: Vec<u8> = row.try_get("", "body").map_err(db)?;
    let mut order = Order::decode(body.as_slice()).map_err(Error::internal)?;
    let created: i64 = row.try_get("", "created").map_err(db)?;
    order.create_time = Some(timestamp(from_micros(created)));
    Ok(order)
}
