//! The whole service over mTLS gRPC, a real broker and a database.

use std::path::Path;
use std::time::Duration;

use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::{
    CreateProductRequest, GetProductRequest, ListProductsRequest, Product, RepriceProductRequest, RetireProductRequest,
};
use contracts::tradewind::money::v1::Money;
use tonic::{Code, Status};
use tradewind_mesh::{Channel, IdentityFiles, missing, pki, reason, violations};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, both_stores, channel, scratch};

const DEADLINE: Duration = Duration::from_secs(20);

/// Starts the service and waits until it is ready.
async fn start(folder: &Path, database: &Database, nats: &Nats) -> Running {
    pki::init(folder, &["catalog", "operator", "shipping"], "tradewind.local").unwrap();
    let files = IdentityFiles::in_dir(folder, "catalog");
    let mut running = catalog::service().start(Settings::in_process(files, database.url(), nats.url())).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    running
}

fn client(folder: &Path, who: &str, running: &Running) -> CatalogServiceClient<Channel> {
    CatalogServiceClient::new(channel(folder, who, "catalog", running.grpc_addr()))
}

fn money(currency: &str, minor: i64) -> Money {
    Money { currency: currency.to_owned(), minor }
}

fn creation(request_id: &str, product_id: &str) -> CreateProductRequest {
    let product = Product {
        product_id: product_id.to_owned(),
        sku: "TEA-1".to_owned(),
        name: "Assam".to_owned(),
        price: Some(money("GBP", 450)),
        ..Product::default()
    };
    CreateProductRequest { request_id: request_id.to_owned(), product: Some(product) }
}

fn what(refused: &Status) -> (Code, String, String) {
    let field = violations(refused).into_iter().next().map(|violation| violation.field);
    let missing = missing(refused).into_iter().next().map(|missing| missing.name);
    (refused.code(), reason(refused).unwrap_or_default(), field.or(missing).unwrap_or_default())
}

fn is(code: Code, reason: &str, field: &str) -> (Code, String, String) {
    (code, reason.to_owned(), field.to_owned())
}

both_stores! {
    async fn a_product_lives_its_life(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);

        let created = operator.create_product(creation("r-1", "assam")).await.unwrap().into_inner();
        let again = operator.create_product(creation("r-1", "assam")).await.unwrap().into_inner();
        assert!(created.position.starts_with("catalog:"), "{}", created.position);
        assert_eq!(again.product, created.product);
        let refused = operator.create_product(creation("r-1", "ceylon")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "REQUEST_ID_REUSED", "request_id"));
        let refused = operator.create_product(creation("r-2", "assam")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::AlreadyExists, "PRODUCT_EXISTS", "product.product_id"));

        let repricing = |request_id: &str, currency| RepriceProductRequest {
            request_id: request_id.to_owned(),
            product_id: "assam".to_owned(),
            price: Some(money(currency, 500)),
        };
        let repriced = operator.reprice_product(repricing("r-3", "GBP")).await.unwrap().into_inner();
        assert_eq!(repriced.product.unwrap().price, Some(money("GBP", 500)));
        let refused = operator.reprice_product(repricing("r-4", "EUR")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::FailedPrecondition, "CURRENCY_CHANGED", "price.currency"));
        let refused = operator.reprice_product(repricing("r-5", "XXX")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "UNKNOWN_CURRENCY", "price.currency"));

        let retiring = RetireProductRequest { request_id: "r-6".to_owned(), product_id: "assam".to_owned() };
        let retired = operator.retire_product(retiring).await.unwrap().into_inner().product.unwrap();
        assert!(retired.retired);
        let product = GetProductRequest { product_id: "assam".to_owned() };
        assert_eq!(operator.get_product(product).await.unwrap().into_inner().product, Some(retired.clone()));
        let listed = operator.list_products(ListProductsRequest::default()).await.unwrap().into_inner();
        assert_eq!((listed.products, listed.next_page_token), (vec![retired], String::new()));
    }

    async fn malformed_requests_name_their_field_and_strangers_are_turned_away(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);

        let mut unknown = creation("r-1", "assam");
        unknown.product.as_mut().unwrap().price = Some(money("ABC", 1));
        let refused = operator.create_product(unknown).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "UNKNOWN_CURRENCY", "product.price.currency"));
        let product = |id: &str| GetProductRequest { product_id: id.to_owned() };
        let refused = operator.get_product(product("Assam")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_PRODUCT_ID", "product_id"));
        let refused = operator.get_product(product("assam")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "PRODUCT_NOT_FOUND", "assam"));
        let page = |page_size, token: &str| ListProductsRequest { page_size, page_token: token.to_owned() };
        assert!(operator.list_products(page(1001, "")).await.is_ok(), "it is a page of 1000");
        let refused = operator.list_products(page(-1, "")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "PAGE_SIZE_OUT_OF_RANGE", "page_size"));
        let refused = operator.list_products(page(0, "?")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_PAGE_TOKEN", "page_token"));

        let mut stranger = client(folder.path(), "shipping", &running);
        let refused = stranger.create_product(creation("r-1", "assam")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}
