//! The table of this context.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, text};
use tradewind_sql::columns::{create_clustered, key, number};

/// The tables of this context, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateProduct)]
}

struct CreateProduct;

impl MigrationName for CreateProduct {
    fn name(&self) -> &str {
        "catalog_0001_create_product"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateProduct {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut product = Table::create();
        product
            .table("product")
            .col(key(schema, "product_id").primary_key())
            .col(text("sku"))
            .col(text("name"))
            .col(text("description"))
            .col(text("currency"))
            .col(number("price").check(Expr::col("price").gt(0)))
            .col(boolean("retired"))
            .col(number("created"))
            .col(number("updated"));
        create_clustered(schema, product).await
    }
}
