//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob, boolean, text};
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{create_clustered, key, number};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreatePriceListAndOrderList), Box::new(CreateSecondOrderList)]
}

struct CreatePriceListAndOrderList;

impl MigrationName for CreatePriceListAndOrderList {
    fn name(&self) -> &str {
        "ordering_0001_create_price_list_and_order_list"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreatePriceListAndOrderList {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut price_list = Table::create();
        price_list
            .table("price_list")
            .col(key(schema, "product_id").primary_key())
            .col(text("sku"))
            .col(text("currency"))
            .col(number("unit_minor"))
            .col(boolean("retired"));
        create_clustered(schema, price_list).await?;
        create_in(schema, Slot::First, "order_list", order_list(schema), order_list_indexes()).await
    }
}

struct CreateSecondOrderList;

impl MigrationName for CreateSecondOrderList {
    fn name(&self) -> &str {
        "ordering_0002_create_second_order_list"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateSecondOrderList {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        create_in(schema, Slot::Second, "order_list", order_list(schema), order_list_indexes()).await
    }
}

fn order_list(schema: &SchemaManager) -> TableCreateStatement {
    let mut order_list = Table::create();
    order_list
        .col(key(schema, "order_id").primary_key())
        .col(text("customer_id"))
        .col(number("status"))
        .col(number("version"))
        .col(number("created"))
        .col(blob("body"));
    order_list
}

fn order_list_indexes() -> Vec<IndexCreateStatement> {
    [("order_list_by_customer", "customer_id"), ("order_list_by_status", "status")]
        .map(|(name, column)| Index::create().name(name).col(column).col("order_id").take())
        .into()
}
