//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text, text_null};
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{create_clustered, key, number, number_null};

/// The tables of this context, oldest first.
#[must_use]
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreatePayment), Box::new(AddCaptured), Box::new(CreateSecondPayment), Box::new(CreateLedger)]
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

/// The ledger, which no row unbalances: what is debited is credited.
struct CreateLedger;

impl MigrationName for CreateLedger {
    fn name(&self) -> &str {
        "payment_0004_create_ledger"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateLedger {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for slot in [Slot::First, Slot::Second] {
            create_in(schema, slot, "ledger_entry", ledger_entry(schema), ledger_entry_indexes()).await?;
        }
        let mut difference = Table::create();
        difference
            .table("ledger_difference")
            .col(key(schema, "difference_id").primary_key())
            .col(number("kind"))
            .col(number("movement"))
            .col(text("order_id"))
            .col(text("line_id"))
            .col(text("event_id"))
            .col(text_null("here_currency"))
            .col(number_null("here_minor"))
            .col(text_null("there_currency"))
            .col(number_null("there_minor"))
            .col(number("time"))
            .col(number("found"))
            .col(number_null("resolved"))
            .col(text("note"))
            .col(text("resolved_by"));
        create_clustered(schema, difference).await?;
        index(schema, "ledger_difference", "ledger_difference_by_time", &["found", "difference_id"]).await?;
        index(schema, "ledger_difference", "ledger_difference_open", &["resolved", "found", "difference_id"]).await
    }
}

async fn index(
    schema: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    schema.create_index(index).await
}

fn ledger_entry(schema: &SchemaManager) -> TableCreateStatement {
    let mut entry = Table::create();
    entry
        .col(key(schema, "event_id"))
        .col(number("leg"))
        .col(key(schema, "order_id"))
        .col(number("debit"))
        .col(number("credit"))
        .col(text("currency"))
        .col(number("minor"))
        .col(text("reference"))
        .col(number("partition"))
        .col(number("position"))
        .col(number("time"))
        .primary_key(Index::create().col("event_id").col("leg"))
        .check(("it_goes_from_one_account_to_another", Expr::col("debit").ne(Expr::col("credit"))))
        .check(("something_moves", Expr::col("minor").gt(0)));
    entry
}

fn ledger_entry_indexes() -> Vec<IndexCreateStatement> {
    let by_time = ["time", "event_id", "leg"];
    let by_order = ["order_id", "time", "event_id", "leg"];
    [("ledger_entry_by_time", &by_time[..]), ("ledger_entry_by_order", &by_order[..])]
        .map(|(name, columns)| {
            let mut index = Index::create().name(name).take();
            for column in columns {
                index.col(*column);
            }
            index
        })
        .into()
}
