//! The tables of this context.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The tables of this context, oldest first.
#[must_use]
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreatePayment), Box::new(AddCaptured)]
}

struct CreatePayment;

impl MigrationName for CreatePayment {
    fn name(&self) -> &str {
        "payment_0001_create_payment"
    }
}

#[async_trait]
impl MigrationTrait for CreatePayment {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        // Keys sort by byte on either database, whatever the locale of the cluster.
        let (key, clustered) = match connection.get_database_backend() {
            DbBackend::Postgres => ("TEXT COLLATE \"C\"", ""),
            _ => ("TEXT", " WITHOUT ROWID"),
        };
        let table = PAYMENT.replace("{key}", key);
        connection.execute_unprepared(&format!("{table}{clustered}")).await?;
        Ok(())
    }
}

/// Adds what was taken, which may not be what was asked for.
struct AddCaptured;

impl MigrationName for AddCaptured {
    fn name(&self) -> &str {
        "payment_0002_add_captured"
    }
}

#[async_trait]
impl MigrationTrait for AddCaptured {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["captured_currency TEXT", "captured_minor BIGINT", "mismatch BIGINT"] {
            let add = format!("ALTER TABLE payment ADD COLUMN {column} NULL");
            manager.get_connection().execute_unprepared(&add).await?;
        }
        Ok(())
    }
}

/// How the payment of an order stands: `status` is the contract's number, `updated` microseconds since 1970.
const PAYMENT: &str = "CREATE TABLE payment (
    order_id {key} NOT NULL PRIMARY KEY,
    status BIGINT NOT NULL,
    currency TEXT NOT NULL,
    minor BIGINT NOT NULL,
    decline_reason TEXT NOT NULL,
    charge_id TEXT NOT NULL,
    refund_id TEXT NOT NULL,
    updated BIGINT NOT NULL)";
