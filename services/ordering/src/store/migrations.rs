//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob, blob_null, boolean, text};
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{create_clustered, key, number};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    let both = |step: fn(Slot) -> FindOrders| [Slot::First, Slot::Second].map(step);
    let finding = [both(FindOrders::AddColumns), both(FindOrders::Index), both(FindOrders::AddRecipient)].concat();
    let mut all: Vec<Box<dyn MigrationTrait>> = vec![
        Box::new(CreatePriceListAndOrderList),
        Box::new(CreateSecondOrderList),
        Box::new(FindOrders::NameProducts),
    ];
    all.extend(finding.into_iter().map(|step| Box::new(step) as Box<dyn MigrationTrait>));
    all
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

/// A step of its own each, so that none holds a table while another is at work.
#[derive(Clone, Copy)]
enum FindOrders {
    NameProducts,
    AddColumns(Slot),
    Index(Slot),
    AddRecipient(Slot),
}

impl MigrationName for FindOrders {
    fn name(&self) -> &str {
        match self {
            Self::NameProducts => "ordering_0003_name_products",
            Self::AddColumns(Slot::First) => "ordering_0004_add_what_orders_are_found_by",
            Self::AddColumns(Slot::Second) => "ordering_0005_add_what_orders_are_found_by_2",
            Self::Index(Slot::First) => "ordering_0006_index_what_orders_are_sorted_by",
            Self::Index(Slot::Second) => "ordering_0007_index_what_orders_are_sorted_by_2",
            Self::AddRecipient(Slot::First) => "ordering_0008_add_recipient",
            Self::AddRecipient(Slot::Second) => "ordering_0009_add_recipient_2",
        }
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FindOrders {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        match *self {
            Self::NameProducts => add(schema, "price_list", [text("name").default("").take()]).await,
            Self::AddColumns(slot) => {
                let columns = [
                    number("updated").default(0).take(),
                    text("currency").default("").take(),
                    number("total_minor").default(0).take(),
                    text("country").default("").take(),
                ];
                add(schema, &slot.table("order_list"), columns).await?;
                create_in(schema, slot, "order_line", order_line(schema), order_line_indexes()).await
            }
            Self::Index(slot) => {
                for column in ["created", "updated", "total_minor"] {
                    let name = slot.table(&format!("order_list_by_{column}"));
                    let mut index = Index::create();
                    index.name(name).table(slot.table("order_list")).col(column).col("order_id");
                    schema.create_index(index).await?;
                }
                Ok(())
            }
            Self::AddRecipient(slot) => add(schema, &slot.table("order_list"), [blob_null("recipient")]).await,
        }
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
