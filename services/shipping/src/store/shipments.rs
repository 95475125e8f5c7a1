use contracts::tradewind::shipping::v1::Shipment;
use prost::Message;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use tradewind_domain::{Error, OrderId};
use tradewind_events::{Tx, Upsert, db, page_text};

const PUT: Upsert = Upsert {
    insert: "INSERT INTO shipment (order_id, shipment)",
    on_conflict: "ON CONFLICT (order_id) DO UPDATE SET shipment = excluded.shipment",
};

/// Writes the entry of an order's shipment when `tx` is committed.
pub fn put(tx: &mut Tx, shipment: &Shipment) {
    let row = vec![shipment.order_id.as_str().into(), shipment.encode_to_vec().into()];
    tx.put(PUT, &shipment.order_id, row);
}

/// Up to `limit` shipments that follow the order `after`, by order id; from the first without it.
///
/// # Errors
/// When the database fails.
pub async fn page(
    connection: &impl ConnectionTrait,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Shipment>, Error> {
    let rest = "shipment WHERE order_id > $1 ORDER BY order_id";
    let query = page_text("shipment", "LENGTH(shipment)", rest, "$2");
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    let values: [Value; 2] = [after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), query, values);
    let rows = connection.query_all_raw(statement).await.map_err(db)?;
    rows.iter().map(shipment).collect()
}

fn shipment(row: &QueryResult) -> Result<Shipment, Error> {
    let bytes: Vec<u8> = row.try_get("", "shipment").map_err(db)?;
    Shipment::decode(bytes.as_slice()).map_err(Error::internal)
}
