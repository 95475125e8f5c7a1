//! The tables of this context.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateStock)]
}

struct CreateStock;

impl MigrationName for CreateStock {
    fn name(&self) -> &str {
        "inventory_0001_create_stock"
    }
}

#[async_trait]
impl MigrationTrait for CreateStock {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        // Keys sort by byte on either database, whatever the locale of the cluster.
        let (key, bytes, clustered) = match connection.get_database_backend() {
            DbBackend::Postgres => ("TEXT COLLATE \"C\"", "BYTEA", ""),
            _ => ("TEXT", "BLOB", " WITHOUT ROWID"),
        };
        for table in [STOCK, OPEN_RESERVATION] {
            let table = table.replace("{key}", key).replace("{bytes}", bytes);
            connection.execute_unprepared(&format!("{table}{clustered}")).await?;
        }
        Ok(())
    }
}

/// Units of one SKU at one location. The checks make negative stock impossible, whatever a statement tries.
/// `receipts` counts the goods received, which is the version of the level's stream.
const STOCK: &str = "CREATE TABLE stock (
    sku {key} NOT NULL,
    location {key} NOT NULL,
    received BIGINT NOT NULL,
    shipped BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    receipts BIGINT NOT NULL,
    PRIMARY KEY (sku, location),
    CONSTRAINT shipped_was_there CHECK (shipped >= 0 AND received >= shipped),
    CONSTRAINT reserved_is_there CHECK (reserved >= 0 AND received - shipped - reserved >= 0))";

/// The reservations that hold stock, each as its contract message.
const OPEN_RESERVATION: &str = "CREATE TABLE open_reservation (
    order_id {key} NOT NULL PRIMARY KEY,
    reservation {bytes} NOT NULL)";
