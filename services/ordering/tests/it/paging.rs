//! Pages of found orders: each that did not change is there once, whatever comes meanwhile, and none takes long to say that nothing is
//! there.

use std::collections::BTreeMap;

use contracts::tradewind::ordering::v1::{ListOrdersRequest, ListOrdersResponse, PlaceOrderRequest};
use ordering::store::{listed_line, listed_order};
use prost::Message;
use sea_orm::{DatabaseConnection, EntityTrait, IntoActiveModel};
use tonic::Code;
use tradewind_domain::OrderId;
use tradewind_mesh::{reason, violations};
use tradewind_testing::{Database, block_on, both_stores};

use crate::shop::{StandInShop, line};

/// More than are looked at for one page.
const MANY: usize = 10_400;
/// Rows in a statement.
const AT_ONCE: usize = 400;

async fn list(shop: &StandInShop, request: &ListOrdersRequest) -> ListOrdersResponse {
    shop.orders.clone().list_orders(request.clone()).await.unwrap().into_inner()
}

fn asked(filter: &str, order_by: &str, page_size: i32) -> ListOrdersRequest {
    let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
    ListOrdersRequest { filter, order_by, page_size, ..ListOrdersRequest::default() }
}

both_stores! {
    async fn pages_have_each_order_once_while_others_come(database: Database) {
        let shop = StandInShop::open(database).await;
        let (mut orders, mut after) = (Vec::new(), Vec::new());
        for quantity in 0..12 {
            let lines = vec![line("tea", 1 + quantity % 3)];
            let answer = shop.orders.clone().place_order(PlaceOrderRequest { lines, ..shop.request("") }).await.unwrap();
            let answer = answer.into_inner();
            orders.push(answer.order.unwrap().order_id);
            after = vec![answer.position];
        }
        // What an order is sorted by does not change, while it is confirmed and others are placed between any two pages.
        for order_by in ["", "create_time", "total.minor desc", "total.minor desc, create_time"] {
            for filter in ["tea", "lines.product_id:tea"] {
                let mut request = ListOrdersRequest { after: after.clone(), ..asked(filter, order_by, 5) };
                let mut seen = BTreeMap::<String, usize>::new();
                for page in 0.. {
                    assert!(page < 100, "{filter}, {order_by}: it has no end");
                    let found = list(&shop, &request).await;
                    found.orders.into_iter().for_each(|order| *seen.entry(order.order_id).or_default() += 1);
                    if found.next_page_token.is_empty() {
                        break;
                    }
                    request.page_token = found.next_page_token;
                    if page < 2 {
                        // One that has its place among them, and one that not every filter finds.
                        shop.place(shop.request("")).await.unwrap();
                        let lines = vec![line("coffee", 1)];
                        shop.place(PlaceOrderRequest { lines, ..shop.request("") }).await.unwrap();
                    }
                }
                assert!(seen.values().all(|times| *times == 1), "{filter}, {order_by}: {seen:?}");
                assert!(orders.iter().all(|order| seen.contains_key(order)), "{filter}, {order_by}: {seen:?}");
            }
        }
        shop.close().await;
    }

    async fn what_is_rare_among_many_is_found_a_stretch_at_a_time(database: Database) {
        let shop = StandInShop::open(database).await;
        let connection = tradewind_sql::connect(&shop.database_url("ordering")).await.unwrap();
        let ids = fill(&connection).await;
        for (filter, order_by) in [
            ("country = IE", ""),
            ("lines.name:rare", ""),
            ("rare", "create_time desc"),
            ("lines.sku:SKU lines.name:rare", ""),
            ("country = IE", "total.minor"),
        ] {
            let request = asked(filter, order_by, 10);
            let first = list(&shop, &request).await;
            assert!(first.orders.is_empty() && !first.next_page_token.is_empty(), "{filter}, {order_by}");
            let next = list(&shop, &ListOrdersRequest { page_token: first.next_page_token, ..request }).await;
            let found: Vec<_> = next.orders.iter().map(|order| order.order_id.as_str()).collect();
            assert_eq!((found, next.next_page_token.as_str()), (vec![ids[0].as_str()], ""), "{filter}, {order_by}");
        }
        // An index finds that one.
        for filter in [
            "customer_id = rare",
            "lines.product_id:rare",
            "create_time < 1970-01-01T00:00:00.000001Z",
            &format!("order_id = {}", ids[0]),
        ] {
            let found = list(&shop, &asked(filter, "", 10)).await;
            assert_eq!((found.orders.len(), found.next_page_token.as_str()), (1, ""), "{filter}");
        }
        shop.close().await;
    }
}

/// Many orders, of which the oldest is unlike the others; their ids, the oldest first.
async fn fill(connection: &DatabaseConnection) -> Vec<String> {
    let ids: Vec<_> = (0..MANY).map(|_| OrderId::generate().to_string()).collect();
    let rare = |place: usize, rare: &str, usual: &str| if place == 0 { rare.to_owned() } else { usual.to_owned() };
    let rows: Vec<_> =
        (0..MANY).map(|place| row(place, &ids[place], &rare(place, "rare", "c-1"), &rare(place, "IE", "GB"))).collect();
    let lines = (0..MANY).map(|place| listed_line::Model {
        order_id: ids[place].clone(),
        product_id: rare(place, "rare", "tea"),
        sku: "SKU".to_owned(),
        name: rare(place, "rare", "Tea"),
        folded: rare(place, "rare\nrare\nsku", "tea\ntea\nsku"),
    });
    let lines: Vec<_> = lines.collect();
    for some in rows.chunks(AT_ONCE) {
        let insert = listed_order::Entity::insert_many(some.iter().cloned().map(IntoActiveModel::into_active_model));
        insert.exec_without_returning(connection).await.unwrap();
    }
    for some in lines.chunks(AT_ONCE) {
        let insert = listed_line::Entity::insert_many(some.iter().cloned().map(IntoActiveModel::into_active_model));
        insert.exec_without_returning(connection).await.unwrap();
    }
    ids
}

fn row(place: usize, order_id: &str, customer_id: &str, country: &str) -> listed_order::Model {
    let order = contracts::tradewind::ordering::v1::Order { order_id: order_id.to_owned(), ..Default::default() };
    let number = i64::try_from(place).unwrap();
    listed_order::Model {
        order_id: order_id.to_owned(),
        customer_id: customer_id.to_owned(),
        status: 4,
        version: 1,
        created: number,
        body: order.encode_to_vec(),
        updated: number,
        currency: "GBP".to_owned(),
        // The oldest is the dearest.
        total_minor: -number,
        country: country.to_owned(),
        recipient: None,
    }
}

#[test]
fn a_token_is_good_for_the_list_it_was_given_for_alone() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        let mut after = Vec::new();
        for _ in 0..3 {
            let answer = shop.orders.clone().place_order(shop.request("")).await.unwrap().into_inner();
            after = vec![answer.position];
        }
        let request = ListOrdersRequest { after, ..asked("tea", "create_time", 1) };
        let token = list(&shop, &request).await.next_page_token;
        let with = |filter: &str, order_by: &str, page_token: &str| ListOrdersRequest {
            page_token: page_token.to_owned(),
            ..asked(filter, order_by, 1)
        };
        assert_eq!(list(&shop, &with("tea", "create_time", &token)).await.orders.len(), 1);
        let of_customer = ListOrdersRequest { customer_id: "c-1".to_owned(), ..with("tea", "create_time", &token) };
        let changed = token.replacen(|c: char| c.is_ascii_digit(), "x", 1);
        let bare = OrderId::generate().to_string();
        for (request, expected) in [
            (with("tee", "create_time", &token), "PAGE_TOKEN_MISMATCH"),
            (with("tea", "create_time desc", &token), "PAGE_TOKEN_MISMATCH"),
            (with("", "", &token), "PAGE_TOKEN_MISMATCH"),
            (of_customer, "PAGE_TOKEN_MISMATCH"),
            (with("tea", "create_time", &changed), "INVALID_PAGE_TOKEN"),
            (with("tea", "create_time", &bare), "INVALID_PAGE_TOKEN"),
        ] {
            let refused = shop.orders.clone().list_orders(request).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some(expected)));
            assert_eq!(violations(&refused).pop().unwrap().field, "page_token");
        }
        // As a build before gave it.
        assert_eq!(list(&shop, &with("", "", &bare)).await.orders.len(), 1);
        shop.close().await;
    });
}
