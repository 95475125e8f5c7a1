//! The calls of the ledger: decode, ask, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;

use contracts::tradewind::payment::v1::{
    GetBalanceRequest, GetBalanceResponse, ListDifferencesRequest, ListDifferencesResponse, ListEntriesRequest,
    ListEntriesResponse, ReconcileRequest, ReconcileResponse, ResolveDifferenceRequest, ResolveDifferenceResponse,
    ledger_service_server::LedgerService,
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_mesh::{keyed, status};
use tradewind_store::Store;

use crate::app::{self, Reconciler, Statement};

/// Answers what payments have moved.
pub(crate) struct LedgerApi<S> {
    store: Store,
    reconciler: Reconciler<S>,
}

impl<S> LedgerApi<S> {
    /// Answers from `store`, and compares by `reconciler`.
    #[must_use]
    pub(crate) const fn new(store: Store, reconciler: Reconciler<S>) -> Self {
        Self { store, reconciler }
    }
}

#[tonic::async_trait]
impl<S: Statement> LedgerService for LedgerApi<S> {
    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        let (wanted, after, size) = convert::entries(request.get_ref()).map_err(status)?;
        app::list_entries(&self.store, &wanted, after, size).await.map(Response::new).map_err(status)
    }

    async fn get_balance(&self, _: Request<GetBalanceRequest>) -> Result<Response<GetBalanceResponse>, Status> {
        app::get_balance(&self.store).await.map(Response::new).map_err(status)
    }

    async fn reconcile(&self, request: Request<ReconcileRequest>) -> Result<Response<ReconcileResponse>, Status> {
        let period = convert::period(request.get_ref()).map_err(status)?;
        self.reconciler.reconcile(period).await.map(Response::new).map_err(status)
    }

    async fn list_differences(
        &self,
        request: Request<ListDifferencesRequest>,
    ) -> Result<Response<ListDifferencesResponse>, Status> {
        let (state, after, size) = convert::differences(request.get_ref()).map_err(status)?;
        app::list_differences(&self.store, state, after, size).await.map(Response::new).map_err(status)
    }

    async fn resolve_difference(
        &self,
        request: Request<ResolveDifferenceRequest>,
    ) -> Result<Response<ResolveDifferenceResponse>, Status> {
        let (request, key) = keyed(request)?;
        let Some(key) = key.map_err(status)? else {
            return Err(status(Error::internal("a request that has to have an id has none")));
        };
        let (id, note) = convert::resolution(request).map_err(status)?;
        let resolved = app::resolve_difference(&self.store, &key, &id, &note).await;
        resolved.map(Response::new).map_err(status)
    }
}
