use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The tables of this context, oldest first.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreatePriceListAndOrderList)]
}

struct CreatePriceListAndOrderList;

impl MigrationName for CreatePriceListAndOrderList {
    fn name(&self) -> &str {
        "ordering_0001_create_price_list_and_order_list"
    }
}

#[async_trait]
impl MigrationTrait for CreatePriceListAndOrderList {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        // Keys sort by byte on either database, whatever the locale of the cluster.
        let (key, bytes, clustered) = match connection.get_database_backend() {
            DbBackend::Postgres => ("TEXT COLLATE \"C\"", "BYTEA", ""),
            _ => ("TEXT", "BLOB", " WITHOUT ROWID"),
        };
        for table in [PRICE_LIST, ORDER_LIST] {
            let table = table.replace("{key}", key).replace("{bytes}", bytes);
            connection.execute_unprepared(&format!("{table}{clustered}")).await?;
        }
        for index in INDEXES {
            connection.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

/// What the catalogue said last about each product.
const PRICE_LIST: &str = "CREATE TABLE price_list (
    product_id {key} NOT NULL PRIMARY KEY,
    sku TEXT NOT NULL,
    currency TEXT NOT NULL,
    unit_minor BIGINT NOT NULL,
    retired BOOLEAN NOT NULL)";

/// Every order as its contract message, under what it is listed by; `created` is in microseconds since the Unix epoch.
const ORDER_LIST: &str = "CREATE TABLE order_list (
    order_id {key} NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL,
    status BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    body {bytes} NOT NULL)";

const INDEXES: [&str; 2] = [
    "CREATE INDEX order_list_by_customer ON order_list (customer_id, order_id)",
    "CREATE INDEX order_list_by_status ON order_list (status, order_id)",
];
