//! What waits for an endpoint: counted to a bound, and found by an index.

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use tradewind_domain::Error;
use tradewind_sql::db;

use super::{Column, WAITING, of};

/// How much waits for an endpoint, of which no more than `most` is counted.
///
/// # Errors
/// When the database fails.
pub(crate) async fn waiting(connection: &impl ConnectionTrait, endpoint_id: &str, most: u64) -> Result<u64, Error> {
    let waiting = of(endpoint_id).select_only().column(Column::EventId).filter(Column::State.eq(WAITING)).limit(most);
    let mut counted = Query::select();
    counted.expr_as(Expr::col(Asterisk).count(), "counted").from_subquery(waiting.into_query(), "waiting");
    let row = connection.query_one(&counted).await.map_err(db)?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "counted")).map_err(db)?;
    u64::try_from(count).map_err(Error::internal)
}

/// Since when the event waits that an endpoint has waited for longest.
///
/// # Errors
/// When the database fails.
pub(crate) async fn oldest(connection: &impl ConnectionTrait, endpoint_id: &str) -> Result<Option<i64>, Error> {
    let first = of(endpoint_id)
        .select_only()
        .column(Column::Since)
        .filter(Column::State.eq(WAITING))
        .order_by_asc(Column::Since);
    first.into_tuple().one(connection).await.map_err(db)
}
