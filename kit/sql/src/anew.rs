//! Databases on a PostgreSQL server, made anew.

use sea_orm::{ConnectionTrait, DbErr};

use crate::connect::connect;

/// Makes the databases of these names on the server at `url`, empty: what they held before is gone, and whoever used them is
/// disconnected. The names are nobody's input.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn create_databases(url: &str, names: impl IntoIterator<Item = String>) -> Result<(), DbErr> {
    let server = connect(url).await?;
    for name in names {
        server.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        server.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    }
    server.close().await
}
