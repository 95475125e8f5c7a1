//! What is refused, and that a refusal says why and leaves nothing behind.

use contracts::tradewind::{
    catalog::v1::{CreateProductRequest, ListProductsRequest, Product, catalog_service_client::CatalogServiceClient},
    inventory::v1::{ListOpenReservationsRequest, ListStockRequest, ReceiveStockRequest},
    money::v1::Money,
    ordering::v1::{ListOrdersRequest, OrderLine, PlaceOrderRequest},
    payment::v1::ListPaymentsRequest,
    shipping::v1::ListShipmentsRequest,
};
use futures::future::join_all;
use supervisor::services;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};
use tradewind_mesh::{missing, reason, violations};
use tradewind_testing::{Database, block_on, eventually, pki};

use crate::process::Process;
use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;
use system_tests::offer::{Offer, pounds};

const HUGE_PAGE: i32 = 1_000_000;
const NO_PAGE: i32 = -1;

#[test]
fn what_makes_no_sense_names_its_field_and_stores_nothing() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 5).await;
        let (heads, stock) = (log_heads(shop).await, shop.operator.stock().await);

        for quantity in [0, -1] {
            let refused = shop.operator.try_place(tea.order(quantity)).await.unwrap_err();
            is(&refused, Code::InvalidArgument, "lines[0].quantity");
        }
        for (order, code, field) in orders_that_make_no_sense(&tea) {
            is(&shop.operator.try_place(order).await.unwrap_err(), code, field);
        }
        for quantity in [0, -1] {
            let delivery = ReceiveStockRequest {
                request_id: "delivery".to_owned(),
                sku: "tea".to_owned(),
                location: "hull".to_owned(),
                quantity,
            };
            let refused = shop.operator.inventory().receive_stock(delivery).await.unwrap_err();
            is(&refused, Code::InvalidArgument, "quantity");
        }
        let price = Some(Money { currency: "ABC".to_owned(), minor: 1 });
        let (product_id, name) = ("cup".to_owned(), "cup".to_owned());
        let product = Product { sku: product_id.clone(), product_id, name, price, ..Product::default() };
        let creation = CreateProductRequest { request_id: String::new(), product: Some(product) };
        let refused = shop.operator.catalog().create_product(creation).await.unwrap_err();
        is(&refused, Code::InvalidArgument, "product.price.currency");
        for answer in pages(shop, NO_PAGE).await {
            is(&answer.unwrap_err(), Code::InvalidArgument, "page_size");
        }
        for answer in pages(shop, HUGE_PAGE).await {
            answer.expect("the largest page that there is, instead of one that is larger");
        }

        assert_eq!(log_heads(shop).await, heads, "nothing was recorded anywhere");
        assert_eq!(shop.operator.stock().await, stock);
        assert!(shop.operator.orders().await.is_empty());
    });
}

fn orders_that_make_no_sense(tea: &Offer) -> Vec<(PlaceOrderRequest, Code, &'static str)> {
    let unknown = OrderLine { product_id: "unknown".to_owned(), quantity: 1 };
    let expecting = |currency: &str| Some(Money { currency: currency.to_owned(), minor: 450 });
    vec![
        (PlaceOrderRequest { lines: Vec::new(), ..tea.order(1) }, Code::InvalidArgument, "lines"),
        (PlaceOrderRequest { lines: vec![tea.line(1), unknown], ..tea.order(1) }, Code::NotFound, "unknown"),
        (
            PlaceOrderRequest { expected_total: expecting("ABC"), ..tea.order(1) },
            Code::InvalidArgument,
            "expected_total.currency",
        ),
        (
            PlaceOrderRequest { expected_total: Some(pounds(449)), ..tea.order(1) },
            Code::FailedPrecondition,
            "expected_total",
        ),
        (PlaceOrderRequest { recipient: None, ..tea.order(1) }, Code::InvalidArgument, "recipient"),
    ]
}

/// What every list answers when asked for a page of that size.
async fn pages(shop: &Shop, page_size: i32) -> Vec<Result<(), Status>> {
    let operator = &shop.operator;
    let page = ListOrdersRequest { page_size, ..ListOrdersRequest::default() };
    let orders = operator.ordering().list_orders(page).await.map(drop);
    let page = ListProductsRequest { page_size, ..ListProductsRequest::default() };
    let products = operator.catalog().list_products(page).await.map(drop);
    let page = ListStockRequest { page_size, ..ListStockRequest::default() };
    let levels = operator.inventory().list_stock(page).await.map(drop);
    let page = ListOpenReservationsRequest { page_size, ..ListOpenReservationsRequest::default() };
    let reservations = operator.inventory().list_open_reservations(page).await.map(drop);
    let page = ListPaymentsRequest { page_size, ..ListPaymentsRequest::default() };
    let payments = operator.payment().list_payments(page).await.map(drop);
    let page = ListShipmentsRequest { page_size, ..ListShipmentsRequest::default() };
    let shipments = operator.shipping().list_shipments(page).await.map(drop);
    vec![orders, products, levels, reservations, payments, shipments]
}

#[test]
fn a_workload_that_the_contract_does_not_name_is_turned_away() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 5).await;
        let placed = shop.operator.place(tea.order(1)).await;
        shop.operator.cleared(&placed.order_id).await;
        let heads = log_heads(shop).await;
        let stranger = shop.person("notification");
        let delivery = ReceiveStockRequest {
            sku: "tea".to_owned(),
            location: "hull".to_owned(),
            quantity: 1,
            ..ReceiveStockRequest::default()
        };
        for refused in [
            stranger.try_place(tea.order(1)).await.unwrap_err(),
            stranger.cancel(&placed.order_id).await.unwrap_err(),
            stranger.dispatch(&placed.order_id).await.unwrap_err(),
            stranger.inventory().receive_stock(delivery).await.unwrap_err(),
        ] {
            assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
            assert_eq!(reason(&refused).as_deref(), Some("CALLER_NOT_ALLOWED"), "{refused:?}");
        }
        assert_eq!(log_heads(shop).await, heads, "nothing was recorded anywhere");
    });
}

#[test]
fn a_write_of_somebody_elses_client_says_which_one_it_is_or_is_refused() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let heads = log_heads(shop).await;
        let ours = Identity::from_pem(shop.credential("operator.pem"), shop.credential("operator.key"));
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(shop.credential("ca.pem")));
        let tls = tls.domain_name("localhost").identity(ours);
        let endpoint = Endpoint::from_shared(format!("https://{}", shop.address("catalog"))).unwrap();
        let mut client = CatalogServiceClient::new(endpoint.tls_config(tls).unwrap().connect().await.unwrap());
        let (product_id, sku, name) = ("cup".to_owned(), "cup".to_owned(), "Cup".to_owned());
        let product = Some(Product { product_id, sku, name, price: Some(pounds(450)), ..Product::default() });
        let mut creation = CreateProductRequest { request_id: String::new(), product };
        let refused = client.create_product(creation.clone()).await.unwrap_err();
        is(&refused, Code::InvalidArgument, "request_id");
        assert_eq!(reason(&refused).as_deref(), Some("REQUEST_ID_REQUIRED"));
        assert_eq!(log_heads(shop).await, heads, "nothing was recorded anywhere");

        "c-1".clone_into(&mut creation.request_id);
        let first = client.create_product(creation.clone()).await.unwrap().into_inner();
        let again = client.create_product(creation.clone()).await.unwrap().into_inner();
        assert_eq!(first.product, again.product);
        // Our own clients give a name to what has none, for all attempts of the one call.
        creation.request_id.clear();
        let refused = shop.operator.catalog().create_product(creation).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("PRODUCT_EXISTS"));
    });
}

#[test]
fn a_client_without_a_certificate_of_ours_is_refused_and_log_and_metrics_say_why() {
    block_on(async {
        let shop = Shop::open_without("catalog", Database::sqlite).await;
        let catalog = Process::start(&shop, "catalog").await;
        let trusting = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(shop.credential("ca.pem")))
            .domain_name("localhost");
        let ours = Identity::from_pem(shop.credential("operator.pem"), shop.credential("operator.key"));
        list_products(&catalog, trusting.clone().identity(ours)).await.expect("a certificate of ours is let in");

        let others = pki(&["operator"]);
        let other = |file: &str| std::fs::read_to_string(others.path().join(file)).unwrap();
        let foreign = trusting.clone().identity(Identity::from_pem(other("operator.pem"), other("operator.key")));
        for (tls, label, text) in
            [(trusting, "no_client_certificate", "no client certificate"), (foreign, "unknown_ca", "unknown CA")]
        {
            list_products(&catalog, tls).await.expect_err("nobody else is");
            let counted = |line: &str| {
                let counter = line.starts_with("grpc_server_tls_handshakes_total{");
                counter && line.contains(&format!("reason=\"{label}\"")) && !line.ends_with(" 0")
            };
            eventually(PATIENCE, "the refusal is counted", async || {
                let metrics = catalog.metrics().await;
                if metrics.lines().any(counted) { Ok(()) } else { Err(metrics) }
            })
            .await;
            let refusal = |line: &serde_json::Value| {
                let reason = line["fields"]["reason"].as_str().unwrap_or_default();
                line["message"] == "connection refused" && reason.contains(text)
            };
            catalog.says("why it let nobody in", refusal).await;
        }
        catalog.stop().await;
        shop.close().await;
    });
}

/// Asks as a client that knows nothing of the mesh.
async fn list_products(catalog: &Process, tls: ClientTlsConfig) -> anyhow::Result<()> {
    let endpoint = Endpoint::from_shared(format!("https://{}", catalog.grpc_addr()))?.tls_config(tls)?;
    let mut client = CatalogServiceClient::new(endpoint.connect().await?);
    client.list_products(ListProductsRequest::default()).await?;
    Ok(())
}

/// Where the log of each context ends.
async fn log_heads(shop: &Shop) -> Vec<Vec<u64>> {
    join_all(services::names().map(|service| shop.operator.log_heads(service))).await
}

fn is(refused: &Status, code: Code, field: &str) {
    assert_eq!(refused.code(), code, "{refused:?}");
    let mut named: Vec<_> = violations(refused).into_iter().map(|violation| violation.field).collect();
    named.extend(missing(refused).into_iter().map(|missing| missing.name));
    assert!(named.iter().any(|named| named == field), "{field} is not named: {refused:?} {named:?}");
}
