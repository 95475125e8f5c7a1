//! The service behind both fronts, through the whole kit: a catalogue that knows its answers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use contracts::tradewind::catalog::v1::{
    CreateProductRequest, CreateProductResponse, GetProductRequest, GetProductResponse, ListProductsRequest,
    ListProductsResponse, Product, RepriceProductRequest, RepriceProductResponse, RetireProductRequest,
    RetireProductResponse,
};
use contracts::tradewind::money::v1::Money;
use prost_types::Timestamp;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};
use tradewind_mesh::{Channels, Identity, IdentityFiles, Policy, Server};

use super::{GATEWAY, SERVICE};
use crate::mesh::{Call, any_port};

/// Products by the size of what is said of them.
pub(super) const SMALL: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
pub(super) const LARGE: &str = "0190163d-8694-739b-aea5-966c26f8ad92";
/// Products of a list.
const LISTED: u32 = 100;
const LINE: &str = "A first flush, from where the road ends; brew it short.\n";

struct Catalog {
    small: Product,
    large: Product,
    list: Vec<Product>,
}

/// Serves with the credentials in a folder.
pub(super) fn serve(thread: &Runtime, credentials: &Path) -> Result<SocketAddr> {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, SERVICE))?;
    let server = Server::bind(any_port(), identity, Policy::new(&contracts::CONTRACT), SERVICE);
    let server = thread.block_on(server)?;
    let address = server.local_addr();
    let routes = Routes::new(CatalogServiceServer::new(Catalog::new()));
    thread.spawn(server.serve(routes, CancellationToken::new(), Duration::ZERO));
    Ok(address)
}

/// Asks the service itself for the small product.
pub(super) fn direct(thread: &Runtime, credentials: &Path, service: SocketAddr) -> Result<Call> {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, GATEWAY))?;
    let peers = [(SERVICE.to_owned(), service.to_string())].into();
    let _context = thread.enter();
    let channels = Channels::new(identity, Policy::new(&contracts::CONTRACT), peers);
    let client = CatalogServiceClient::new(channels.to(SERVICE)?);
    Ok(Arc::new(move || {
        let mut client = client.clone();
        Box::pin(async move {
            client.get_product(GetProductRequest { product_id: SMALL.to_owned() }).await?;
            Ok(())
        })
    }))
}

impl Catalog {
    fn new() -> Self {
        let (small, large) = (product(SMALL, 1), product(LARGE, 13));
        let list = (0..LISTED).map(|number| product(&format!("0190163d-8694-739b-aea5-966c26f8b{number:03}"), 3));
        Self { small, large, list: list.collect() }
    }
}

fn product(id: &str, lines: usize) -> Product {
    let time = |seconds| Some(Timestamp { seconds, nanos: 123_456_000 });
    Product {
        product_id: id.to_owned(),
        sku: "TEA-1".to_owned(),
        name: "Tea".to_owned(),
        description: LINE.repeat(lines),
        price: Some(Money { currency: "GBP".to_owned(), minor: 1_234 }),
        retired: false,
        create_time: time(1_790_000_000),
        update_time: time(1_790_000_001),
    }
}

#[async_trait]
impl CatalogService for Catalog {
    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<GetProductResponse>, Status> {
        let product = match request.get_ref().product_id.as_str() {
            SMALL => &self.small,
            LARGE => &self.large,
            _ => return Err(Status::not_found("")),
        };
        Ok(Response::new(GetProductResponse { product: Some(product.clone()) }))
    }

    async fn create_product(
        &self,
        request: Request<CreateProductRequest>,
    ) -> Result<Response<CreateProductResponse>, Status> {
        let mut product = request.into_inner().product.ok_or_else(|| Status::invalid_argument(""))?;
        product.description.clear();
        Ok(Response::new(CreateProductResponse { product: Some(product), position: "1".to_owned() }))
    }

    async fn list_products(&self, _: Request<ListProductsRequest>) -> Result<Response<ListProductsResponse>, Status> {
        Ok(Response::new(ListProductsResponse { products: self.list.clone(), next_page_token: String::new() }))
    }

    async fn reprice_product(
        &self,
        _: Request<RepriceProductRequest>,
    ) -> Result<Response<RepriceProductResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn retire_product(
        &self,
        _: Request<RetireProductRequest>,
    ) -> Result<Response<RetireProductResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}
