//! The tables of this context, each in both slots.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text_null;
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{key, number, number_null};

use super::sales::CreateSales;

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateFlow), Box::new(CreateSales)]
}

struct CreateFlow;

impl MigrationName for CreateFlow {
    fn name(&self) -> &str {
        "analytics_0001_create_flow"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateFlow {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for slot in [Slot::First, Slot::Second] {
            create_in(schema, slot, "flow", flow(schema), indexes()).await?;
            create_in(schema, slot, "part", part(schema), Vec::new()).await?;
        }
        Ok(())
    }
}

fn flow(schema: &SchemaManager) -> TableCreateStatement {
    let mut flow = Table::create();
    flow.col(key(schema, "order_id"))
        .col(key(schema, "event"))
        .col(key(schema, "cause"))
        .col(text_null("event_id"))
        .col(number_null("since"))
        .col(number_null("due"))
        .col(number_null("settled"))
        .col(text_null("settled_by"))
        .col(text_null("source"))
        .col(number_null("partition"))
        .col(number_null("position"))
        .primary_key(Index::create().col("order_id").col("event").col("cause"));
    flow
}

fn part(schema: &SchemaManager) -> TableCreateStatement {
    let mut part = Table::create();
    part.col(key(schema, "cause").primary_key()).col(number("done")).col(number("last"));
    part
}

/// What waits stands together, by since when; so does what one partition of a log has settled, by its place there.
fn indexes() -> Vec<IndexCreateStatement> {
    let mut waiting = Index::create().name("flow_waiting").to_owned();
    let mut settled = Index::create().name("flow_settled").to_owned();
    for column in ["settled", "since", "order_id", "event", "cause"] {
        waiting.col(column);
    }
    for column in ["source", "partition", "position"] {
        settled.col(column);
    }
    vec![waiting, settled]
}
