//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob, boolean, text};
use tradewind_sql::columns::{create_clustered, key, number};

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
        let mut order_list = Table::create();
        order_list
            .table("order_list")
            .col(key(schema, "order_id").primary_key())
            .col(text("customer_id"))
            .col(number("status"))
            .col(number("version"))
            .col(number("created"))
            .col(blob("body"));
        create_clustered(schema, order_list).await?;
        for (name, column) in [("order_list_by_customer", "customer_id"), ("order_list_by_status", "status")] {
            let mut index = Index::create();
            schema.create_index(index.name(name).table("order_list").col(column).col("order_id").take()).await?;
        }
        Ok(())
    }
}
