//! The service's calls: each takes effect once for its `request_id`, in one transaction with its event.

use contracts::library::lending::v1::lending_service_server::LendingService;
use contracts::library::lending::v1::{
    BookLent, LendBookRequest, LendBookResponse, ReturnBookRequest, ReturnBookResponse,
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_mesh::{keyed, status};
use tradewind_store::{Store, Tx};

use crate::loan::{Command, Loan};

/// Answers the calls of `LendingService`.
pub(crate) struct Api {
    store: Store,
}

impl Api {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl LendingService for Api {
    async fn lend_book(&self, request: Request<LendBookRequest>) -> Result<Response<LendBookResponse>, Status> {
        let (LendBookRequest { loan_id, title, borrower, .. }, key) = keyed(request)?;
        let key = key.map_err(status)?;
        if loan_id.is_empty() {
            return Err(status(Error::invalid("loan_id", "LOAN_ID_MISSING", "must be given")));
        }
        let lent = BookLent { loan_id, title, borrower };
        let done = self.store.once(key.as_ref(), async |tx: &mut Tx| {
            tx.execute::<Loan>(&lent.loan_id, Command::Lend(lent.clone())).await?;
            Ok(LendBookResponse {})
        });
        done.await.map(|(response, _)| Response::new(response)).map_err(status)
    }

    async fn return_book(&self, request: Request<ReturnBookRequest>) -> Result<Response<ReturnBookResponse>, Status> {
        let (ReturnBookRequest { loan_id, .. }, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let done = self.store.once(key.as_ref(), async |tx: &mut Tx| {
            tx.execute::<Loan>(&loan_id, Command::Return).await?;
            Ok(ReturnBookResponse {})
        });
        done.await.map(|(response, _)| Response::new(response)).map_err(status)
    }
}
