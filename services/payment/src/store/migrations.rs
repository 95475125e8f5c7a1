//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text, text_null};
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{key, number, number_null};

/// The tables of this context, oldest first.
#[must_use]
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreatePayment), Box::new(AddCaptured), Box::new(CreateSecondPayment)]
}

struct CreatePayment;

impl MigrationName for CreatePayment {
    fn name(&self) -> &str {
        "payment_0001_create_payment"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreatePayment {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        create_in(schema, Slot::First, "payment", payment(schema), Vec::new()).await
    }
}

/// Adds what was taken, which may not be what was asked for.
struct AddCaptured;

impl MigrationName for AddCaptured {
    fn name(&self) -> &str {
        "payment_0002_add_captured"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddCaptured {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in captured() {
            schema.alter_table(Table::alter().table("payment").add_column(column).take()).await?;
        }
        Ok(())
    }
}

struct CreateSecondPayment;

impl MigrationName for CreateSecondPayment {
    fn name(&self) -> &str {
        "payment_0003_create_second_payment"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateSecondPayment {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut whole = payment(schema);
        for column in captured() {
            whole.col(column);
        }
        create_in(schema, Slot::Second, "payment", whole, Vec::new()).await
    }
}

fn payment(schema: &SchemaManager) -> TableCreateStatement {
    let mut payment = Table::create();
    payment
        .col(key(schema, "order_id").primary_key())
        .col(number("status"))
        .col(text("currency"))
        .col(number("minor"))
        .col(text("decline_reason"))
        .col(text("charge_id"))
        .col(text("refund_id"))
        .col(number("updated"));
    payment
}

fn captured() -> [ColumnDef; 3] {
    [text_null("captured_currency"), number_null("captured_minor"), number_null("mismatch")]
}
