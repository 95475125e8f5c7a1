//! How orders are settled, on SQLite and on PostgreSQL. Every shop closes its books at the end.

use contracts::tradewind::{
    catalog::v1::RepriceProductRequest,
    inventory::v1::StockLevel,
    money::v1::Money,
    notification::v1::{ListNotificationsRequest, NotificationKind},
    ordering::v1::{
        Address, CancellationReason, GetOrderHistoryRequest, Order, OrderStatus, PlaceOrderRequest, Recipient,
        ShortLine,
    },
};
use prost_types::Duration as WireDuration;
use tonic::{Code, Status};
use tradewind_mesh::{reason, violations};
use tradewind_testing::{Database, eventually};

use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;
use system_tests::offer::pounds;

/// Makes a story a test on either store.
macro_rules! stories {
    ($(async fn $name:ident($shop:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn story($shop: &mut Shop) $body

            #[test]
            fn on_sqlite() {
                in_a_shop(Database::sqlite, story);
            }

            #[test]
            fn on_postgres() {
                in_a_shop(Database::postgres, story);
            }
        }
    )+};
}

fn cancelled_for(order: &Order) -> (OrderStatus, CancellationReason) {
    (order.status(), order.cancellation_reason())
}

fn refusal(refused: &Status) -> (Code, String) {
    (refused.code(), reason(refused).unwrap_or_default())
}

async fn level(shop: &Shop, sku: &str) -> StockLevel {
    shop.operator.stock().await.into_iter().find(|level| level.sku == sku).expect("a level of that SKU")
}

/// What the card provider did for an order, in order.
async fn card_entries(shop: &Shop, order: &Order) -> Vec<(String, i64)> {
    let entries = shop.outside.card_statement().await.into_iter();
    let entries = entries.filter(|entry| entry.order_id == order.order_id);
    entries.map(|entry| (entry.kind, entry.amount_minor)).collect()
}

fn email(order: &Order) -> &str {
    &order.recipient.as_ref().unwrap().email
}

stories! {
    async fn an_order_is_confirmed_and_the_customer_is_told(shop) {
        let (tea, cup) = (shop.offer("tea", 450, 10).await, shop.offer("cup", 999, 10).await);
        let lines = vec![tea.line(2), cup.line(1), tea.line(1)];
        let placed = shop.operator.place(PlaceOrderRequest { lines, ..tea.order(1) }).await;
        assert_eq!((placed.status(), placed.total.clone()), (OrderStatus::Pending, Some(pounds(3 * 450 + 999))));

        let settled = shop.operator.settled(&placed.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed);
        assert!(!settled.tracking.is_empty(), "{settled:?}");
        let request = GetOrderHistoryRequest { order_id: placed.order_id.clone() };
        let history = shop.operator.ordering().get_order_history(request).await.unwrap().into_inner().entries;
        let happened: Vec<_> = history.iter().map(|entry| entry.r#type.rsplit('.').next().unwrap()).collect();
        assert_eq!(happened, ["OrderPlaced", "OrderStockConfirmed", "OrderPaid", "OrderConfirmed"]);

        eventually(PATIENCE, "the customer is told, once", async || {
            let mail = shop.outside.mail_to(email(&settled)).await;
            (mail.len() == 1).then_some(()).ok_or(mail)
        })
        .await;
        eventually(PATIENCE, "the message is known to be sent", async || {
            let request =
                ListNotificationsRequest { order_id: placed.order_id.clone(), ..ListNotificationsRequest::default() };
            let told = shop.operator.notification().list_notifications(request).await?.into_inner().notifications;
            let kinds: Vec<_> = told.iter().map(|message| (message.kind(), message.sent)).collect();
            let expected = [(NotificationKind::OrderConfirmed, true)];
            (kinds == expected).then_some(()).ok_or_else(|| Status::internal(format!("{told:?}")))
        })
        .await;
    }

    async fn an_order_is_settled_while_catalogue_and_notification_are_away(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        shop.stop("catalog").await;
        shop.stop("notification").await;
        let settled = shop.operator.settled(&shop.operator.place(tea.order(1)).await.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed);

        shop.start(&["catalog", "notification"]).await;
        eventually(PATIENCE, "the customer is told, late", async || {
            let mail = shop.outside.mail_to(email(&settled)).await;
            (mail.len() == 1).then_some(()).ok_or(mail)
        })
        .await;
    }

    async fn an_order_that_stock_does_not_cover_names_every_short_line_and_costs_nothing(shop) {
        let (tea, cup) = (shop.offer("tea", 450, 2).await, shop.offer("cup", 999, 0).await);
        let pot = shop.offer("pot", 2500, 5).await;
        let lines = vec![tea.line(3), cup.line(1), pot.line(1)];
        let placed = shop.operator.place(PlaceOrderRequest { lines, ..tea.order(1) }).await;

        let settled = shop.operator.settled(&placed.order_id).await;
        assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::OutOfStock));
        let mut short = settled.short_lines.clone();
        short.sort_by(|one, other| one.sku.cmp(&other.sku));
        let line = |sku: &str, requested, available| ShortLine { sku: sku.to_owned(), requested, available };
        assert_eq!(short, [line("cup", 1, 0), line("tea", 3, 2)]);
        assert_eq!(card_entries(shop, &settled).await, []);
        assert_eq!(level(shop, "pot").await.reserved, 0);
    }

    async fn a_declined_card_releases_the_stock(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        for token in ["tok_declined", "tok_insufficient"] {
            let order = PlaceOrderRequest { payment_token: token.to_owned(), ..tea.order(5) };
            let settled = shop.operator.settled(&shop.operator.place(order).await.order_id).await;
            assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::PaymentDeclined));
            assert_eq!(level(shop, "tea").await.available, 5, "{token}");
            let entries = card_entries(shop, &settled).await;
            assert!(entries.iter().all(|(kind, _)| kind == "decline"), "{entries:?}");
        }
    }

    async fn what_the_provider_takes_by_mistake_comes_back_as_it_was_taken(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        for (token, taken, currency) in
            [("tok_short", 1, "GBP"), ("tok_over", 901, "GBP"), ("tok_currency", 900, "EUR"), ("tok_no_id", 900, "GBP")]
        {
            let order = PlaceOrderRequest { payment_token: token.to_owned(), ..tea.order(2) };
            let settled = shop.operator.settled(&shop.operator.place(order).await.order_id).await;
            assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::PaymentMismatch), "{token}");
            assert_eq!(settled.cancellation_detail, "PROVIDER_MISMATCH", "{token}");
            assert_eq!(settled.refunded, Some(Money { currency: currency.to_owned(), minor: taken }), "{token}");
            let moved = [("capture".to_owned(), taken), ("refund".to_owned(), taken)];
            assert_eq!(card_entries(shop, &settled).await, moved, "{token}");
        }
        let order = PlaceOrderRequest { payment_token: "tok_zero".to_owned(), ..tea.order(2) };
        let settled = shop.operator.settled(&shop.operator.place(order).await.order_id).await;
        assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::PaymentDeclined));
        assert_eq!((settled.cancellation_detail.as_str(), settled.refunded), ("PROVIDER_MISMATCH", None));
        assert_eq!(level(shop, "tea").await.available, 5);
    }

    async fn no_text_of_the_outsides_stops_or_enters_the_shop(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        let to = |postal_code: &str| {
            let mut order = tea.order(1);
            let address = order.recipient.as_mut().and_then(|recipient| recipient.address.as_mut()).unwrap();
            postal_code.clone_into(&mut address.postal_code);
            order
        };
        let wordy = PlaceOrderRequest { payment_token: "tok_verbose".to_owned(), ..tea.order(1) };
        for (order, detail) in
            [(wordy, "UNNAMED"), (to("00VERBOSE"), "UNNAMED"), (to("00NONUMBER"), "CARRIER_MISMATCH")]
        {
            let settled = shop.operator.settled(&shop.operator.place(order).await.order_id).await;
            assert_eq!((settled.status(), settled.cancellation_detail.as_str()), (OrderStatus::Cancelled, detail));
        }
        let settled = shop.operator.settled(&shop.operator.place(tea.order(1)).await.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed, "others go on");
    }

    async fn a_parcel_that_nobody_delivers_is_refunded_once(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        let mut order = tea.order(2);
        let recipient = order.recipient.take().unwrap();
        let address = Address { postal_code: "99999".to_owned(), ..recipient.address.unwrap() };
        order.recipient = Some(Recipient { address: Some(address), ..recipient });

        let settled = shop.operator.settled(&shop.operator.place(order).await.order_id).await;
        assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::ShipmentRejected));
        assert_eq!(settled.refunded, Some(pounds(900)));
        assert_eq!(card_entries(shop, &settled).await, [("capture".to_owned(), 900), ("refund".to_owned(), 900)]);
        assert_eq!(level(shop, "tea").await.available, 5);
    }

    async fn a_customer_cancels_before_the_dispatch(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        let placed = shop.operator.place(tea.order(1)).await;
        assert_eq!(shop.operator.settled(&placed.order_id).await.status(), OrderStatus::Confirmed);

        shop.operator.cancel(&placed.order_id).await.unwrap();
        shop.operator.cancel(&placed.order_id).await.expect("repeating it changes nothing");
        let settled = shop.operator.settled(&placed.order_id).await;
        assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::Customer));
        assert_eq!(settled.refunded, Some(pounds(450)));
        let refused = shop.operator.dispatch(&placed.order_id).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
        assert_eq!(level(shop, "tea").await.available, 5);
    }

    async fn a_customer_cancels_while_the_order_is_being_settled(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        // Its charge is answered only after a while.
        let order = PlaceOrderRequest { payment_token: "tok_unavailable".to_owned(), ..tea.order(1) };
        let placed = shop.operator.place(order).await;
        shop.operator.cancel(&placed.order_id).await.unwrap();
        let settled = shop.operator.settled(&placed.order_id).await;
        assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::Customer));
    }

    async fn a_cancellation_after_the_dispatch_is_refused(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        let placed = shop.operator.place(tea.order(3)).await;
        shop.operator.cleared(&placed.order_id).await;
        shop.operator.dispatch(&placed.order_id).await.unwrap();
        shop.operator.reaches(&placed.order_id, &[OrderStatus::Shipped]).await;

        let refused = shop.operator.cancel(&placed.order_id).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ALREADY_SHIPPED".to_owned()));
        shop.operator.deliver(&placed.order_id).await.unwrap();
        shop.operator.reaches(&placed.order_id, &[OrderStatus::Delivered]).await;
        eventually(PATIENCE, "the customer is told that it left", async || {
            let mail = shop.outside.mail_to(email(&placed)).await;
            (mail.len() == 2).then_some(()).ok_or(mail)
        })
        .await;
    }

    async fn an_order_whose_provider_never_answers_is_cancelled_at_its_deadline(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        let order = PlaceOrderRequest {
            payment_token: "tok_timeout".to_owned(),
            settle_within: Some(WireDuration { seconds: 2, nanos: 0 }),
            ..tea.order(1)
        };
        let settled = shop.operator.settled(&shop.operator.place(order).await.order_id).await;
        assert_eq!(cancelled_for(&settled), (OrderStatus::Cancelled, CancellationReason::Deadline));
        assert_eq!(settled.refunded, None);
        assert_eq!(card_entries(shop, &settled).await, [("void".to_owned(), 0)], "no charge can succeed any more");
        assert_eq!(level(shop, "tea").await.available, 5);
    }

    async fn an_order_costs_what_the_catalogue_says(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        let repricing =
            RepriceProductRequest { request_id: String::new(), product_id: "tea".to_owned(), price: Some(pounds(475)) };
        let position = shop.operator.catalog().reprice_product(repricing).await.unwrap().into_inner().position;
        let after = vec![position];

        let old = PlaceOrderRequest { expected_total: Some(pounds(900)), after: after.clone(), ..tea.order(2) };
        let refused = shop.operator.try_place(old).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "PRICE_CHANGED".to_owned()));
        assert_eq!(violations(&refused)[0].field, "expected_total");
        let new = PlaceOrderRequest { expected_total: Some(pounds(950)), after, ..tea.order(2) };
        let placed = shop.operator.place(new).await;
        assert_eq!(placed.total, Some(pounds(950)));
        assert_eq!(placed.lines[0].unit_price, Some(pounds(475)));
        let settled = shop.operator.settled(&placed.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed);
        assert_eq!(card_entries(shop, &settled).await, [("capture".to_owned(), 950)]);
    }

    async fn a_repeated_request_is_one_order_and_of_another_principal_another(shop) {
        let tea = shop.offer("tea", 450, 5).await;
        let order = PlaceOrderRequest { request_id: "r-1".to_owned(), ..tea.order(1) };
        let first = shop.operator.place(order.clone()).await;
        let again = shop.operator.place(order.clone()).await;
        assert_eq!(again.order_id, first.order_id);
        let of_another = shop.person("gateway").place(order.clone()).await;
        assert_ne!(of_another.order_id, first.order_id);
        let changed = PlaceOrderRequest { lines: vec![tea.line(2)], ..order };
        let refused = shop.operator.try_place(changed).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned()));

        for order in [&first, &of_another] {
            assert_eq!(shop.operator.settled(&order.order_id).await.status(), OrderStatus::Confirmed);
        }
        eventually(PATIENCE, "there are two orders", async || shop.operator.orders().await.len() == 2).await;
        assert_eq!(level(shop, "tea").await.available, 3);
    }
}
