//! The tables of sales, each in both slots.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;
use tradewind_projections::{Slot, create_in};
use tradewind_sql::columns::{key, number, number_null};

/// The table of an entity in a slot, by the name that the statements which count know it by.
pub(super) fn table_in(slot: Slot, own: &str) -> Alias {
    Alias::new(slot.table(own))
}

pub(in crate::store) struct CreateSales;

impl MigrationName for CreateSales {
    fn name(&self) -> &str {
        "analytics_0002_create_sales"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateSales {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for slot in [Slot::First, Slot::Second] {
            create_in(schema, slot, "sale", sale(schema), sale_indexes()).await?;
            for (name, keys, numbers, index) in TABLES {
                create_in(schema, slot, name, table(schema, keys, numbers), index.iter().map(indexed).collect())
                    .await?;
            }
        }
        Ok(())
    }
}

/// The columns of a key, of which the second kind are numbers; and the other numbers.
type Keys = &'static [(&'static str, bool)];
/// The name of an index, and its columns.
type Indexed = (&'static str, &'static [&'static str]);

const TABLES: [(&str, Keys, &[&str], &[Indexed]); 6] = [
    ("sale_line", &[("order_id", false), ("product_id", false)], &["units", "amount"], &[]),
    ("customer", &[("customer_id", false)], &["moved"], &[("customer_moved", &["moved"])]),
    (
        "sold",
        &[("kind", true), ("span", true), ("start", true), ("key", false), ("currency", false)],
        &["orders", "units", "amount", "cancelled_orders", "cancelled_units", "cancelled_amount"],
        &[("sold_of_key", &["kind", "span", "key", "start", "currency"])],
    ),
    (
        "taken_step",
        &[("span", true), ("start", true), ("step", true), ("reason", true), ("class", true)],
        &["orders"],
        &[],
    ),
    ("stock", &[("sku", false), ("location", false)], &["available"], &[]),
    ("stock_taken", &[("sku", false), ("location", false), ("day", true)], &["units"], &[]),
];

fn table(schema: &SchemaManager<'_>, keys: Keys, numbers: &[&'static str]) -> TableCreateStatement {
    let (mut table, mut primary) = (Table::create(), Index::create());
    for (name, is_number) in keys {
        table.col(if *is_number { number(*name) } else { key(schema, *name) });
        primary.col(*name);
    }
    for name in numbers {
        table.col(number(*name));
    }
    if keys.iter().any(|(name, _)| *name == "customer_id") {
        table.col(key(schema, "cohort"));
    }
    table.primary_key(&mut primary);
    table
}

fn indexed((name, columns): &Indexed) -> IndexCreateStatement {
    let mut index = Index::create().name(*name).to_owned();
    for column in *columns {
        index.col(*column);
    }
    index
}

fn sale(schema: &SchemaManager<'_>) -> TableCreateStatement {
    let mut sale = Table::create();
    sale.col(key(schema, "order_id").primary_key()).col(key(schema, "customer_id")).col(text("country"));
    sale.col(text("currency"));
    for name in ["units", "amount", "day", "week", "month"] {
        sale.col(number(name));
    }
    for name in ["placed", "stock_confirmed", "paid", "confirmed", "shipped", "delivered", "cancelled"] {
        sale.col(number_null(name));
    }
    sale.col(number("reason")).col(number("changed")).col(number("counted")).col(key(schema, "cohort"));
    sale
}

/// What has changed stands together, and so do the orders of a customer.
fn sale_indexes() -> Vec<IndexCreateStatement> {
    [("sale_changed", &["changed"][..]), ("sale_of_customer", &["customer_id"])].iter().map(indexed).collect()
}
