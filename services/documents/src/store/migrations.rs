//! The tables of this context, each in both slots.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob_null, text_null};
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{key, number_null};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateSale)]
}

struct CreateSale;

impl MigrationName for CreateSale {
    fn name(&self) -> &str {
        "documents_0001_create_sale"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateSale {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for slot in [Slot::First, Slot::Second] {
            create_in(schema, slot, "sale", sale(schema), Vec::new()).await?;
        }
        Ok(())
    }
}

fn sale(schema: &SchemaManager) -> TableCreateStatement {
    let mut sale = Table::create();
    sale.col(key(schema, "order_id").primary_key())
        .col(text_null("customer_id"))
        .col(number_null("placed"))
        .col(blob_null("said"))
        .col(number_null("confirmed"))
        .col(number_null("charged"))
        .col(text_null("charged_in"))
        .col(number_null("refunded"))
        .col(number_null("paid_back"))
        .col(text_null("paid_back_in"));
    sale
}
