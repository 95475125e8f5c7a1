//! Sales as facts in ClickHouse, where one machine is outgrown: what is written there of each event, and how it is summed up when it is
//! asked for. ClickHouse is no database of the service's own: it has no cursor and no transaction. So every row says by its key what it is
//! about, comes again where that is not certain, and counts once.
//!
//! Here SQL is text, which is nowhere else in a service: no query builder of the project knows this dialect. It is made of numbers, names
//! of this module, and [`literal`]s.

#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod lines;
mod literal;
mod server;
mod sold;
mod steps;
mod stock;
mod tables;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use tradewind_domain::Error;
use tradewind_projections::{Batch, Sink, Slot};
use tradewind_runtime::outside::{Certificate, Url};

pub(crate) use self::lines::{VERSION, send};
use self::server::Server;
use crate::domain::Taken;
use crate::store::sales::{SalePlace, StepSum, StockPlace, WantedSales, sold as sums, stock as levels};

/// A ClickHouse that keeps sales.
#[derive(Clone)]
pub(crate) struct ClickHouse(Arc<Kept>);

struct Kept {
    server: Server,
    /// Its tables are there.
    made: OnceCell<()>,
}

impl ClickHouse {
    /// The one at `url`, which names a database; a call that takes longer than `timeout` has failed. Nothing is asked yet. Where TLS is
    /// spoken, it may be known by an `authority` besides the public ones.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(url: Url, authority: Option<Certificate>, timeout: Duration) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Kept { server: Server::new(url, authority, timeout)?, made: OnceCell::new() })))
    }

    /// Up to `limit` of the sums that follow `after` by start, key and currency.
    ///
    /// # Errors
    /// `Unavailable` where it does not answer.
    pub(crate) async fn sold(
        &self,
        slot: Slot,
        wanted: &WantedSales,
        after: Option<&SalePlace>,
        limit: usize,
    ) -> Result<Vec<sums::Model>, Error> {
        let rows: Vec<sold::Row> = self.made().await?.ask(&sold::question(slot, wanted, after, limit)).await?;
        Ok(rows.into_iter().map(|row| row.model(wanted)).collect())
    }

    /// The steps of the orders that were placed in these days, in order; each class of times by itself where `classes` is so.
    ///
    /// # Errors
    /// As of [`sold`](Self::sold).
    pub(crate) async fn steps(&self, slot: Slot, days: (i64, i64), classes: bool) -> Result<Vec<StepSum>, Error> {
        self.made().await?.ask(&steps::question(slot, days, classes)).await
    }

    /// Up to `limit` of what is available that follow `after`, by SKU and location, with what was taken in these days; of one SKU where
    /// one is named.
    ///
    /// # Errors
    /// As of [`sold`](Self::sold).
    pub(crate) async fn stock(
        &self,
        slot: Slot,
        sku: Option<&str>,
        after: Option<&StockPlace>,
        limit: usize,
        days: (i64, i64),
    ) -> Result<Vec<(levels::Model, Taken)>, Error> {
        let rows: Vec<stock::Row> = self.made().await?.ask(&stock::question(slot, sku, after, limit, days)).await?;
        Ok(rows.into_iter().map(|row| row.taken(days)).collect())
    }

    /// The server, once its tables are there.
    async fn made(&self) -> Result<&Server, Error> {
        let Kept { server, made } = &*self.0;
        made.get_or_try_init(|| self.make_both()).await?;
        Ok(server)
    }

    async fn make_both(&self) -> Result<(), Error> {
        self.make(Slot::First).await?;
        self.make(Slot::Second).await
    }

    async fn make(&self, slot: Slot) -> Result<(), Error> {
        for (table, columns, order) in tables::ALL {
            self.0.server.change(&tables::create(slot, table, columns, order)).await?;
        }
        Ok(())
    }
}

impl Sink for ClickHouse {
    fn write(&self, slot: Slot, batch: Batch) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let server = self.made().await?;
            for (table, lines) in batch {
                server.insert(&slot.table(table), lines).await?;
            }
            Ok(())
        })
    }

    fn clear(&self, slot: Slot) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            // Also where somebody has removed them.
            self.make(slot).await?;
            for (table, ..) in tables::ALL {
                self.0.server.change(&tables::clear(slot, table)).await?;
            }
            Ok(())
        })
    }
}
