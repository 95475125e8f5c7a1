//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob, boolean, text};
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{create_clustered, key, number};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreatePriceListAndOrderList), Box::new(CreateSecondOrderList), Box::new(AddWhatOrdersAreFoundBy)]
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

struct AddWhatOrdersAreFoundBy;

impl MigrationName for AddWhatOrdersAreFoundBy {
    fn name(&self) -> &str {
        "ordering_0003_add_what_orders_are_found_by"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddWhatOrdersAreFoundBy {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        add(schema, "price_list", [text("name").default("").take()]).await?;
        for slot in [Slot::First, Slot::Second] {
            let list = slot.table("order_list");
            let columns = [
                number("updated").default(0).take(),
                text("currency").default("").take(),
                number("total_minor").default(0).take(),
                text("country").default("").take(),
            ];
            add(schema, &list, columns).await?;
            for column in ["created", "updated", "total_minor"] {
                let name = slot.table(&format!("order_list_by_{column}"));
                let index = Index::create().name(name).table(list.clone()).col(column).col("order_id").take();
                schema.create_index(index).await?;
            }
            create_in(schema, slot, "order_line", order_line(schema), order_line_indexes()).await?;
        }
        Ok(())
    }
}

/// SQLite adds one column at a time.
async fn add<const N: usize>(schema: &SchemaManager<'_>, table: &str, columns: [ColumnDef; N]) -> Result<(), DbErr> {
    for column in columns {
        schema.alter_table(Table::alter().table(table.to_owned()).add_column(column).take()).await?;
    }
    Ok(())
}

fn order_line(schema: &SchemaManager) -> TableCreateStatement {
    let mut order_line = Table::create();
    order_line
        .col(key(schema, "order_id"))
        .col(key(schema, "product_id"))
        .col(text("sku"))
        .col(text("name"))
        .col(text("folded"))
        .primary_key(Index::create().col("order_id").col("product_id"));
    order_line
}

fn order_line_indexes() -> Vec<IndexCreateStatement> {
    [("order_line_by_product", "product_id"), ("order_line_by_sku", "sku")]
        .map(|(name, column)| Index::create().name(name).col(column).col("order_id").take())
        .into()
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
