//! One customer: what is asked for, what else is done, and the one outcome that is right.

use std::time::Duration;

use contracts::tradewind::{
    catalog::v1::{CreateProductRequest, Product, RepriceProductRequest},
    inventory::v1::ReceiveStockRequest,
    ordering::v1::{CancellationReason, Order, OrderStatus, PlaceOrderRequest, WatchOrderRequest},
};
use tonic::{Code, Status};
use tradewind_testing::eventually;

use super::Assortment;
use crate::chaos::PATIENCE;
use crate::offer::{Offer, pounds};
use crate::people::Person;

/// What a product costs that is new in the shop, at first and when it is ordered.
const NEW_PRICES: (i64, i64) = (500, 350);
/// Units that are delivered of it.
pub(super) const DELIVERY: i64 = 5;
/// The longest of one look at an order.
const LOOK: Duration = Duration::from_secs(5);

/// What a customer is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// The card provider answers too late, not at all, or twice with an excuse.
    Slow,
    Lost,
    Flaky,
    Declined,
    /// The card provider takes something else than it is asked for.
    Mistaken,
    /// The card provider refuses with more text than anybody can use.
    Wordy,
    OutOfStock,
    /// One of several after what is not enough for all.
    Scarce,
    Undeliverable,
    /// The carrier books without a number, or refuses with more text than anybody can use.
    Useless,
    /// The card provider never answers, and the customer cancels.
    Silent,
    /// Cancels at once.
    Hasty,
    /// Cancels what is confirmed.
    Regretful,
    Dispatched,
    /// The card provider never answers, and the deadline passes.
    Expired,
    /// Of a product that is listed, repriced and delivered while the other orders flow.
    New,
}

/// Somebody who orders something once.
pub(super) struct Customer {
    /// Makes every request of this customer its own.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) quantity: i32,
    pub(super) patience: Duration,
}

impl Customer {
    /// Orders, does what such a customer does, and sees the order end as it must.
    pub(super) async fn shop(&self, operator: &Person, assortment: &Assortment) -> Order {
        let mut request = match self.kind {
            Kind::New => self.list_a_product(operator, assortment).await,
            _ => self.request(assortment),
        };
        request.request_id.clone_from(&self.name);
        request.customer_id.clone_from(&self.name);
        request.recipient.as_mut().unwrap().email = format!("{}@example.com", self.name);
        let placed = eventually(PATIENCE, &format!("{self} places the order"), async || {
            operator.try_place(request.clone()).await
        })
        .await;
        let id = &placed.order_id;
        match self.kind {
            Kind::Silent | Kind::Hasty => self.cancel(operator, id).await,
            Kind::Regretful => {
                self.sees(operator, id, |order| order.status() == OrderStatus::Confirmed).await;
                self.cancel(operator, id).await;
            }
            Kind::Dispatched => self.dispatch(operator, id).await,
            _ => {}
        }
        let ended = self.sees(operator, id, |order| self.wishes(order)).await;
        if self.kind == Kind::New {
            assert_eq!(ended.total, Some(pounds(NEW_PRICES.1)), "{self} has the price of its time");
        }
        ended
    }

    fn request(&self, assortment: &Assortment) -> PlaceOrderRequest {
        let Assortment { tea, cup, scarce, gone } = assortment;
        let mut request = match self.kind {
            Kind::OutOfStock => PlaceOrderRequest { lines: vec![tea.line(1), gone.line(1)], ..tea.order(1) },
            Kind::Scarce => scarce.order(1),
            _ => PlaceOrderRequest { lines: vec![tea.line(self.quantity), cup.line(1)], ..tea.order(1) },
        };
        let token = match self.kind {
            Kind::Slow => "tok_slow",
            Kind::Lost => "tok_lost",
            Kind::Flaky => "tok_unavailable",
            Kind::Declined => "tok_declined",
            Kind::Mistaken => ["tok_short", "tok_over", "tok_currency"][self.variant(3)],
            Kind::Wordy => "tok_verbose",
            Kind::Silent | Kind::Expired => "tok_timeout",
            _ => "tok_ok",
        };
        token.clone_into(&mut request.payment_token);
        if self.kind == Kind::Expired {
            request.settle_within = Some(prost_types::Duration { seconds: 2, nanos: 0 });
        }
        let postal_code = match self.kind {
            Kind::Undeliverable => "99999",
            Kind::Useless => ["00NONUMBER", "00VERBOSE"][self.variant(2)],
            _ => return request,
        };
        let address = request.recipient.as_mut().and_then(|recipient| recipient.address.as_mut());
        postal_code.clone_into(&mut address.unwrap().postal_code);
        request
    }

    /// One of so many.
    fn variant(&self, count: usize) -> usize {
        usize::try_from(self.quantity).unwrap() % count
    }

    /// Lists a product, changes its price, has some delivered, and returns an order for one.
    async fn list_a_product(&self, operator: &Person, assortment: &Assortment) -> PlaceOrderRequest {
        let id = format!("new-{}", self.name);
        let (price, request_id) = (Some(pounds(NEW_PRICES.0)), format!("{}-list", self.name));
        let product =
            Product { product_id: id.clone(), sku: id.clone(), name: id.clone(), price, ..Product::default() };
        let listing = CreateProductRequest { request_id, product: Some(product) };
        eventually(PATIENCE, &format!("{id} is listed"), async || {
            operator.catalog().create_product(listing.clone()).await
        })
        .await;
        let (price, request_id) = (Some(pounds(NEW_PRICES.1)), format!("{}-price", self.name));
        let repricing = RepriceProductRequest { request_id, product_id: id.clone(), price: price.clone() };
        let repriced = eventually(PATIENCE, &format!("{id} is repriced"), async || {
            operator.catalog().reprice_product(repricing.clone()).await
        })
        .await;
        let delivery = ReceiveStockRequest {
            request_id: format!("{}-deliver", self.name),
            sku: id.clone(),
            location: "hull".to_owned(),
            quantity: DELIVERY,
        };
        eventually(PATIENCE, &format!("{id} is delivered"), async || {
            operator.inventory().receive_stock(delivery.clone()).await
        })
        .await;
        PlaceOrderRequest {
            lines: vec![Offer::of(&id).line(1)],
            expected_total: price,
            after: vec![repriced.into_inner().position],
            ..assortment.tea.order(1)
        }
    }

    async fn cancel(&self, operator: &Person, id: &str) {
        eventually(PATIENCE, &format!("{self} cancels"), async || match operator.cancel(id).await {
            // An earlier try came through, and all has been settled since.
            Err(refused) if refused.code() == Code::FailedPrecondition => Ok(()),
            answer => answer.map(drop),
        })
        .await;
    }

    /// Says so again until the order knows it, because any answer may be lost.
    async fn dispatch(&self, operator: &Person, id: &str) {
        eventually(PATIENCE, &format!("{self} is sent their parcel"), async || {
            let dispatched = operator.dispatch(id).await.map(drop);
            match look(operator, id).await?.status() {
                OrderStatus::Shipped => Ok(()),
                status => dispatched.and(Err(Status::internal(format!("{status:?}")))),
            }
        })
        .await;
    }

    async fn sees(&self, operator: &Person, id: &str, enough: impl Fn(&Order) -> bool) -> Order {
        eventually(PATIENCE, &format!("{self} sees how order {id} ends"), async || {
            let watched = tokio::time::timeout(LOOK, watch(operator, id, &enough)).await;
            watched.unwrap_or_else(|_| Err(Status::deadline_exceeded("nothing more was shown")))
        })
        .await
    }

    /// Whether this is how it must end.
    fn wishes(&self, order: &Order) -> bool {
        use CancellationReason::{Customer, Deadline, OutOfStock, PaymentDeclined, PaymentMismatch, ShipmentRejected};
        let ended = (order.status(), order.cancellation_reason());
        let cancelled = match self.kind {
            Kind::Plain | Kind::Slow | Kind::Lost | Kind::Flaky | Kind::New => None,
            Kind::Dispatched => return ended.0 == OrderStatus::Shipped,
            Kind::Declined | Kind::Wordy => Some(PaymentDeclined),
            Kind::Mistaken => Some(PaymentMismatch),
            Kind::OutOfStock => Some(OutOfStock),
            Kind::Undeliverable | Kind::Useless => Some(ShipmentRejected),
            Kind::Silent | Kind::Hasty | Kind::Regretful => Some(Customer),
            Kind::Expired => Some(Deadline),
            Kind::Scarce => return ended.0 == OrderStatus::Confirmed || ended == (OrderStatus::Cancelled, OutOfStock),
        };
        match cancelled {
            None => ended.0 == OrderStatus::Confirmed,
            Some(reason) => ended == (OrderStatus::Cancelled, reason),
        }
    }
}

impl std::fmt::Display for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the customer {} ({:?})", self.name, self.kind)
    }
}

/// What the order is at this moment.
async fn look(operator: &Person, id: &str) -> Result<Order, Status> {
    watch(operator, id, |_| true).await
}

/// The order, as soon as it is as wished.
async fn watch(operator: &Person, id: &str, enough: impl Fn(&Order) -> bool) -> Result<Order, Status> {
    let mut shown = operator.ordering().watch_order(WatchOrderRequest { order_id: id.to_owned() }).await?.into_inner();
    let mut last = None;
    while let Some(next) = shown.message().await? {
        let order = next.order.unwrap_or_default();
        if enough(&order) {
            return Ok(order);
        }
        last = Some(order);
    }
    Err(Status::internal(format!("it ended as {last:?}")))
}
