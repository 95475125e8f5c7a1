//! The tables of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, text, text_null};
use tradewind_sql::columns::{create_clustered, number, number_null};

use crate::webhooks::table::CreateWebhooks;

/// The tables of this context, oldest first.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateNotification), Box::new(AddFailure), Box::new(CreateWebhooks), Box::new(ForgetGivenUp)]
}

struct CreateNotification;

impl MigrationName for CreateNotification {
    fn name(&self) -> &str {
        "notification_0001_create_notification"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateNotification {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut notification = Table::create();
        notification
            .table("notification")
            .col(text("order_id"))
            .col(number("kind"))
            .col(text("recipient"))
            .col(text("subject"))
            .col(text("body"))
            .col(number("written"))
            .col(boolean("sent"))
            .col(number_null("sent_time"))
            .col(boolean("failed"))
            .primary_key(Index::create().col("order_id").col("kind"));
        create_clustered(schema, notification).await
    }
}

/// Adds why a message was given up.
struct AddFailure;

impl MigrationName for AddFailure {
    fn name(&self) -> &str {
        "notification_0002_add_failure"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddFailure {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.alter_table(Table::alter().table("notification").add_column(text_null("failure")).take()).await
    }
}

/// Drops the addresses of messages about accounts that were given up: such a row does not say whose it is, and nobody would find it when
/// they are erased.
struct ForgetGivenUp;

impl MigrationName for ForgetGivenUp {
    fn name(&self) -> &str {
        "notification_0004_forget_given_up"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ForgetGivenUp {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        super::forget_given_up(schema.get_connection()).await
    }
}
