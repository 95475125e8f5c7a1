//! Pages that are bounded by bytes before they are read: a statement looks how large its rows are, and gives no more of them than
//! an answer takes, and one.

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, PostgresQueryBuilder};
use sea_orm::{ConnectionTrait, EntityTrait, QueryTrait as _, Select, Statement};
use tradewind_domain::Error;
use tradewind_domain::request::PAGE_BYTES;

/// Up to `limit` of the `rows`, and no more than those that have [`PAGE_BYTES`] together in the columns `sized`, or the first, and
/// one, by which [`page`](tradewind_domain::request::page) finds out that something follows.
///
/// The query says in which order; `sized` is texts or bytes, never NULL, and may leave out what is small.
///
/// # Errors
/// When the database fails.
pub async fn page<E: EntityTrait>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    sized: impl IntoIterator<Item = E::Column>,
    limit: usize,
) -> Result<Vec<E::Model>, Error> {
    let statement = statement(db, rows, sized, limit);
    E::find().from_raw_sql(statement).all(db).await.map_err(crate::db)
}

fn statement<E: EntityTrait>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    sized: impl IntoIterator<Item = E::Column>,
    limit: usize,
) -> Statement {
    // What is not there has no length.
    let length = |column| Expr::expr(Func::cust("LENGTH").arg(Expr::col((E::default(), column))));
    let bytes = |column| Expr::expr(Func::coalesce([length(column), Expr::cust("0")]));
    let bytes = sized.into_iter().map(bytes).reduce(Expr::add).unwrap_or_else(|| Expr::cust("0"));
    let mut sizes = rows.clone().into_query();
    sizes.clear_selects().expr_as(bytes, "size");
    // Of the two both have the same parameters in the same places, which either database knows by `$1`, `$2`, ….
    let ((rows, mut values), (sizes, _)) =
        (rows.into_query().build(PostgresQueryBuilder), sizes.build(PostgresQueryBuilder));
    values.0.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let sql = bounded(&rows, &sizes, &format!("${}", values.0.len()));
    Statement { sql, values: Some(values), db_backend: db.get_database_backend() }
}

/// The text of the same query: of `SELECT columns FROM rest`, where `size` is an expression for the bytes of a row, of which it may
/// overlook some, and count none too many. `limit` is a number, or a parameter of 64 bits.
#[must_use]
pub fn page_text(columns: &str, size: &str, rest: &str, limit: &str) -> String {
    bounded(&format!("SELECT {columns} FROM {rest}"), &format!("SELECT {size} AS size FROM {rest}"), limit)
}

fn bounded(rows: &str, sizes: &str, limit: &str) -> String {
    format!(
        "{rows} LIMIT 1 + (SELECT COUNT(*) FROM (SELECT size, SUM(size) OVER (ROWS UNBOUNDED PRECEDING) AS bytes \
         FROM ({sizes} LIMIT {limit} - 1) AS sizes) AS sums WHERE bytes <= {PAGE_BYTES} OR bytes = size)"
    )
}
