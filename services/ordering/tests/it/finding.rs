//! Orders are found by what they are, in the order that is asked for; what cannot be asked for is refused with where it stands.

use contracts::tradewind::catalog::v1::ProductListed;
use contracts::tradewind::ordering::v1::{ListOrdersRequest, Order, OrderStatus, PlaceOrderRequest};
use ordering::store::{listed_line, listed_order};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use tonic::Code;
use tradewind_mesh::{reason, violations};
use tradewind_testing::{Database, block_on, both_stores, eventually};

use crate::shop::{DEADLINE, StandInShop, line, money};

fn asked(filter: &str, order_by: &str) -> ListOrdersRequest {
    ListOrdersRequest { filter: filter.to_owned(), order_by: order_by.to_owned(), ..ListOrdersRequest::default() }
}

/// Five orders, the oldest first, and a token of the last.
async fn placed(shop: &mut StandInShop) -> (Vec<Order>, String) {
    let gold = ProductListed {
        product_id: "assam".to_owned(),
        sku: "SKU-GOLD".to_owned(),
        name: "Assam \"Gold\" 100%".to_owned(),
        price: Some(money("GBP", 900)),
    };
    shop.seen = shop.say("catalog", "assam", gold).await;
    let (mut orders, mut position) = (Vec::new(), String::new());
    for (customer, country, lines) in [
        ("c-1", "GB", vec![line("tea", 2)]),
        ("c-2", "GB", vec![line("coffee", 1)]),
        ("c-1", "IE", vec![line("tea", 5), line("assam", 1)]),
        ("c-2", "GB", vec![line("tea", 2)]),
        ("c-3", "FR", vec![line("assam", 1)]),
    ] {
        let mut request = PlaceOrderRequest { customer_id: customer.to_owned(), lines, ..shop.request("") };
        request.recipient.as_mut().unwrap().address.as_mut().unwrap().country = country.to_owned();
        let answer = shop.orders.clone().place_order(request).await.unwrap().into_inner();
        orders.push(answer.order.unwrap());
        position = answer.position;
    }
    (orders, position)
}

/// Which of the orders are listed, by their place.
async fn found(shop: &StandInShop, orders: &[Order], request: ListOrdersRequest) -> Vec<usize> {
    let listed = shop.orders.clone().list_orders(request).await.unwrap().into_inner();
    assert_eq!(listed.next_page_token, "");
    let place = |found: Order| orders.iter().position(|order| order.order_id == found.order_id).unwrap();
    listed.orders.into_iter().map(place).collect()
}

both_stores! {
    async fn orders_are_found_by_each_field_and_sorted(database: Database) {
        let mut shop = StandInShop::open(database).await;
        let (orders, position) = placed(&mut shop).await;
        let seen = ListOrdersRequest { after: vec![position], ..ListOrdersRequest::default() };
        assert_eq!(found(&shop, &orders, seen).await, [4, 3, 2, 1, 0]);
        let (id, time) = (&orders[2].order_id, orders[2].create_time.unwrap().to_string());
        let day = &orders[0].create_time.unwrap().to_string()[..10];
        for (filter, expected) in [
            (format!("order_id = {id}"), vec![2]),
            (id.to_uppercase(), vec![2]),
            ("customer_id = c-2".to_owned(), vec![3, 1]),
            (format!("create_time > {time}"), vec![4, 3]),
            (format!("create_time <= {time}"), vec![2, 1, 0]),
            (format!("day >= {day} update_time >= {day}T00:00:00Z"), vec![4, 3, 2, 1, 0]),
            (format!("day < {day}"), vec![]),
            ("total.minor > 600 OR total.currency = EUR".to_owned(), vec![4, 2, 1]),
            ("total.minor >= 600 total.minor <= 900 total.currency != EUR".to_owned(), vec![4, 3, 0]),
            ("country = GB AND NOT customer_id = c-1".to_owned(), vec![3, 1]),
            ("lines.product_id:tea".to_owned(), vec![3, 2, 0]),
            ("lines.sku:SKU-GOLD -lines.product_id:tea".to_owned(), vec![4]),
            ("lines.product_id:tea lines.product_id:assam".to_owned(), vec![2]),
            ("lines.name:'Assam \"Gold\" 100%' OR lines.name:coffee".to_owned(), vec![4, 2, 1]),
            ("NOT lines.sku:*".to_owned(), vec![]),
            ("GOLD".to_owned(), vec![4, 2]),
            ("\"100%\"".to_owned(), vec![4, 2]),
            ("\"1_0\"".to_owned(), vec![]),
            ("sku-coffee OR (gold country = FR)".to_owned(), vec![4, 1]),
            // What is sensitive is not searched.
            ("ada OR leith OR quay OR EH6 OR tok_ok".to_owned(), vec![]),
            ("   ".to_owned(), vec![4, 3, 2, 1, 0]),
        ] {
            assert_eq!(found(&shop, &orders, asked(&filter, "")).await, expected, "{filter}");
        }
        let both = ListOrdersRequest { customer_id: "c-2".to_owned(), ..asked("country = GB tea", "") };
        assert_eq!(found(&shop, &orders, both).await, [3], "what the other fields say holds besides");
        for (order_by, expected) in [
            ("create_time", [0, 1, 2, 3, 4]),
            ("create_time desc", [4, 3, 2, 1, 0]),
            ("total.minor", [1, 0, 3, 4, 2]),
            ("total.minor desc", [2, 4, 3, 0, 1]),
            ("total.minor, create_time desc", [1, 3, 0, 4, 2]),
        ] {
            assert_eq!(found(&shop, &orders, asked("", order_by)).await, expected, "{order_by}");
        }
        shop.reprice("tea", money("GBP", 1)).await;
        eventually(DEADLINE, "all are confirmed", async || {
            found(&shop, &orders, asked("status = CONFIRMED", "create_time")).await == [0, 1, 2, 3, 4]
        })
        .await;
        let request = ListOrdersRequest { status: OrderStatus::Confirmed.into(), ..asked("total.minor = 600", "") };
        assert_eq!(found(&shop, &orders, request).await, [3, 0], "prices are as they were");
        shop.close().await;
    }

    async fn a_list_of_a_release_before_is_built_anew_with_what_orders_are_found_by(database: Database) {
        let mut shop = StandInShop::open(database).await;
        let (orders, position) = placed(&mut shop).await;
        let seen = ListOrdersRequest { after: vec![position], ..asked("lines.product_id:coffee", "") };
        assert_eq!(found(&shop, &orders, seen).await, [1]);
        let connection = tradewind_sql::connect(&shop.database_url("ordering")).await.unwrap();
        let gone = listed_line::Entity::delete_many().exec(&connection).await.unwrap();
        assert_eq!(gone.rows_affected, 6);
        let before = listed_order::ActiveModel { total_minor: Set(0), ..Default::default() };
        let before = listed_order::Entity::update_many().set(before).filter(listed_order::Column::Version.gt(0));
        before.exec(&connection).await.unwrap();
        let mut version = Query::update();
        let name = ExprTrait::eq(Expr::col("name"), "ordering.orders");
        version.table("projection").value("version", 1).and_where(name);
        connection.execute(&version).await.unwrap();
        let (mut outdated, request) = (false, asked("lines.product_id:coffee total.minor = 500", ""));
        eventually(DEADLINE, "it is built", async || {
            match shop.orders.clone().list_orders(request.clone()).await {
                Ok(listed) => listed.into_inner().orders.len() == 1,
                Err(refused) => {
                    assert_eq!(reason(&refused).as_deref(), Some("ORDER_LIST_OUTDATED"));
                    outdated = true;
                    false
                }
            }
        })
        .await;
        assert!(outdated, "what is not there yet is not said to be nothing");
        shop.close().await;
    }
}

#[test]
fn what_cannot_be_asked_for_is_refused_with_where_it_stands() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        for (filter, reason_, says) in [
            ("status = ", "INVALID_FILTER", "at 10: expected a value, found the end"),
            ("a AND", "INVALID_FILTER", "at 6: expected a field"),
            ("(a", "INVALID_FILTER", "at 3: expected a closing bracket"),
            ("a and b", "INVALID_FILTER", "at 3: write AND in capitals"),
            ("status = paid", "FILTER_VALUE_INVALID", "at 10: expected one of its values"),
            ("status > PAID", "FILTER_OPERATOR_UNKNOWN", "at 1: status is compared by = and != alone"),
            ("create_time > yesterday", "FILTER_VALUE_INVALID", "at 15: expected a time of RFC 3339"),
            ("lines.sku = TEA", "FILTER_OPERATOR_UNKNOWN", "at 1: lines.sku is of a list"),
            ("email = ada@example.org", "FILTER_FIELD_UNKNOWN", "at 1: there is no field \"email\""),
            ("recipient.name = Ada", "FILTER_FIELD_UNKNOWN", "at 1: there is no field \"recipient.name\""),
            ("payment_token = tok_ok", "FILTER_FIELD_UNKNOWN", "at 1: there is no field \"payment_token\""),
            ("recipient.address.city = Leith", "FILTER_UNSUPPORTED", "deeper than one dot"),
            ("te*", "FILTER_UNSUPPORTED", "wildcards"),
            ("ago(3)", "FILTER_UNSUPPORTED", "functions"),
        ] {
            let refused = shop.orders.clone().list_orders(asked(filter, "")).await.unwrap_err();
            let violation = violations(&refused).pop().unwrap();
            let said = (refused.code(), reason(&refused), violation.field.as_str());
            assert_eq!(said, (Code::InvalidArgument, Some(reason_.to_owned()), "filter"), "{filter}");
            assert!(violation.description.contains(says), "{filter}: {}", violation.description);
        }
        // Each text looks at every line of every order.
        for many in ["a ".repeat(51), "a OR b OR c OR (d AND NOT lines.sku:E) OR lines.name:f".to_owned()] {
            let refused = shop.orders.clone().list_orders(asked(&many, "")).await.unwrap_err();
            assert_eq!(reason(&refused).as_deref(), Some("FILTER_TOO_COMPLEX"), "{many}");
        }
        for order_by in ["customer_id", "create_time down", "create_time, create_time desc", "total.minor,"] {
            let refused = shop.orders.clone().list_orders(asked("", order_by)).await.unwrap_err();
            let said = (refused.code(), reason(&refused), violations(&refused).pop().unwrap().field);
            let expected = (Code::InvalidArgument, Some("INVALID_ORDER_BY".to_owned()), "order_by".to_owned());
            assert_eq!(said, expected, "{order_by}");
        }
        let both = shop.orders.clone().list_orders(asked("status = x", "x")).await.unwrap_err();
        let fields: Vec<_> = violations(&both).into_iter().map(|violation| violation.field).collect();
        assert_eq!(fields, ["filter", "order_by"]);
        shop.close().await;
    });
}

#[test]
fn a_customer_finds_no_order_of_another() {
    block_on(async {
        let mut shop = StandInShop::open(Database::sqlite()).await;
        let (orders, position) = placed(&mut shop).await;
        let mut theirs = shop.seen_by("c-1");
        for filter in [
            "",
            "customer_id = c-2",
            "customer_id != c-1",
            "customer_id = c-1 OR customer_id = c-2",
            "NOT customer_id = c-1",
            "lines.product_id:tea",
            "lines.sku:*",
            "tea",
            &format!("order_id = {}", orders[1].order_id),
            "country = GB OR country = FR OR country = IE",
        ] {
            for order_by in ["", "create_time", "total.minor desc"] {
                let request = ListOrdersRequest { after: vec![position.clone()], ..asked(filter, order_by) };
                let found = theirs.list_orders(request).await.unwrap().into_inner().orders;
                assert!(found.iter().all(|order| order.customer_id == "c-1"), "{filter}: {found:?}");
                assert!(filter != "lines.product_id:tea" || found.len() == 2, "{order_by}: {found:?}");
            }
        }
        shop.close().await;
    });
}
