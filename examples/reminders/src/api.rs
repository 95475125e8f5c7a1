//! The service's call.

use contracts::library::reminders::v1::reminders_service_server::RemindersService;
use contracts::library::reminders::v1::{GetReminderRequest, GetReminderResponse};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_mesh::status;
use tradewind_store::Store;

use crate::reminder::Reminder;

/// Answers the calls of `RemindersService`.
pub(crate) struct Api {
    store: Store,
}

impl Api {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    async fn title_of(&self, loan_id: &str) -> Result<String, Error> {
        let reminder = self.store.begin().await?.load::<Reminder>(loan_id).await?;
        Ok(reminder.state.title()?)
    }
}

#[tonic::async_trait]
impl RemindersService for Api {
    async fn get_reminder(
        &self,
        request: Request<GetReminderRequest>,
    ) -> Result<Response<GetReminderResponse>, Status> {
        let title = self.title_of(&request.into_inner().loan_id).await.map_err(status)?;
        Ok(Response::new(GetReminderResponse { title }))
    }
}
