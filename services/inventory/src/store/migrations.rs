//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob, text};
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{create_clustered, key, number, number_null};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateStock), Box::new(CreateMovements)]
}

struct CreateStock;

impl MigrationName for CreateStock {
    fn name(&self) -> &str {
        "inventory_0001_create_stock"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateStock {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let col = Expr::col;
        let shipped_was_there = col("shipped").gte(0).and(col("received").gte(col("shipped")));
        let available = col("received").sub(col("shipped")).sub(col("reserved"));
        let mut stock = Table::create();
        stock
            .table("stock")
            .col(key(schema, "sku"))
            .col(key(schema, "location"))
            .col(number("received"))
            .col(number("shipped"))
            .col(number("reserved"))
            .col(number("receipts"))
            .primary_key(Index::create().col("sku").col("location"))
            .check(("shipped_was_there", shipped_was_there))
            .check(("reserved_is_there", col("reserved").gte(0).and(available.gte(0))));
        create_clustered(schema, stock).await?;
        let mut open_reservation = Table::create();
        open_reservation.table("open_reservation").col(key(schema, "order_id").primary_key()).col(blob("reservation"));
        create_clustered(schema, open_reservation).await
    }
}

/// What stock has done, and where the counters say otherwise.
struct CreateMovements;

impl MigrationName for CreateMovements {
    fn name(&self) -> &str {
        "inventory_0002_create_movements"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateMovements {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for slot in [Slot::First, Slot::Second] {
            create_in(schema, slot, "stock_movement", movement(schema), movement_indexes()).await?;
        }
        let mut difference = Table::create();
        difference
            .table("stock_difference")
            .col(key(schema, "difference_id").primary_key())
            .col(text("sku"))
            .col(text("location"))
            .col(number("counted_received"))
            .col(number("counted_shipped"))
            .col(number("counted_reserved"))
            .col(number("moved_received"))
            .col(number("moved_shipped"))
            .col(number("moved_reserved"))
            .col(number("found"))
            .col(number_null("resolved"))
            .col(number("resolution"))
            .col(text("note"))
            .col(text("resolved_by"));
        create_clustered(schema, difference).await?;
        let by_time = ("stock_difference_by_time", &["found", "difference_id"][..]);
        let open = ("stock_difference_open", &["resolved", "found", "difference_id"][..]);
        for (name, columns) in [by_time, open] {
            schema.create_index(index(name, columns).table("stock_difference").take()).await?;
        }
        Ok(())
    }
}

/// Clustered by level, so that a level is summed in one run.
fn movement(schema: &SchemaManager) -> TableCreateStatement {
    let mut movement = Table::create();
    movement
        .col(key(schema, "sku"))
        .col(key(schema, "location"))
        .col(key(schema, "event_id"))
        .col(number("line"))
        .col(number("kind"))
        .col(number("received"))
        .col(number("shipped"))
        .col(number("reserved"))
        .col(key(schema, "order_id"))
        .col(text("reason"))
        .col(text("corrected_by"))
        .col(number("partition"))
        .col(number("position"))
        .col(number("time"))
        .primary_key(Index::create().col("sku").col("location").col("event_id").col("line"));
    movement
}

/// By time the kind is there as well: of a rare one few rows are looked at.
fn movement_indexes() -> Vec<IndexCreateStatement> {
    let by_time = ["time", "event_id", "line", "kind"];
    let by_sku = ["sku", "time", "event_id", "line"];
    let by_order = ["order_id", "time", "event_id", "line"];
    let all =
        [("stock_movement_by_time", by_time), ("stock_movement_by_sku", by_sku), ("stock_movement_by_order", by_order)];
    all.into_iter().map(|(name, columns)| index(name, &columns)).collect()
}

fn index(name: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).take();
    for column in columns {
        index.col(*column);
    }
    index
}
