//! The tables of webhooks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, text, text_null};
use tradewind_sql::columns::{create_clustered, key, number, number_null};

/// Makes the tables of webhooks.
pub(crate) struct CreateWebhooks;

impl MigrationName for CreateWebhooks {
    fn name(&self) -> &str {
        "notification_0003_create_webhooks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateWebhooks {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        create_clustered(schema, endpoint(schema)).await?;
        // Not clustered: a body is large, and of a delivery everything is found by its indexes.
        schema.create_table(event(schema)).await?;
        schema.create_table(delivery(schema)).await?;
        let indexes: [(&str, &[&'static str]); 4] = [
            ("webhook_delivery_by_due", &["endpoint_id", "state", "due"]),
            ("webhook_delivery_by_subject", &["endpoint_id", "subject", "context", "position"]),
            ("webhook_delivery_by_place", &["endpoint_id", "place"]),
            ("webhook_delivery_by_since", &["endpoint_id", "state", "since"]),
        ];
        for (name, columns) in indexes {
            let mut index = Index::create();
            index.name(name).table("webhook_delivery");
            for column in columns {
                index.col(*column);
            }
            schema.create_index(index).await?;
        }
        Ok(())
    }
}

fn endpoint(schema: &SchemaManager) -> TableCreateStatement {
    let mut endpoint = Table::create();
    endpoint
        .table("webhook_endpoint")
        .col(key(schema, "endpoint_id").primary_key())
        .col(text("url"))
        .col(text("event_types"))
        .col(text("description"))
        .col(text("secret"))
        .col(text_null("previous_secret"))
        .col(number_null("previous_until"))
        .col(boolean("enabled"))
        .col(text("disabled_reason"))
        .col(number("created"))
        .col(number("updated"))
        .col(number_null("failing_since"));
    endpoint
}

fn event(schema: &SchemaManager) -> TableCreateStatement {
    let mut event = Table::create();
    event.table("webhook_event").col(key(schema, "event_id").primary_key()).col(text("body"));
    event
}

/// By its event first: so it is found out whether anybody is still to be told of one.
fn delivery(schema: &SchemaManager) -> TableCreateStatement {
    let mut delivery = Table::create();
    delivery
        .table("webhook_delivery")
        .col(key(schema, "event_id"))
        .col(key(schema, "endpoint_id"))
        .col(key(schema, "context"))
        .col(number("position"))
        .col(number("place"))
        .col(text("event_type"))
        .col(key(schema, "subject"))
        .col(number("state"))
        .col(number("attempts"))
        .col(number("due"))
        .col(number("status"))
        .col(text("failure"))
        .col(number("created"))
        .col(number("since"))
        .primary_key(Index::create().col("event_id").col("endpoint_id"));
    delivery
}
