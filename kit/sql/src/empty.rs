//! Tables that are emptied.

use sea_orm::sea_query::{Query, Table};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

/// Deletes every row of a table, however many there are, without a look at each. On PostgreSQL it waits for whoever reads there.
///
/// # Errors
/// When the database fails.
pub async fn empty(connection: &impl ConnectionTrait, table: String) -> Result<(), DbErr> {
    match connection.get_database_backend() {
        DbBackend::Postgres => connection.execute(&Table::truncate().table(table).take()).await.map(drop),
        _ => connection.execute(Query::delete().from_table(table)).await.map(drop),
    }
}
