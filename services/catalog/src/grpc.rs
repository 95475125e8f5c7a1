//! The service's calls: decode, ask the application, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;

use contracts::tradewind::catalog::v1::catalog_service_server::CatalogService;
use contracts::tradewind::catalog::v1::{
    CreateProductRequest, CreateProductResponse, GetProductRequest, GetProductResponse, ListProductsRequest,
    ListProductsResponse, Product, RepriceProductRequest, RepriceProductResponse, RetireProductRequest,
    RetireProductResponse,
};
use tonic::{Request, Response, Status};
use tradewind_domain::{Error, request::page_size};
use tradewind_mesh::{keyed, status};
use tradewind_store::Store;

use crate::app;

/// Answers the calls of `CatalogService`.
pub(crate) struct Catalog {
    store: Store,
}

impl Catalog {
    /// Answers from `store`.
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn create_product(
        &self,
        request: Request<CreateProductRequest>,
    ) -> Result<Response<CreateProductResponse>, Status> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let listing = convert::listing(request.product).map_err(status)?;
        answer(app::create_product(&self.store, key.as_ref(), &listing).await)
    }

    async fn reprice_product(
        &self,
        request: Request<RepriceProductRequest>,
    ) -> Result<Response<RepriceProductResponse>, Status> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let price = convert::new_price(request.price.as_ref()).map_err(status)?;
        let product_id = convert::product_id(request.product_id).map_err(status)?;
        answer(app::reprice_product(&self.store, key.as_ref(), &product_id, price).await.map_err(about(&product_id)))
    }

    async fn retire_product(
        &self,
        request: Request<RetireProductRequest>,
    ) -> Result<Response<RetireProductResponse>, Status> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let product_id = convert::product_id(request.product_id).map_err(status)?;
        answer(app::retire_product(&self.store, key.as_ref(), &product_id).await.map_err(about(&product_id)))
    }

    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<GetProductResponse>, Status> {
        let product_id = convert::product_id(request.into_inner().product_id).map_err(status)?;
        answer(app::get_product(&self.store, &product_id).await.map_err(about(&product_id)))
    }

    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        let ListProductsRequest { page_size: size, page_token: token } = request.into_inner();
        let size = page_size(size).map_err(status)?;
        let after = convert::page_token(token).map_err(status)?;
        answer(app::list_products(&self.store, &after, size).await)
    }
}

/// Says of which product a refusal is.
fn about(product_id: &str) -> impl FnOnce(Error) -> Error {
    move |error| error.of::<Product>(product_id)
}

fn answer<T>(outcome: Result<T, Error>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(convert::refusal)
}
