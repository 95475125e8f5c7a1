//! A catalog with a gateway before it.

use std::time::Duration;

use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::money::v1::Money;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;
use tradewind_mesh::{IdentityFiles, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, channel, scratch};

pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// Both, until it is dropped.
pub(crate) struct Shop {
    pub(crate) gateway: Running,
    pub(crate) catalog: Running,
    pub(crate) client: Client,
    pub(crate) folder: TempDir,
    pub(crate) nats: Nats,
    _database: Database,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(|settings| settings).await
    }

    /// One whose gateway has other settings.
    pub(crate) async fn open_with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let (folder, nats, database) = (scratch(), Nats::start_for_services(), Database::sqlite());
        pki::init(folder.path(), &["catalog", "identity", "gateway", "operator"], "tradewind.local").unwrap();
        let files = |name: &str| IdentityFiles::in_dir(folder.path(), name);
        let settings = Settings::in_process(files("catalog"), database.url(), nats.url());
        let mut catalog = catalog::service().start(settings).await.unwrap();
        catalog.ready(DEADLINE).await.unwrap();
        let settings = Settings::in_process(files("gateway"), "sqlite::memory:", "nats://127.0.0.1:1")
            .with_peer("catalog", catalog.grpc_addr().to_string())
            .with("http_addr", "127.0.0.1:0");
        let mut gateway = gateway::service().start(change(settings)).await.unwrap();
        gateway.ready(DEADLINE).await.unwrap();
        let client = tradewind_runtime::direct().build().unwrap();
        Self { gateway, catalog, client, folder, nats, _database: database }
    }

    /// Lists a product, as the operator does.
    pub(crate) async fn list(&self, id: &str) {
        let channel = channel(self.folder.path(), "operator", "catalog", self.catalog.grpc_addr());
        let product = Product {
            product_id: id.to_owned(),
            sku: format!("SKU-{id}"),
            name: "Assam".to_owned(),
            price: Some(Money { currency: "GBP".to_owned(), minor: 450 }),
            ..Product::default()
        };
        let request = CreateProductRequest { request_id: format!("r-{id}"), product: Some(product) };
        CatalogServiceClient::new(channel).create_product(request).await.unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.grpc_addr())
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    /// The metrics of the gateway.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.gateway.admin_addr());
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }
}

/// The status of an answer, and its JSON.
pub(crate) async fn told(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), json(response).await)
}

pub(crate) async fn json(response: Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}
