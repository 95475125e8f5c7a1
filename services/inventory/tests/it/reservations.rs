//! What a reservation does to levels, over both stores.

use contracts::tradewind::inventory::v1::ReservationStatus;
use contracts::tradewind::ordering::v1::ShortLine;
use inventory::app;
use prost::Message;
use tradewind_testing::{Database, both_stores};

use crate::warehouse::{Warehouse, order, part};

both_stores! {
    async fn an_order_takes_from_the_fullest_locations(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 2).await;
        warehouse.receive("TEA", "york", 3).await;
        warehouse.receive("POT", "hull", 1).await;
        let order = order();

        warehouse.place(&order, &[("TEA", 1), ("POT", 1), ("TEA", 3)]).await.unwrap();

        let reservation = warehouse.reservation(&order).await;
        assert_eq!(reservation.status(), ReservationStatus::Reserved);
        assert_eq!(reservation.allocations, [part("POT", "hull", 1), part("TEA", "york", 3), part("TEA", "hull", 1)]);
        assert_eq!(warehouse.open_reservations().await, [reservation]);
        let available: Vec<i64> = warehouse.levels().await.iter().map(|level| level.available).collect();
        assert_eq!(available, [0, 1, 0], "of POT@hull, TEA@hull, TEA@york");
        warehouse.assert_balanced().await;
    }

    async fn an_order_of_more_parts_than_one_statement_takes_is_reserved_and_released(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        let skus: Vec<String> = (0..1000).map(|sku| format!("SKU-{sku:04}")).collect();
        warehouse.scatter(&skus, 22).await;
        let lines: Vec<(&str, i32)> = skus.iter().map(|sku| (sku.as_str(), 22)).collect();
        let order = order();

        warehouse.place(&order, &lines).await.unwrap();
        let reservation = warehouse.reservation(&order).await;
        assert_eq!((reservation.status(), reservation.allocations.len()), (ReservationStatus::Reserved, 22_000));
        assert!(warehouse.levels().await.iter().all(|level| level.reserved == 1));
        assert_eq!(warehouse.open_reservations().await, [reservation]);

        warehouse.cancel(&order).await.unwrap();
        assert!(warehouse.levels().await.iter().all(|level| level.reserved == 0 && level.available == 1));
        assert_eq!(warehouse.open_reservations().await, []);
    }

    async fn a_page_of_large_reservations_is_short_and_names_the_next(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        let orders: Vec<String> = (0..9).map(|number| format!("0190163d-8694-739b-aea5-{number:012}")).collect();
        warehouse.hold(&orders, 700_000).await;
        let (mut after, mut pages, mut listed) = (String::new(), Vec::new(), Vec::new());
        loop {
            let page = app::list_open_reservations(&warehouse.store, &after, 1000).await.unwrap();
            assert!(page.encoded_len() < 2_000_000, "{}", page.encoded_len());
            pages.push(page.reservations.len());
            listed.extend(page.reservations.into_iter().map(|reservation| reservation.order_id));
            after = page.next_page_token;
            if after.is_empty() {
                break;
            }
        }
        assert_eq!((pages, listed), (vec![2, 2, 2, 2, 1], orders));
    }

    async fn a_short_order_takes_nothing_and_every_short_line_is_named(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 2).await;
        warehouse.receive("TEA", "york", 1).await;
        warehouse.receive("POT", "hull", 5).await;
        let before = warehouse.levels().await;
        let order = order();

        warehouse.place(&order, &[("TEA", 4), ("POT", 5), ("CUP", 1)]).await.unwrap();

        let reservation = warehouse.reservation(&order).await;
        let short = |sku: &str, requested, available| ShortLine { sku: sku.to_owned(), requested, available };
        assert_eq!(reservation.status(), ReservationStatus::Rejected);
        assert_eq!(reservation.short_lines, [short("CUP", 1, 0), short("TEA", 4, 3)]);
        assert_eq!(warehouse.levels().await, before);
        assert_eq!(warehouse.open_reservations().await, []);
        warehouse.cancel(&order).await.unwrap();
        assert_eq!(warehouse.levels().await, before);
    }

    async fn a_release_returns_exactly_what_was_taken(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 2).await;
        warehouse.receive("TEA", "york", 3).await;
        let before = warehouse.levels().await;
        let order = order();
        warehouse.place(&order, &[("TEA", 4)]).await.unwrap();
        assert_ne!(warehouse.levels().await, before);

        warehouse.cancel(&order).await.unwrap();
        warehouse.cancel(&order).await.unwrap();

        assert_eq!(warehouse.levels().await, before);
        assert_eq!(warehouse.reservation(&order).await.status(), ReservationStatus::Released);
        assert_eq!(warehouse.open_reservations().await, []);
    }

    async fn what_is_shipped_is_no_longer_on_hand(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 5).await;
        let order = order();
        warehouse.place(&order, &[("TEA", 2)]).await.unwrap();

        warehouse.dispatch(&order).await.unwrap();
        warehouse.dispatch(&order).await.unwrap();

        let level = warehouse.level("TEA").await;
        assert_eq!((level.received, level.shipped, level.on_hand, level.reserved, level.available), (5, 2, 3, 0, 3));
        assert_eq!(warehouse.reservation(&order).await.status(), ReservationStatus::Shipped);
        warehouse.assert_balanced().await;
    }

    async fn an_order_placed_twice_is_answered_once(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 5).await;
        let order = order();

        warehouse.place(&order, &[("TEA", 2)]).await.unwrap();
        warehouse.place(&order, &[("TEA", 2)]).await.unwrap();

        assert_eq!(warehouse.level("TEA").await.reserved, 2);
        warehouse.assert_balanced().await;
    }

    async fn a_reservation_that_is_listed_is_never_overwritten(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 5).await;
        let order = order();
        warehouse.hold(std::slice::from_ref(&order), 1).await;
        let before = warehouse.open_reservations().await;

        let error = warehouse.place(&order, &[("TEA", 2)]).await.unwrap_err();

        assert!(!error.kind.is_transient(), "{error:?}");
        assert_eq!((warehouse.open_reservations().await, warehouse.level("TEA").await.reserved), (before, 0));
    }

    async fn orders_of_one_transaction_see_each_other(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 3).await;
        let orders = [order(), order()];
        let batch = orders.clone().map(|order| (order, vec![("TEA", 2)]));

        warehouse.place_batch(&batch).await.unwrap();

        assert_eq!(warehouse.reservation(&orders[0]).await.status(), ReservationStatus::Reserved);
        assert_eq!(warehouse.reservation(&orders[1]).await.status(), ReservationStatus::Rejected);
        warehouse.assert_balanced().await;
    }

    async fn what_an_order_gives_back_another_of_its_transaction_can_have(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 3).await;
        let (first, second) = (order(), order());
        warehouse.place(&first, &[("TEA", 2)]).await.unwrap();
        warehouse.cancel_and_place(&first, &second, &[("TEA", 3)]).await.unwrap();
        assert_eq!(warehouse.reservation(&first).await.status(), ReservationStatus::Released);
        assert_eq!(warehouse.reservation(&second).await.status(), ReservationStatus::Reserved);
        assert_eq!(warehouse.level("TEA").await.available, 0);
        warehouse.assert_balanced().await;
    }

    async fn an_order_without_lines_is_refused_for_good(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        let error = warehouse.place(&order(), &[]).await.unwrap_err();
        assert!(!error.kind.is_transient(), "{error:?}");
        assert_eq!(error.reason, "INVALID_DEMAND");
    }

    async fn open_reservations_come_in_pages(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 10).await;
        let mut orders: Vec<String> = (0..5).map(|_| order()).collect();
        for order in &orders {
            warehouse.place(order, &[("TEA", 1)]).await.unwrap();
        }
        orders.sort();
        let (mut seen, mut after) = (Vec::new(), String::new());
        for expected in [2, 2, 1] {
            let page = app::list_open_reservations(&warehouse.store, &after, 2).await.unwrap();
            assert_eq!(page.reservations.len(), expected);
            seen.extend(page.reservations.into_iter().map(|reservation| reservation.order_id));
            after = page.next_page_token;
        }
        assert_eq!((seen, after), (orders, String::new()));
    }
}
