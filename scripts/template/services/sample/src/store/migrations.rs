//! The table of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;
use tradewind_sql::columns::{create_clustered, key, number};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateItem)]
}

struct CreateItem;

impl MigrationName for CreateItem {
    fn name(&self) -> &str {
        "sample_0001_create_item"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateItem {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut item = Table::create();
        item.table("item").col(key(schema, "item_id").primary_key()).col(text("name")).col(number("created"));
        create_clustered(schema, item).await
    }
}
