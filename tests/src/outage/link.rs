//! One service of the row: a catalogue that asks the next one, or, at the end of the row, knows.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use contracts::tradewind::catalog::v1::{
    CreateProductRequest, CreateProductResponse, GetProductRequest, GetProductResponse, ListProductsRequest,
    ListProductsResponse, RepriceProductRequest, RepriceProductResponse, RetireProductRequest, RetireProductResponse,
};
use supervisor::die_with_parent;
use tonic::{Request, Response, Status, async_trait};
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Policy};
use tradewind_runtime::{Parts, Service};

/// What each is, and as whom it asks the next: the contract lets no catalogue ask another.
pub(super) const NAME: &str = "catalog";
pub(super) const CALLER: &str = "gateway";

tradewind_runtime::settings! {
    /// Where in the row it stands.
    struct Place {
        /// host:port of the next; empty for the last
        next: String = "" => |text| Ok(text.to_owned()),
        /// folder with the certificate of whoever asks it
        pki: String = "" => |text| Ok(text.to_owned()),
    }
}

/// Is one, with its settings in the environment, until it is told to end.
#[must_use]
pub fn serve() -> ExitCode {
    die_with_parent();
    tradewind_runtime::serve(Service::new(NAME, Vec::new, |_, place: Place| {
        let next = (!place.next.is_empty()).then(|| channel(Path::new(&place.pki), &place.next)).transpose()?;
        Ok(Parts::new().grpc(CatalogServiceServer::new(Link(next.map(CatalogServiceClient::new)))))
    }))
}

/// A channel to the one at `address`.
///
/// # Errors
/// When there is no certificate to ask with.
pub(super) fn channel(pki: &Path, address: &str) -> anyhow::Result<Channel> {
    let identity = Identity::load(IdentityFiles::in_dir(pki, CALLER))?;
    let peers = BTreeMap::from([(NAME.to_owned(), address.to_owned())]);
    Ok(Channels::new(identity, Policy::new(&contracts::CONTRACT), peers).to(NAME)?)
}

struct Link(Option<CatalogServiceClient<Channel>>);

#[async_trait]
impl CatalogService for Link {
    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<GetProductResponse>, Status> {
        match self.0.clone() {
            Some(mut next) => next.get_product(request.into_inner()).await,
            None => Ok(Response::new(GetProductResponse::default())),
        }
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
