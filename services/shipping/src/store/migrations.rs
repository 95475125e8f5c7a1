//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::blob;
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::key;

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateShipment), Box::new(CreateSecondShipment)]
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
        create_in(schema, Slot::First, "shipment", shipment(schema), Vec::new()).await
    }
}

struct CreateSecondShipment;

impl MigrationName for CreateSecondShipment {
    fn name(&self) -> &str {
        "shipping_0002_create_second_shipment"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateSecondShipment {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        create_in(schema, Slot::Second, "shipment", shipment(schema), Vec::new()).await
    }
}

fn shipment(schema: &SchemaManager) -> TableCreateStatement {
    Table::create().col(key(schema, "order_id").primary_key()).col(blob("shipment")).take()
}
