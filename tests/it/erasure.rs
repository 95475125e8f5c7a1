//! A customer is forgotten: no byte that names them is left in any file of a database or of the broker.

use std::path::{Path, PathBuf};

use contracts::tradewind::identity::v1::EraseAccountRequest;
use contracts::tradewind::ordering::v1::{
    Address, EraseCustomerRequest, GetOrderRequest, Order, OrderStatus, PlaceOrderRequest, Recipient,
};
use supervisor::services;
use system_tests::PATIENCE;
use tradewind_testing::{Database, Postgres, block_on, eventually};

use crate::shop::Shop;

/// Everything that is only about this customer.
const SECRETS: [&str; 5] =
    ["Zebedee Quixworth", "zebedee@quixworth.example", "77 Unrepeatable Lane", "Nether Wallop", "tok_ok"];

fn recipient() -> Recipient {
    let address = Address {
        line1: SECRETS[2].to_owned(),
        city: SECRETS[3].to_owned(),
        postal_code: "SO20 8HU".to_owned(),
        country: "GB".to_owned(),
    };
    Recipient { name: SECRETS[0].to_owned(), email: SECRETS[1].to_owned(), address: Some(address) }
}

fn order(customer: &str, of: PlaceOrderRequest) -> PlaceOrderRequest {
    let (customer_id, payment_token) = (customer.to_owned(), SECRETS[4].to_owned());
    PlaceOrderRequest { customer_id, recipient: Some(recipient()), payment_token, ..of }
}

/// The files under a folder that say any of the secrets, and which.
fn said_in(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let mut said = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            said.extend(said_in(&path));
        } else {
            // What is gone by now says nothing.
            let bytes = std::fs::read(&path).unwrap_or_default();
            let says = |secret: &&str| memchr::memmem::find(&bytes, secret.as_bytes()).is_some();
            said.extend(SECRETS.iter().copied().filter(|secret| says(secret)).map(|secret| (path.clone(), secret)));
        }
    }
    said
}

#[test]
fn nothing_is_left_of_a_customer_in_files() {
    block_on(async {
        let shop = Shop::open(Database::sqlite).await;
        let file = |name| PathBuf::from(shop.database_url(name).trim_start_matches("sqlite://"));
        let folders = services::names().map(|name| file(name).parent().unwrap().to_owned());
        assert!(folders.iter().all(|folder| folder.is_dir()), "{folders:?}");
        Box::pin(forget(&shop, &folders)).await;
        shop.prove_books().await;
        shop.close().await;
    });
}

#[test]
fn nothing_is_left_of_a_customer_in_a_cluster() {
    let cluster = Postgres::start();
    block_on(async {
        let shop = Shop::open(|| cluster.database()).await;
        Box::pin(forget(&shop, &[cluster.folder().to_owned()])).await;
        shop.prove_books().await;
        shop.close().await;
    });
}

async fn forget(shop: &Shop, databases: &[PathBuf]) {
    let said = || databases.iter().flat_map(|folder| said_in(folder)).collect::<Vec<_>>();
    let tea = shop.offer("tea", 450, 20).await;
    let customer = shop.operator.hire(SECRETS[1]).await.account_id;
    // One is delivered, one is cancelled after it was paid, and one is still on its way.
    let delivered = shop.operator.place(order(&customer, tea.order(3))).await.order_id;
    let cancelled = shop.operator.place(order(&customer, tea.order(2))).await.order_id;
    let open = shop.operator.place(order(&customer, tea.order(1))).await.order_id;
    for order_id in [&delivered, &cancelled, &open] {
        assert_eq!(shop.operator.settled(order_id).await.status(), OrderStatus::Confirmed);
        shop.operator.invoiced(order_id).await;
    }
    shop.operator.cancel(&cancelled).await.unwrap();
    assert_eq!(shop.operator.settled(&cancelled).await.status(), OrderStatus::Cancelled);
    arrives(shop, &delivered).await;
    assert_eq!(shop.operator.order(&delivered).await.recipient, Some(recipient()));
    assert!(!said_in(shop.nats.folder()).is_empty(), "the broker holds what readers need");
    assert_eq!(said(), [], "what is about somebody lies sealed");

    let request = EraseCustomerRequest { customer_id: customer.clone() };
    shop.operator.ordering().erase_customer(request).await.unwrap();
    for order_id in [&delivered, &cancelled] {
        is_erased(shop, order_id).await;
    }
    assert_eq!(shop.operator.order(&open).await.recipient, Some(recipient()), "it is on its way to them");
    arrives(shop, &open).await;
    // It would be looked for later; the end of an account has it done at once.
    let request = EraseAccountRequest { account_id: customer, ..EraseAccountRequest::default() };
    shop.operator.identity().erase_account(request).await.unwrap();
    is_erased(shop, &open).await;

    eventually(PATIENCE * 2, "the broker is rid of them", async || {
        let left = said_in(shop.nats.folder());
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
    assert_eq!(said(), []);
    // Whoever reads the log from its beginning reads no more than that.
    for record in shop.operator.log_of("ordering").await {
        assert!(SECRETS.iter().all(|secret| memchr::memmem::find(&record.payload, secret.as_bytes()).is_none()));
    }
    let first = GetOrderRequest {
        order_id: delivered.clone(),
        as_of: Some(contracts::tradewind::ordering::v1::get_order_request::AsOf::Version(1)),
    };
    let first = shop.operator.ordering().get_order(first).await.unwrap().into_inner().order.unwrap();
    assert!(first.status() == OrderStatus::Pending && without_name(&first), "{first:?}");
}

async fn arrives(shop: &Shop, order_id: &str) {
    shop.operator.cleared(order_id).await;
    shop.operator.dispatch(order_id).await.unwrap();
    shop.operator.reaches(order_id, &[OrderStatus::Shipped]).await;
    shop.operator.deliver(order_id).await.unwrap();
    shop.operator.reaches(order_id, &[OrderStatus::Delivered]).await;
}

/// Waits until nothing but the country is known of who receives an order, which is as it was but for that.
async fn is_erased(shop: &Shop, order_id: &str) {
    let before = shop.operator.order(order_id).await;
    eventually(PATIENCE, "the order is forgotten", async || {
        let order = shop.operator.order(order_id).await;
        if without_name(&order) { Ok(()) } else { Err(order.recipient) }
    })
    .await;
    let after = shop.operator.order(order_id).await;
    assert_eq!((after.total, after.lines, after.status), (before.total, before.lines, before.status));
}

fn without_name(order: &Order) -> bool {
    order.recipient.is_none() && order.country == "GB"
}
