//! The service's calls: decode, ask the application, encode.

mod convert;

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::available_parallelism;

use contracts::tradewind::documents::v1::document_service_server::DocumentService;
use contracts::tradewind::documents::v1::{
    GetDocumentRequest, GetDocumentResponse, ListDocumentsRequest, ListDocumentsResponse,
};
use futures::{Stream, stream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_domain::request::order_id;
use tradewind_mesh::status;
use tradewind_store::Store;

use crate::domain::Number;
use crate::{app, render};

/// Answers the calls of `DocumentService`.
pub(crate) struct Api {
    store: Store,
    /// As many documents are made at a time as there are processors.
    turns: Arc<Semaphore>,
}

impl Api {
    /// Answers from `store`.
    pub(crate) fn new(store: Store) -> Self {
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        Self { store, turns: Arc::new(Semaphore::new(processors)) }
    }
}

/// Whose an order is; nobody's where it has not been heard of.
pub(crate) async fn owner_of_order(store: Store, order: String) -> Result<Option<String>, Status> {
    app::owner(&store, order_id(&order).map_err(status)?).await.map_err(status)
}

/// Whose a document is, by its number; nobody's where its order has not been heard of.
pub(crate) async fn owner_of_document(store: Store, number: String) -> Result<Option<String>, Status> {
    let number = number.parse::<Number>().map_err(status)?;
    app::owner(&store, number.order).await.map_err(status)
}

/// What is said of an order that is not there, by its id as it is asked for.
pub(crate) fn no_order(order: &str) -> Status {
    order_id(order).map_or_else(status, |order| status(app::no_order(order)))
}

/// What is said of a document that is not there, by its number as it is asked for.
pub(crate) fn no_document(number: &str) -> Status {
    number.parse::<Number>().map_or_else(status, |number| status(app::no_document(number)))
}

#[tonic::async_trait]
impl DocumentService for Api {
    type GetDocumentStream = Pin<Box<dyn Stream<Item = Result<GetDocumentResponse, Status>> + Send>>;

    async fn list_documents(
        &self,
        request: Request<ListDocumentsRequest>,
    ) -> Result<Response<ListDocumentsResponse>, Status> {
        let order = order_id(&request.get_ref().order_id).map_err(status)?;
        let documents = app::list_documents(&self.store, order).await.map_err(status)?;
        Ok(Response::new(ListDocumentsResponse { documents }))
    }

    async fn get_document(
        &self,
        request: Request<GetDocumentRequest>,
    ) -> Result<Response<Self::GetDocumentStream>, Status> {
        let number = convert::number(request.get_ref()).map_err(status)?;
        let document = app::get_document(&self.store, number).await.map_err(status)?;
        // It is work for a processor, which others have meanwhile, and goes on where nobody waits for it any more.
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|closed| status(Error::internal(closed)))?;
        let rendering = spawn_blocking(move || {
            let bytes = render(&document);
            drop(turn);
            bytes
        });
        let bytes = rendering.await.map_err(|gone| status(Error::internal(gone)))?;
        Ok(Response::new(Box::pin(stream::iter(convert::parts(number, bytes).map(Ok)))))
    }
}
