//! The reservations that hold stock at the moment; [`moves`](super::moves) keeps them.

use contracts::tradewind::inventory::v1::Reservation;
use prost::Message;
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use tradewind_domain::Error;
use tradewind_events::page_text;

/// Up to `limit` open reservations that follow the order `after`, by order id; from the first with an empty one.
///
/// # Errors
/// When the database fails.
pub async fn page(db: &impl ConnectionTrait, after: &str, limit: usize) -> Result<Vec<Reservation>, Error> {
    let rest = "open_reservation WHERE order_id > $1 ORDER BY order_id";
    let query = page_text("reservation", "LENGTH(reservation)", rest, "$2");
    let values = [after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), query, values);
    let rows = db.query_all_raw(statement).await.map_err(tradewind_events::db)?;
    let reservation = |row: &QueryResult| {
        let bytes: Vec<u8> = row.try_get("", "reservation").map_err(tradewind_events::db)?;
        Reservation::decode(bytes.as_slice()).map_err(Error::internal)
    };
    rows.iter().map(reservation).collect()
}
