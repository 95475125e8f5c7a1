//! Who keeps sales and answers for them: sums in tables of the service's own database, or facts in ClickHouse. The one place where it
//! makes a difference.

use std::sync::Arc;
use std::time::Duration;

use tradewind_domain::Error;
use tradewind_projections::{Projection, Slot, seen};
use tradewind_store::Store;

use super::sales::made_of_events;
use crate::clickhouse::{self, ClickHouse};
use crate::domain::Taken;
use crate::store::sales::{
    SalePlace, StepSum, StockPlace, WantedSales, customer, put, sale, sale_line, sold, sold_page, step_sums, stock,
    stock_page, stock_taken, taken, taken_step,
};

/// How long what has to be seen is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the projection in tables is called.
const TABLES: &str = "analytics.sales";
/// And the one in ClickHouse: each has read as far as it has, whichever is kept.
const FACTS: &str = "analytics.facts";

/// Sales, wherever they are.
#[derive(Clone)]
pub struct Sales {
    store: Store,
    facts: Option<ClickHouse>,
}

impl Sales {
    /// Sales in the tables of `store`, or else in ClickHouse.
    pub(crate) fn new(store: Store, facts: Option<ClickHouse>) -> Self {
        Self { store, facts }
    }

    /// The database where it is known how far they have read.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What keeps them.
    #[must_use]
    pub fn projection(&self) -> Projection {
        match &self.facts {
            None => {
                let tables = Projection::new(TABLES, 1)
                    .table::<sale::Entity>()
                    .table::<sale_line::Entity>()
                    .table::<customer::Entity>()
                    .table::<sold::Entity>()
                    .table::<taken_step::Entity>()
                    .table::<stock::Entity>()
                    .table::<stock_taken::Entity>();
                made_of_events(tables, |writer, fact| {
                    put(writer, fact);
                    Ok(())
                })
            }
            Some(facts) => {
                let facts = Projection::new(FACTS, clickhouse::VERSION).sink(Arc::new(facts.clone()));
                made_of_events(facts, |writer, fact| clickhouse::send(writer, &fact))
            }
        }
    }

    /// Up to `limit` of the sums that follow `after` by start, key and currency, once what the tokens `seen` stand for is among them.
    ///
    /// # Errors
    /// `Unavailable` when the database or ClickHouse is, or what must be seen has not arrived.
    pub(super) async fn sold(
        &self,
        seen: &[String],
        wanted: &WantedSales,
        after: Option<SalePlace>,
        limit: usize,
    ) -> Result<Vec<sold::Model>, Error> {
        let slot = self.seen(seen).await?;
        match &self.facts {
            None => sold_page(self.store.reader(), slot, wanted, after, limit).await,
            Some(facts) => facts.sold(slot, wanted, after.as_ref(), limit).await,
        }
    }

    /// The steps of the orders that were placed in these days, in order; each class of times by itself where `classes` is so.
    ///
    /// # Errors
    /// As of [`sold`](Self::sold).
    pub(super) async fn steps(&self, seen: &[String], days: (i64, i64), classes: bool) -> Result<Vec<StepSum>, Error> {
        let slot = self.seen(seen).await?;
        match &self.facts {
            None => step_sums(self.store.reader(), slot, days, classes).await,
            Some(facts) => facts.steps(slot, days, classes).await,
        }
    }

    /// Up to `limit` of what is available that follow `after`, by SKU and location, with what was taken there from a day to another, which
    /// is among them; of one SKU where one is named.
    ///
    /// # Errors
    /// As of [`sold`](Self::sold).
    pub(super) async fn stock(
        &self,
        seen: &[String],
        sku: Option<&str>,
        after: Option<StockPlace>,
        limit: usize,
        days: (i64, i64),
    ) -> Result<Vec<(stock::Model, Taken)>, Error> {
        let slot = self.seen(seen).await?;
        if let Some(facts) = &self.facts {
            return facts.stock(slot, sku, after.as_ref(), limit, days).await;
        }
        let rows = stock_page(self.store.reader(), slot, sku, after, limit).await?;
        let mut skus: Vec<_> = rows.iter().map(|row| row.sku.clone()).collect();
        skus.dedup();
        let mut taken = taken(self.store.reader(), slot, &skus, days).await?;
        let of = |row: stock::Model| {
            let taken = taken.remove(&(row.sku.clone(), row.location.clone())).unwrap_or_default();
            (row, taken)
        };
        Ok(rows.into_iter().map(of).collect())
    }

    async fn seen(&self, after: &[String]) -> Result<Slot, Error> {
        let name = if self.facts.is_some() { FACTS } else { TABLES };
        seen(&self.store, name, after, PATIENCE).await
    }
}
