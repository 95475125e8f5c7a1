//! What the schema builder needs to be told of the two databases to make a service's own tables: everything else of a migration
//! is the same on either. The kit's own tables are none of its business.

use sea_orm_migration::SchemaManager;
use sea_orm_migration::sea_orm::sea_query::{ColumnDef, IntoIden, TableCreateStatement};
use sea_orm_migration::sea_orm::{DbBackend, DbErr};

/// A text of a key, never NULL: it sorts by byte on either database, whatever the locale of the cluster.
pub fn key(schema: &SchemaManager<'_>, name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match schema.get_database_backend() {
        DbBackend::Postgres => column.custom("TEXT COLLATE \"C\""),
        _ => column.text(),
    };
    column.not_null().take()
}

/// A number of 64 bits, never NULL. SQLite keeps the type's name, which the schema builder would shorten.
pub fn number(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).custom("BIGINT").not_null().take()
}

/// A number of 64 bits, or NULL.
pub fn number_null(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).custom("BIGINT").null().take()
}

/// Makes a table; on SQLite it is clustered by its key, so that a row is written to one b-tree and not to two.
///
/// # Errors
/// When the database fails.
pub async fn create_clustered(schema: &SchemaManager<'_>, mut table: TableCreateStatement) -> Result<(), DbErr> {
    if schema.get_database_backend() == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    schema.create_table(table).await
}
