//! The table of this context.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateProduct)]
}

struct CreateProduct;

impl MigrationName for CreateProduct {
    fn name(&self) -> &str {
        "catalog_0001_create_product"
    }
}

#[async_trait]
impl MigrationTrait for CreateProduct {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        // Ids sort by byte on either database, whatever the locale of the cluster.
        let (key, clustered) = match connection.get_database_backend() {
            DbBackend::Postgres => ("TEXT COLLATE \"C\"", ""),
            _ => ("TEXT", " WITHOUT ROWID"),
        };
        connection.execute_unprepared(&format!("{}{clustered}", PRODUCT.replace("{key}", key))).await?;
        Ok(())
    }
}

/// Products as they are now; times are microseconds since the Unix epoch.
const PRODUCT: &str = "CREATE TABLE product (
    product_id {key} NOT NULL PRIMARY KEY,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    currency TEXT NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    retired BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL)";
