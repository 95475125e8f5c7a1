//! What is accepted, and how a refusal says why.

use contracts::tradewind::ordering::v1::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, OrderStatus, PlaceOrderRequest, WatchOrderRequest,
    get_order_request::AsOf,
};
use tonic::{Code, Status};
use tradewind_mesh::{IdentityFiles, missing, pki, reason, violations};
use tradewind_runtime::Settings;
use tradewind_testing::{Database, block_on, both_stores, scratch};

use crate::shop::{StandInShop, line, money};

fn what(refused: &Status) -> (Code, String, Vec<String>) {
    let fields = violations(refused).into_iter().map(|violation| violation.field);
    let missing = missing(refused).into_iter().map(|missing| missing.name);
    (refused.code(), reason(refused).unwrap_or_default(), fields.chain(missing).collect())
}

fn is(code: Code, reason: &str, fields: &[&str]) -> (Code, String, Vec<String>) {
    (code, reason.to_owned(), fields.iter().map(|field| (*field).to_owned()).collect())
}

async fn refusal(shop: &StandInShop, change: impl FnOnce(&mut PlaceOrderRequest)) -> (Code, String, Vec<String>) {
    let mut request = shop.request("");
    change(&mut request);
    what(&shop.place(request).await.unwrap_err())
}

both_stores! {
    async fn what_is_wrong_many_times_or_at_length_is_refused_and_the_connection_stays(database: Database) {
        let shop = StandInShop::open(database).await;
        let mut orders = shop.orders.clone();
        let mut request = shop.request("");
        request.lines = (1..=100).map(|tea| line(&format!("tea-{tea}"), 0)).collect();
        let refused = shop.place(request.clone()).await.unwrap_err();
        assert_eq!((refused.code(), violations(&refused).len()), (Code::InvalidArgument, 8));
        assert!(refused.message().ends_with("; and 92 more"), "{refused:?}");
        request.lines = (1..=100).map(|tea| line(&format!("{tea}{}", "茶".repeat(500)), 1)).collect();
        let refused = shop.place(request.clone()).await.unwrap_err();
        assert_eq!((refused.code(), missing(&refused).len()), (Code::NotFound, 8), "{refused:?}");
        request.lines = vec![line(&"x".repeat(8_000), 1)];
        let refused = shop.place(request).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "TEXT_TOO_LONG", &["lines[0].product_id"]));

        let customer_id = "c\0".to_owned();
        let refused = orders.list_orders(ListOrdersRequest { customer_id, ..ListOrdersRequest::default() }).await;
        assert_eq!(what(&refused.unwrap_err()), is(Code::InvalidArgument, "INVALID_TEXT", &["customer_id"]));
        shop.close().await;
    }

    async fn what_was_listed_a_moment_ago_can_be_ordered_by_who_does_not_say_so(database: Database) {
        let mut shop = StandInShop::open(database).await;
        for new in 0..30 {
            let product = format!("new-{new}");
            shop.list(&product, "SKU-NEW", money("GBP", 100)).await;
            let request = PlaceOrderRequest { lines: vec![line(&product, 1)], after: Vec::new(), ..shop.request("") };
            let placed = shop.place(request).await;
            assert!(placed.is_ok(), "{product}: {placed:?}");
        }
        let request = PlaceOrderRequest { lines: vec![line("milk", 1)], after: Vec::new(), ..shop.request("") };
        let refused = shop.place(request).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "PRODUCT_NOT_FOUND", &["milk"]));
        let said = "there is no such product: milk; to order what was listed a moment ago, name in after";
        assert!(refused.message().starts_with(said), "{refused:?}");
        assert_eq!(missing(&refused)[0].description, "lines[0].product_id: no such product");
        shop.close().await;
    }

    async fn a_repeated_request_places_one_order_whatever_has_changed_since(database: Database) {
        let mut shop = StandInShop::open(database).await;
        let mut request = shop.request("r-1");
        request.lines = vec![line("tea", 1), line("tea", 2)];
        request.expected_total = Some(money("GBP", 900));
        let first = shop.place(request.clone()).await.unwrap();
        assert_eq!((first.lines.len(), first.lines[0].quantity), (1, 3));
        shop.reprice("tea", money("GBP", 400)).await;

        let mut later = shop.request("r-2");
        later.lines = request.lines.clone();
        later.expected_total = Some(money("GBP", 900));
        let refused = shop.place(later.clone()).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::FailedPrecondition, "PRICE_CHANGED", &["expected_total"]));
        assert_eq!(shop.place(request.clone()).await.unwrap(), first);
        // A refusal is not remembered: the same id serves the corrected request.
        later.expected_total = Some(money("GBP", 1_200));
        assert_ne!(shop.place(later).await.unwrap().order_id, first.order_id);

        request.customer_id = "c-2".to_owned();
        let refused = shop.place(request).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]));
        shop.close().await;
    }

    async fn orders_are_listed_newest_first_by_customer_and_status(database: Database) {
        let shop = StandInShop::open(database).await;
        let mut placed = Vec::new();
        let mut after = Vec::new();
        for customer in ["c-1", "c-2", "c-1", "c-1"] {
            let mut request = shop.request("");
            request.customer_id = customer.to_owned();
            let answer = shop.orders.clone().place_order(request).await.unwrap().into_inner();
            placed.insert(0, answer.order.unwrap().order_id);
            after = vec![answer.position];
        }
        let mut page = ListOrdersRequest { page_size: 2, after, ..ListOrdersRequest::default() };
        let mut listed = Vec::new();
        loop {
            let answer = shop.orders.clone().list_orders(page.clone()).await.unwrap().into_inner();
            listed.extend(answer.orders.into_iter().map(|order| order.order_id));
            page.page_token = answer.next_page_token;
            if page.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, placed);
        let of_customer = ListOrdersRequest { customer_id: "c-2".to_owned(), ..ListOrdersRequest::default() };
        let listed = shop.orders.clone().list_orders(of_customer).await.unwrap().into_inner().orders;
        assert_eq!(listed.iter().map(|order| &order.order_id).collect::<Vec<_>>(), [&placed[2]]);
        let cancelled = ListOrdersRequest { status: OrderStatus::Cancelled.into(), ..ListOrdersRequest::default() };
        assert_eq!(shop.orders.clone().list_orders(cancelled).await.unwrap().into_inner().orders, []);
        shop.close().await;
    }
}

#[test]
fn a_refusal_names_every_field_at_fault() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        let invalid = |reason, fields: &[&str]| is(Code::InvalidArgument, reason, fields);

        let all = refusal(&shop, |request| *request = PlaceOrderRequest::default()).await;
        assert_eq!(all, invalid("INVALID_REQUEST", &["customer_id", "recipient", "lines", "payment_token"]));
        let quantities = refusal(&shop, |request| {
            request.lines = vec![line("tea", 0), line("tea", 1), line("tea", 1_000_001)];
        });
        let fields = ["lines[0].quantity", "lines[2].quantity"];
        assert_eq!(quantities.await, invalid("QUANTITY_OUT_OF_RANGE", &fields));
        let recipient = refusal(&shop, |request| {
            let recipient = request.recipient.as_mut().unwrap();
            recipient.email = "ada".to_owned();
            recipient.address.as_mut().unwrap().country = "gb".to_owned();
        });
        assert_eq!(recipient.await, invalid("INVALID_REQUEST", &["recipient.email", "recipient.address.country"]));
        let unprintable = refusal(&shop, |request| {
            let recipient = request.recipient.as_mut().unwrap();
            recipient.name = " ".to_owned();
            recipient.address.as_mut().unwrap().line1 = "1 Quay\nX".to_owned();
        });
        assert_eq!(unprintable.await, invalid("INVALID_TEXT", &["recipient.name", "recipient.address.line1"]));
        for (name, email, country, postal_code, field) in [
            ("\u{200b}", "a@example.com", "GB", "EH6", "recipient.name"),
            ("\u{202e}Ada", "a@example.com", "GB", "EH6", "recipient.name"),
            ("Ada", "@@@", "GB", "EH6", "recipient.email"),
            ("Ada", "a@", "GB", "EH6", "recipient.email"),
            ("Ada", "a b@example.com", "GB", "EH6", "recipient.email"),
            ("Ada", "a@example.com", "UK", "EH6", "recipient.address.country"),
            ("Ada", "a@example.com", "GB", "", "recipient.address.postal_code"),
        ] {
            let refused = refusal(&shop, |request| {
                let recipient = request.recipient.as_mut().unwrap();
                (recipient.name, recipient.email) = (name.to_owned(), email.to_owned());
                let address = recipient.address.as_mut().unwrap();
                (address.country, address.postal_code) = (country.to_owned(), postal_code.to_owned());
            });
            assert_eq!(refused.await.2, [field], "{name:?} {email} {country}");
        }
        let currency = refusal(&shop, |request| request.expected_total = Some(money("ABC", 1))).await;
        assert_eq!(currency, invalid("UNKNOWN_CURRENCY", &["expected_total.currency"]));
        let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        for settle_within in [0, -5, 24 * 3600 + 1] {
            let refused = refusal(&shop, |request| request.settle_within = seconds(settle_within)).await;
            assert_eq!(refused, invalid("INVALID_SETTLE_WITHIN", &["settle_within"]));
        }
        let token = refusal(&shop, |request| request.after.push("?".to_owned())).await;
        assert_eq!(token, invalid("POSITION_TOKEN_MALFORMED", &["after[1]"]));
        let mixed = refusal(&shop, |request| request.lines.push(line("coffee", 1))).await;
        assert_eq!(mixed, invalid("MIXED_CURRENCIES", &["lines"]));

        let unknown = refusal(&shop, |request| request.lines.push(line("milk", 1))).await;
        assert_eq!(unknown, is(Code::NotFound, "PRODUCT_NOT_FOUND", &["milk"]));
        let retired = refusal(&shop, |request| request.lines = vec![line("old", 1)]).await;
        assert_eq!(retired, is(Code::FailedPrecondition, "PRODUCT_RETIRED", &["lines[0].product_id"]));
        let position = shop.seen.rsplit_once(':').unwrap().0.to_owned() + ":1000000";
        let unseen = refusal(&shop, |request| request.after = vec![position]).await;
        assert_eq!((unseen.0, unseen.1.as_str()), (Code::Unavailable, "POSITION_NOT_REACHED"));

        let mut stranger = shop.stranger.clone();
        let refused = stranger.place_order(shop.request("")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        shop.close().await;
    });
}

#[test]
fn questions_about_no_order_say_what_is_wrong() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        let mut orders = shop.orders.clone();
        let unknown = "0190163d-8694-739b-aea5-966c26f8ad91";
        let cases = [
            ("x", is(Code::InvalidArgument, "INVALID_ORDER_ID", &["order_id"])),
            (unknown, is(Code::NotFound, "ORDER_NOT_FOUND", &[unknown])),
        ];
        for (id, expected) in cases {
            let order_id = id.to_owned();
            let get = GetOrderRequest { order_id: order_id.clone(), as_of: None };
            assert_eq!(what(&orders.get_order(get).await.unwrap_err()), expected);
            let watch = WatchOrderRequest { order_id: order_id.clone() };
            assert_eq!(what(&orders.watch_order(watch).await.unwrap_err()), expected);
            let cancel = CancelOrderRequest { order_id };
            assert_eq!(what(&orders.cancel_order(cancel).await.unwrap_err()), expected);
        }
        let order_id = shop.place(shop.request("")).await.unwrap().order_id;
        let get = |version| GetOrderRequest { order_id: order_id.clone(), as_of: Some(AsOf::Version(version)) };
        let refused = orders.get_order(get(0)).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_VERSION", &["version"]));
        let refused = orders.get_order(get(1_000)).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "ORDER_VERSION_NOT_FOUND", &[&format!("{order_id} 1000")]));

        let page = |page_size, page_token: &str| ListOrdersRequest {
            page_size,
            page_token: page_token.to_owned(),
            ..ListOrdersRequest::default()
        };
        for (page, reason, field) in [
            (page(-1, ""), "PAGE_SIZE_OUT_OF_RANGE", "page_size"),
            (page(0, "?"), "INVALID_PAGE_TOKEN", "page_token"),
            (
                ListOrdersRequest { after: vec!["?".to_owned()], ..ListOrdersRequest::default() },
                "POSITION_TOKEN_MALFORMED",
                "after[0]",
            ),
            (ListOrdersRequest { status: 99, ..ListOrdersRequest::default() }, "UNKNOWN_STATUS", "status"),
        ] {
            let refused = orders.list_orders(page).await.unwrap_err();
            assert_eq!(what(&refused), is(Code::InvalidArgument, reason, &[field]));
        }
        shop.close().await;
    });
}

#[test]
fn a_deadline_out_of_range_is_refused_before_anything_is_bound() {
    block_on(async {
        let (folder, database) = (scratch(), Database::sqlite());
        pki::init(folder.path(), &["ordering"], "tradewind.local").unwrap();
        let files = IdentityFiles::in_dir(folder.path(), "ordering");
        let settings = Settings::in_process(files, database.url(), "nats://127.0.0.1:1").with("order_deadline", "0s");
        let refused = ordering::service().start(settings).await.unwrap_err().to_string();
        assert!(refused.contains("TRADEWIND_ORDER_DEADLINE") && refused.contains("from 1s to 24h"), "{refused}");
    });
}
