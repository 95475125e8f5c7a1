//! A catalogue of one product.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use contracts::tradewind::catalog::v1::catalog_service_server::CatalogService;
use contracts::tradewind::catalog::v1::{
    CreateProductRequest, CreateProductResponse, GetProductRequest, GetProductResponse, ListProductsRequest,
    ListProductsResponse, Product, RepriceProductRequest, RepriceProductResponse, RetireProductRequest,
    RetireProductResponse,
};
use tonic::{Request, Response, Status, async_trait};

pub(super) const PRODUCT_ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const NAME: &str = "Tea";
/// Makes an answer of about 128 bytes.
const DESCRIPTION: &str = "A first flush, from where the road ends; brew it short.";

/// The catalogue; every clone is the same.
#[derive(Clone, Default)]
pub(super) struct Catalog {
    /// What it takes for an answer, in microseconds.
    pub(super) takes: Arc<AtomicU64>,
    /// It has no answers, and says so at once.
    pub(super) broken: Arc<AtomicBool>,
    /// How often it was asked.
    pub(super) asked: Arc<AtomicU64>,
}

#[async_trait]
impl CatalogService for Catalog {
    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<GetProductResponse>, Status> {
        self.asked.fetch_add(1, Relaxed);
        if self.broken.load(Relaxed) {
            return Err(Status::unavailable("broken"));
        }
        match self.takes.load(Relaxed) {
            0 => {}
            micros => tokio::time::sleep(Duration::from_micros(micros)).await,
        }
        let product = Product {
            product_id: request.into_inner().product_id,
            sku: "TEA-1".to_owned(),
            name: NAME.to_owned(),
            description: DESCRIPTION.to_owned(),
            ..Default::default()
        };
        Ok(Response::new(GetProductResponse { product: Some(product) }))
    }

    async fn create_product(
        &self,
        _: Request<CreateProductRequest>,
    ) -> Result<Response<CreateProductResponse>, Status> {
        Err(Status::unimplemented(""))
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

    async fn list_products(&self, _: Request<ListProductsRequest>) -> Result<Response<ListProductsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}
