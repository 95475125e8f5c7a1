//! How PostgreSQL would find what a query asks for.

use sea_orm::sea_query::SelectStatement;
use sea_orm::{ConnectionTrait, Statement};

/// The lines of the plan of a query.
///
/// # Panics
/// When the database fails.
pub async fn plan(connection: &impl ConnectionTrait, query: &SelectStatement) -> Vec<String> {
    let Statement { sql, values, db_backend } = connection.get_database_backend().build(query);
    let explain = Statement { sql: format!("EXPLAIN {sql}"), values, db_backend };
    let lines = connection.query_all_raw(explain).await.expect("a plan");
    lines.iter().map(|row| row.try_get("", "QUERY PLAN").expect("a line of a plan")).collect()
}
