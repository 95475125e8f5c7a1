//! Orders that come to every end there is.

use std::time::Duration;

use contracts::tradewind::catalog::v1::{RepriceProductRequest, RetireProductRequest};
use contracts::tradewind::consumer::v1::{PauseConsumerRequest, ResumeConsumerRequest};
use contracts::tradewind::inventory::v1::{CorrectStockRequest, correct_stock_request};
use contracts::tradewind::ordering::v1::{
    CancellationReason, EraseCustomerRequest, Order, OrderStatus, PlaceOrderRequest,
};
use system_tests::PATIENCE;
use system_tests::offer::{Offer, pounds};
use system_tests::shop::Shop;
use tradewind_testing::eventually;
use uuid::Uuid;

use CancellationReason::{Customer, Deadline, OutOfStock, PaymentDeclined, PaymentMismatch, ShipmentRejected};
use OrderStatus::{Cancelled, Confirmed, Delivered, Shipped};

const NEVER: CancellationReason = CancellationReason::Unspecified;

pub(super) async fn come_to_each_end(shop: &Shop) {
    let tea = shop.offer("tea", 450, 100).await;
    changes_of_the_catalogue_are_heard(shop).await;
    let card = |token: &str| PlaceOrderRequest { payment_token: token.to_owned(), ..tea.order(1) };
    let within = Some(Duration::from_secs(3).try_into().unwrap());
    for (order, end) in [
        (tea.order(1), (Confirmed, NEVER)),
        (tea.order(101), (Cancelled, OutOfStock)),
        (card("tok_declined"), (Cancelled, PaymentDeclined)),
        (card("tok_short"), (Cancelled, PaymentMismatch)),
        (PlaceOrderRequest { settle_within: within, ..card("tok_timeout") }, (Cancelled, Deadline)),
        (to_nowhere(tea.order(1)), (Cancelled, ShipmentRejected)),
    ] {
        let order = settled(shop, order).await;
        assert_eq!(ends(&order), end);
        if end.0 == Cancelled {
            nobody_is_told_why(shop, &order).await;
        }
    }
    somebody_counts_otherwise(shop).await;
    a_customer_changes_their_mind(shop, &tea).await;
    a_parcel_arrives_that_a_customer_wanted_to_stop(shop, &tea).await;
}

async fn somebody_counts_otherwise(shop: &Shop) {
    let level = shop.operator.stock().await.remove(0);
    let request = CorrectStockRequest {
        request_id: "counted".to_owned(),
        sku: level.sku,
        location: level.location,
        to: Some(correct_stock_request::To::Change(1)),
        reason: "one was behind the others".to_owned(),
    };
    shop.operator.inventory().correct_stock(request).await.unwrap();
}

fn ends(order: &Order) -> (OrderStatus, CancellationReason) {
    (order.status(), order.cancellation_reason())
}

async fn settled(shop: &Shop, order: PlaceOrderRequest) -> Order {
    let placed = shop.operator.place(order).await;
    shop.operator.settled(&placed.order_id).await
}

/// Notification has no words for what a later build calls the reason.
async fn nobody_is_told_why(shop: &Shop, order: &Order) {
    let address = &order.recipient.as_ref().unwrap().email;
    eventually(PATIENCE, "the letter says no reason", async || {
        let letters = shop.outside.letters_to(address).await;
        if letters.len() == 1 && letters[0].contains(" is cancelled.\n") { Ok(()) } else { Err(letters) }
    })
    .await;
}

fn to_nowhere(mut order: PlaceOrderRequest) -> PlaceOrderRequest {
    let address = order.recipient.as_mut().and_then(|recipient| recipient.address.as_mut()).unwrap();
    "99999".clone_into(&mut address.postal_code);
    order
}

/// What the price list has heard decides what an order is refused for.
async fn changes_of_the_catalogue_are_heard(shop: &Shop) {
    let cup = shop.offer("cup", 999, 1).await;
    let product_id = || "cup".to_owned();
    let request_id = || Uuid::new_v4().to_string();
    let reprice =
        RepriceProductRequest { request_id: request_id(), product_id: product_id(), price: Some(pounds(1_000)) };
    let repriced = shop.operator.catalog().reprice_product(reprice).await.unwrap().into_inner().position;
    assert_eq!(refused(shop, &cup, repriced, 999).await, "PRICE_CHANGED");
    let retire = RetireProductRequest { request_id: request_id(), product_id: product_id() };
    let retired = shop.operator.catalog().retire_product(retire).await.unwrap().into_inner().position;
    assert_eq!(refused(shop, &cup, retired, 1_000).await, "PRODUCT_RETIRED");
}

async fn refused(shop: &Shop, offer: &Offer, after: String, expected: i64) -> String {
    let order = PlaceOrderRequest { after: vec![after], expected_total: Some(pounds(expected)), ..offer.order(1) };
    eventually(PATIENCE, "ordering has read the catalogue's log", async || {
        let refused = shop.operator.try_place(order.clone()).await.expect_err("it is refused");
        let reason = tradewind_mesh::reason(&refused);
        reason.filter(|_| refused.code() == tonic::Code::FailedPrecondition).ok_or(refused)
    })
    .await
}

async fn a_customer_changes_their_mind(shop: &Shop, tea: &Offer) {
    let order = settled(shop, tea.order(1)).await;
    shop.operator.cancel(&order.order_id).await.unwrap();
    assert_eq!(ends(&shop.operator.settled(&order.order_id).await), (Cancelled, Customer));
}

/// Ordering hears of the dispatch only after it has let the customer ask.
async fn a_parcel_arrives_that_a_customer_wanted_to_stop(shop: &Shop, tea: &Offer) {
    let consumer = || "ordering".to_owned();
    let (mut orders, mut customer) = (Vec::new(), String::new());
    for _ in 0..3 {
        let order = settled(shop, tea.order(1)).await;
        shop.operator.cleared(&order.order_id).await;
        orders.push(order.order_id);
        customer = order.customer_id;
    }
    let mut ordering = shop.operator.consumers_of("ordering");
    let pause = PauseConsumerRequest { consumer: consumer(), reason: "a parcel leaves unheard".to_owned() };
    ordering.pause_consumer(pause).await.unwrap();
    let mut asked = 0;
    for order in &orders {
        shop.operator.dispatch(order).await.unwrap();
        // What the reader had in its hands when it was paused, it has heard.
        asked += usize::from(shop.operator.cancel(order).await.is_ok());
    }
    assert!(asked > 0, "ordering was not paused");
    ordering.resume_consumer(ResumeConsumerRequest { consumer: consumer() }).await.unwrap();
    for order in &orders {
        shop.operator.reaches(order, &[Shipped]).await;
        shop.operator.deliver(order).await.unwrap();
        shop.operator.reaches(order, &[Delivered]).await;
    }
    let forgotten = EraseCustomerRequest { customer_id: customer };
    shop.operator.ordering().erase_customer(forgotten).await.unwrap();
}
