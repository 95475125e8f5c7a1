//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::blob;
use tradewind_sql::columns::{create_clustered, key, number};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateStock)]
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
