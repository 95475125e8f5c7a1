//! The tables of this context.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateShipment)]
}

struct CreateShipment;

impl MigrationName for CreateShipment {
    fn name(&self) -> &str {
        "shipping_0001_create_shipment"
    }
}

#[async_trait]
impl MigrationTrait for CreateShipment {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        // Keys sort by byte on either database, whatever the locale of the cluster.
        let (key, bytes, clustered) = match connection.get_database_backend() {
            DbBackend::Postgres => ("TEXT COLLATE \"C\"", "BYTEA", ""),
            _ => ("TEXT", "BLOB", " WITHOUT ROWID"),
        };
        let table = SHIPMENT.replace("{key}", key).replace("{bytes}", bytes);
        connection.execute_unprepared(&format!("{table}{clustered}")).await?;
        Ok(())
    }
}

/// How the shipment of an order stands, as the contract's message.
const SHIPMENT: &str = "CREATE TABLE shipment (
    order_id {key} NOT NULL PRIMARY KEY,
    shipment {bytes} NOT NULL)";
