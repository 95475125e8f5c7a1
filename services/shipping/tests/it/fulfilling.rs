//! Parcels that are booked, leave and arrive, whatever the carrier does meanwhile.

use contracts::tradewind::shipping::v1::{ListShipmentsRequest, ShipmentStatus};
use serde_json::json;
use tonic::Code;
use tradewind_mesh::reason;
use tradewind_testing::{Database, block_on, both_stores, eventually};

use crate::surroundings::{DEADLINE, Surroundings};

both_stores! {
    async fn a_parcel_goes_all_the_way(database: Database) {
        let around = Surroundings::open(database).await;
        let operator = around.start().await;
        let order = around.order().await;
        let booked = operator.sees(&order, ShipmentStatus::Booked).await;
        assert!(booked.tracking.starts_with("TW"), "{booked:?}");
        assert_eq!((booked.items[0].sku.as_str(), booked.items[0].quantity), ("TEA-1", 2));

        let refused = operator.dispatch(&order).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::FailedPrecondition, Some("NOT_CLEARED")));
        let refused = operator.deliver(&order).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::FailedPrecondition, Some("NOT_DISPATCHED")));

        around.confirm(&order).await;
        operator.sees(&order, ShipmentStatus::Cleared).await;
        let dispatched = operator.dispatch(&order).await.unwrap();
        assert_eq!((dispatched.status(), &dispatched.tracking), (ShipmentStatus::Dispatched, &booked.tracking));
        assert!(dispatched.update_time.is_some() && dispatched.update_time != booked.update_time);
        assert_eq!(operator.dispatch(&order).await.unwrap(), dispatched);
        around.carrier_shows(&order, "dispatched").await;

        let delivered = operator.deliver(&order).await.unwrap();
        assert_eq!(delivered.status(), ShipmentStatus::Delivered);
        assert_eq!(operator.deliver(&order).await.unwrap(), delivered);
        assert_eq!(operator.dispatch(&order).await.unwrap(), delivered);
        around.carrier_shows(&order, "delivered").await;
        assert_eq!(operator.get(&order).await.unwrap(), delivered);
        operator.stop().await;
    }

    async fn shipments_are_listed_by_order_a_page_at_a_time(database: Database) {
        let around = Surroundings::open(database).await;
        let operator = around.start().await;
        let mut orders = Vec::new();
        for _ in 0..5 {
            orders.push(around.order().await);
        }
        orders.push(around.order_to("99999").await);
        for order in &orders[..5] {
            operator.sees(order, ShipmentStatus::Booked).await;
        }
        let expected = [vec![ShipmentStatus::Booked; 5], vec![ShipmentStatus::Rejected]].concat();
        eventually(DEADLINE, "all are listed as they stand", async || {
            let listed = operator.client.clone().list_shipments(ListShipmentsRequest::default()).await.unwrap();
            let statuses: Vec<_> = listed.into_inner().shipments.iter().map(|shipment| shipment.status()).collect();
            if statuses == expected { Ok(()) } else { Err(statuses) }
        })
        .await;
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListShipmentsRequest { page_size: 4, page_token };
            let page = operator.client.clone().list_shipments(request).await.unwrap().into_inner();
            listed.extend(page.shipments);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed.len(), orders.len());
        for (listed, order) in listed.iter().zip(&orders) {
            assert_eq!(*listed, operator.get(order).await.unwrap());
        }
        operator.stop().await;
    }
}

#[test]
fn an_address_nobody_delivers_to_is_rejected() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        let order = around.order_to("X1 1XX").await;
        let rejected = operator.sees(&order, ShipmentStatus::Rejected).await;
        assert_eq!((rejected.rejection_reason.as_str(), rejected.tracking.as_str()), ("UNDELIVERABLE_ADDRESS", ""));
        // The order then cancels itself, which owes nobody anything.
        around.cancel(&order).await;
        let next = around.order().await;
        operator.sees(&next, ShipmentStatus::Booked).await;
        assert_eq!(operator.get(&order).await.unwrap(), rejected);
        let refused = operator.dispatch(&order).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("ALREADY_REJECTED"));
        assert_eq!(around.carrier.statement(&order).await, ["rejected"]);
    });
}

#[test]
fn a_carrier_that_loses_answers_books_once() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        around.carrier.disturb(json!({ "lost_answer_rate": 0.4, "error_rate": 0.3 })).await;
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(around.order().await);
        }
        for order in &orders {
            operator.sees(order, ShipmentStatus::Booked).await;
            assert_eq!(around.carrier.statement(order).await, ["booked"]);
        }
    });
}

#[test]
fn the_carrier_hears_of_what_left_and_arrived_while_it_was_away() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        let (left, arrived) = (around.cleared(&operator).await, around.cleared(&operator).await);
        around.carrier.disturb(json!({ "down": true })).await;
        operator.dispatch(&left).await.unwrap();
        operator.dispatch(&arrived).await.unwrap();
        // Takes the place of the dispatch that the carrier has not heard of.
        operator.deliver(&arrived).await.unwrap();
        assert_eq!(around.carrier.statement(&arrived).await, ["booked"]);
        around.carrier.calm().await;
        around.carrier_shows(&left, "dispatched").await;
        around.carrier_shows(&arrived, "delivered").await;
    });
}
