//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::blob;
use tradewind_sql::columns::{create_clustered, key};

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

#[async_trait::async_trait]
impl MigrationTrait for CreateShipment {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut shipment = Table::create();
        shipment.table("shipment").col(key(schema, "order_id").primary_key()).col(blob("shipment"));
        create_clustered(schema, shipment).await
    }
}
