//! What others recorded before there were limits, and what a client invents, stops nobody.

use contracts::tradewind::{
    ordering::v1::{ListOrdersRequest, Order, OrderStatus, PlaceOrderRequest},
    shipping::v1::ShipmentRejected,
};
use ordering::store::listed_order;
use prost::{Message, Name};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Statement};
use tonic::{Code, Status};
use tradewind_domain::OrderId;
use tradewind_mesh::{reason, violations};
use tradewind_store::{Clock, Store, StoreOptions};
use tradewind_testing::{Database, block_on, both_stores};

use crate::shop::StandInShop;

/// Records an event of five megabytes about an order that nobody placed, as a build before could.
async fn record_a_giant(shop: &StandInShop, context: &'static str) {
    let (url, clock) = (shop.database_url(context), Clock::system());
    let store = Store::open(StoreOptions { url, context, migrations: Vec::new(), clock, partitions: None });
    let store = store.await.unwrap();
    let order_id = OrderId::generate().to_string();
    let event = ShipmentRejected { order_id: order_id.clone(), reason: "x".repeat(5_000_000) };
    let insert = "INSERT INTO event (stream, version, id, type, payload, partition_key, partition, time, correlation, \
         causation, traceparent) VALUES ($1, 1, $2, $3, $4, $5, 0, 0, '', '', '')";
    let values = [
        format!("said-{order_id}").into(),
        vec![7_u8; 16].into(),
        ShipmentRejected::full_name().into(),
        event.encode_to_vec().into(),
        order_id.into(),
    ];
    let tx = store.begin().await.unwrap();
    tx.conn().execute_raw(Statement::from_sql_and_values(store.backend(), insert, values)).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn an_event_that_is_larger_than_any_may_be_now_stops_no_order() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        record_a_giant(&shop, "shipping").await;
        let id = shop.place(shop.request("r-1")).await.unwrap().order_id;
        assert_eq!(shop.watch(&id).await.last().unwrap().status(), OrderStatus::Confirmed);
        shop.close().await;
    });
}

/// Code, reason and field of a refusal.
fn what(refused: &Status) -> (Code, String, String) {
    let field = violations(refused).pop().map(|violation| violation.field).unwrap_or_default();
    (refused.code(), reason(refused).unwrap_or_default(), field)
}

both_stores! {
    async fn a_page_of_large_orders_is_short_and_names_the_next(database: Database) {
        let shop = StandInShop::open(database).await;
        let mut orders: Vec<String> = (0..9).map(|_| OrderId::generate().to_string()).collect();
        let connection = tradewind_sql::connect(&shop.database_url("ordering")).await.unwrap();
        for order_id in &orders {
            let order =
                Order { order_id: order_id.clone(), cancellation_detail: "x".repeat(700_000), ..Order::default() };
            let row = listed_order::Model {
                order_id: order_id.clone(),
                customer_id: "c-9".to_owned(),
                status: 1,
                version: 1,
                created: 0,
                body: order.encode_to_vec(),
                updated: 0,
                currency: String::new(),
                total_minor: 0,
                country: String::new(),
                recipient: None,
            };
            let insert = listed_order::Entity::insert(row.into_active_model());
            insert.exec_without_returning(&connection).await.unwrap();
        }
        let mut request = ListOrdersRequest { page_size: 1000, customer_id: "c-9".to_owned(), ..ListOrdersRequest::default() };
        let (mut pages, mut listed) = (Vec::new(), Vec::new());
        loop {
            let page = shop.orders.clone().list_orders(request.clone()).await.unwrap().into_inner();
            assert!(page.encoded_len() < 2_000_000, "{}", page.encoded_len());
            pages.push(page.orders.len());
            listed.extend(page.orders.into_iter().map(|order| order.order_id));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        orders.sort_by(|one, other| other.cmp(one));
        assert_eq!((pages, listed), (vec![2, 2, 2, 2, 1], orders));
        shop.close().await;
    }

    async fn a_token_that_no_write_returned_is_refused_at_once(database: Database) {
        let shop = StandInShop::open(database).await;
        let order = async |after: &[&str]| {
            let after = after.iter().map(|token| (*token).to_owned()).collect();
            let refused = shop.place(PlaceOrderRequest { after, ..shop.request("") }).await;
            refused.map(|_| ()).map_err(|refused| what(&refused))
        };
        let list = async |after: &[&str]| {
            let after = after.iter().map(|token| (*token).to_owned()).collect();
            let request = ListOrdersRequest { after, ..ListOrdersRequest::default() };
            shop.orders.clone().list_orders(request).await.map(|_| ()).map_err(|refused| what(&refused))
        };
        let [_, log, partition, position] = *shop.seen.split(':').collect::<Vec<_>>() else { panic!("{}", shop.seen) };
        // Its log is known once it is read.
        assert_eq!(order(&[&shop.seen]).await, Ok(()));
        let malformed = [
            "?".to_owned(),
            format!("catalog:{partition}:0"),
            format!("catalog:{log}:{partition}:0"),
            format!("catalog:{log}:{partition}:+{position}"),
            format!("catalog:{log}:0{partition}:{position}"),
            format!("catalog:{}:{partition}:{position}", log.to_uppercase() + "0"),
            format!("{},", shop.seen),
            format!(" {}", shop.seen),
            format!("catalog:{log}:{partition}:18446744073709551616"),
            format!("catalog:{log}:65536:{position}"),
            vec![shop.seen.as_str(); 17].join(","),
            "x".repeat(2_000),
        ];
        let foreign = [
            format!("ware_house:{log}:{partition}:{position}"),
            format!("catalog:0000000000000000:{partition}:{position}"),
            format!("catalog:{log}:1:{position}"),
            format!("catalog:{log}:65535:{position}"),
            format!("ordering:{log}:{partition}:{position}"),
            format!("shipping:{log}:{partition}:{position}"),
            "CATALOG:0000000000000000:0:1".to_owned(),
        ];
        let malformed = malformed.iter().map(|token| ("POSITION_TOKEN_MALFORMED", token));
        for (reason, token) in malformed.chain(foreign.iter().map(|token| ("POSITION_TOKEN_FOREIGN", token))) {
            let expected = Err((Code::InvalidArgument, reason.to_owned(), "after[1]".to_owned()));
            assert_eq!(order(&[&shop.seen, token]).await, expected, "{token}");
            assert_eq!(list(&[&shop.seen, token]).await, expected, "{token}");
        }
        let seen = |count| vec![shop.seen.as_str(); count];
        let many = Err((Code::InvalidArgument, "TOO_MANY_POSITION_TOKENS".to_owned(), "after".to_owned()));
        assert_eq!((order(&seen(17)).await, list(&seen(17)).await), (many.clone(), many));
        assert_eq!((order(&seen(16)).await, list(&seen(16)).await), (Ok(()), Ok(())));
        shop.close().await;
    }

    async fn a_repetition_may_name_other_writes_that_it_must_see(database: Database) {
        let mut shop = StandInShop::open(database).await;
        let request = shop.request("r-1");
        let first = shop.place(request.clone()).await.unwrap();
        shop.reprice("coffee", crate::shop::money("EUR", 600)).await;
        for after in [vec![shop.seen.clone()], Vec::new(), vec![shop.seen.clone(), request.after[0].clone()]] {
            assert_eq!(shop.place(PlaceOrderRequest { after, ..request.clone() }).await.unwrap(), first);
        }
        let other = PlaceOrderRequest { customer_id: "c-2".to_owned(), ..request };
        let refused = what(&shop.place(other).await.unwrap_err());
        assert_eq!(refused, (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned(), "request_id".to_owned()));
        shop.close().await;
    }
}
