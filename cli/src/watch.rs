//! Following an order until it is settled.

use contracts::tradewind::ordering::v1::{Order, WatchOrderRequest, WatchOrderResponse};
use tonic::{Code, Status, Streaming};

use shop::Clients;

/// An order that is watched. A stream that its server ends, as one does that is replaced, is opened again.
pub(crate) struct Watch<'a> {
    shop: &'a Clients,
    order_id: String,
    shown: Option<Streaming<WatchOrderResponse>>,
    /// Of the order as it was last told.
    version: u64,
}

impl<'a> Watch<'a> {
    /// Opens nothing yet.
    pub(crate) fn new(shop: &'a Clients, order_id: &str) -> Self {
        Self { shop, order_id: order_id.to_owned(), shown: None, version: 0 }
    }

    /// The order when it differs from what was told before; nothing more when it is settled.
    ///
    /// # Errors
    /// What ordering answers when the stream is opened, or ends it with, but that it is going.
    pub(crate) async fn next(&mut self) -> Result<Option<WatchOrderResponse>, Status> {
        loop {
            let mut shown = match self.shown.take() {
                Some(shown) => shown,
                None => self.open().await?,
            };
            match shown.message().await {
                Ok(None) => return Ok(None),
                Ok(Some(change)) => {
                    self.shown = Some(shown);
                    let version = change.order.as_ref().map_or(0, |order| order.version);
                    if version > self.version {
                        self.version = version;
                        return Ok(Some(change));
                    }
                }
                Err(status) if status.code() == Code::Unavailable => {}
                Err(status) => return Err(status),
            }
        }
    }

    /// The order when it is settled.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub(crate) async fn settled(mut self) -> Result<Order, Status> {
        let mut last = None;
        while let Some(change) = self.next().await? {
            last = change.order;
        }
        last.ok_or_else(|| Status::internal("the stream ended without an order"))
    }

    async fn open(&self) -> Result<Streaming<WatchOrderResponse>, Status> {
        let mut ordering = self.shop.ordering().map_err(|error| Status::internal(error.to_string()))?;
        Ok(ordering.watch_order(WatchOrderRequest { order_id: self.order_id.clone() }).await?.into_inner())
    }
}
