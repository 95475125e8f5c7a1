//! What staff ask of webhooks.

use std::sync::Arc;

use contracts::tradewind::notification::v1::{
    CreateWebhookEndpointResponse, DeleteWebhookEndpointResponse, GetWebhookEndpointResponse,
    ListWebhookDeliveriesResponse, ListWebhookEndpointsResponse, ReplayWebhookDeliveriesResponse,
    RotateWebhookSecretResponse, UpdateWebhookEndpointResponse, WebhookDelivery, WebhookEndpoint,
};
use prost::Message;
use reqwest::Url;
use tradewind_domain::request::{self, RequestKey};
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{from_micros, timestamp};
use tradewind_store::{Store, Tx};
use uuid::Uuid;

use super::endpoints::Endpoints;
use super::guard::{Barred, Guard};
use super::post::name_of;
use super::queue::{self, Listed, Place};
use super::write::{self, Again, Change, Wanted};
use super::{keep, secret};

/// The reason by which a request is known that was not answered before; nobody is told it.
const NEW: &str = "NEW_REQUEST";

/// What staff ask of webhooks.
pub(crate) struct Webhooks {
    store: Store,
    endpoints: Arc<Endpoints>,
    /// None where nobody is to be told of anything.
    guard: Option<Guard>,
}

impl Webhooks {
    pub(crate) const fn new(store: Store, endpoints: Arc<Endpoints>, guard: Option<Guard>) -> Self {
        Self { store, endpoints, guard }
    }

    /// Registers an endpoint, once for each `request`.
    ///
    /// # Errors
    /// `Invalid` with reason `INVALID_URL`, `ADDRESS_NOT_ALLOWED`, `ADDRESS_UNKNOWN`; `Unavailable` with reason `NAME_NOT_ANSWERED`;
    /// `Exhausted` with reason `TOO_MANY_ENDPOINTS`; `Rejected` with reason `WEBHOOKS_DISABLED`.
    pub(crate) async fn create(
        &self,
        request: Option<&RequestKey>,
        wanted: Wanted,
    ) -> Result<CreateWebhookEndpointResponse, Error> {
        if self.is_new::<CreateWebhookEndpointResponse>(request).await? {
            self.check(&wanted.url).await?;
        }
        let (id, secret) = (Uuid::now_v7().to_string(), secret::make()?);
        let register = async |tx: &mut Tx| write::register(tx, id.clone(), wanted.clone(), secret.clone()).await;
        let (answer, _) = self.store.once(request, register).await?;
        self.look().await;
        let secret = self.secret_of(answer.endpoint.as_ref().map_or(id.as_str(), |made| &made.endpoint_id)).await?;
        Ok(CreateWebhookEndpointResponse { secret, ..answer })
    }

    /// Lists up to `size` endpoints that follow the id `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn list(&self, after: &str, size: usize) -> Result<ListWebhookEndpointsResponse, Error> {
        let found = keep::page(self.store.reader(), after, size + 1).await?;
        let found = found.into_iter().map(WebhookEndpoint::from).collect();
        let (endpoints, next_page_token) = request::page(found, size, |last| last.endpoint_id.clone());
        Ok(ListWebhookEndpointsResponse { endpoints, next_page_token })
    }

    /// Returns one endpoint.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) async fn get(&self, id: &str) -> Result<GetWebhookEndpointResponse, Error> {
        Ok(GetWebhookEndpointResponse { endpoint: Some(keep::find(self.store.reader(), id).await?.into()) })
    }

    /// Changes an endpoint, once for each `request`.
    ///
    /// # Errors
    /// `NotFound`; as [`create`](Self::create).
    pub(crate) async fn update(
        &self,
        request: Option<&RequestKey>,
        id: &str,
        change: Change,
    ) -> Result<UpdateWebhookEndpointResponse, Error> {
        if let Some(url) = &change.url
            && self.is_new::<UpdateWebhookEndpointResponse>(request).await?
        {
            self.check(url).await?;
        }
        let update = async |tx: &mut Tx| write::update(tx, id, change.clone()).await;
        let (answer, _) = self.store.once(request, update).await?;
        self.look().await;
        Ok(answer)
    }

    /// Forgets an endpoint, once for each `request`.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) async fn delete(
        &self,
        request: Option<&RequestKey>,
        id: &str,
    ) -> Result<DeleteWebhookEndpointResponse, Error> {
        let delete = async |tx: &mut Tx| {
            keep::remove(tx.conn(), id).await?;
            let endpoint_id = id.to_owned();
            tx.after(move || tracing::info!(endpoint_id, "an endpoint is forgotten"));
            Ok(DeleteWebhookEndpointResponse {})
        };
        let (answer, _) = self.store.once(request, delete).await?;
        self.look().await;
        Ok(answer)
    }

    /// Gives an endpoint another secret, once for each `request`; the one before signs for a day as well.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) async fn rotate(
        &self,
        request: Option<&RequestKey>,
        id: &str,
    ) -> Result<RotateWebhookSecretResponse, Error> {
        let secret = secret::make()?;
        let rotate = async |tx: &mut Tx| write::rotate(tx, id, secret.clone()).await;
        let (answer, _) = self.store.once(request, rotate).await?;
        self.look().await;
        Ok(RotateWebhookSecretResponse { secret: self.secret_of(id).await?, ..answer })
    }

    /// Lists up to `size` events that an endpoint was told of before that place, the latest first.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) async fn deliveries(
        &self,
        id: &str,
        state: Option<i64>,
        before: Option<&Place>,
        size: usize,
    ) -> Result<ListWebhookDeliveriesResponse, Error> {
        let reader = self.store.reader();
        keep::find(reader, id).await?;
        let found = queue::page(reader, id, state, before, size + 1).await?;
        let places: Vec<_> = found.iter().map(|row| format!("{}.{}", row.place, row.event_id)).collect();
        let found: Vec<_> = found.into_iter().map(WebhookDelivery::from).collect();
        let (deliveries, more) = request::page(found, size, |_| "more".to_owned());
        let last = deliveries.len().checked_sub(1).and_then(|last| places.get(last)).filter(|_| !more.is_empty());
        Ok(ListWebhookDeliveriesResponse { next_page_token: last.cloned().unwrap_or_default(), deliveries })
    }

    /// Tells an endpoint again, once for each `request`.
    ///
    /// # Errors
    /// `NotFound` with reason `ENDPOINT_NOT_FOUND` or `DELIVERY_NOT_FOUND`.
    pub(crate) async fn replay(
        &self,
        request: Option<&RequestKey>,
        id: &str,
        again: &Again,
    ) -> Result<ReplayWebhookDeliveriesResponse, Error> {
        let replay = async |tx: &mut Tx| write::replay(tx, id, again).await;
        let (answer, _) = self.store.once(request, replay).await?;
        if let Some(endpoint) = self.endpoints.get(id) {
            endpoint.due.notify_one();
        }
        Ok(answer)
    }

    /// Whether a request was not answered before: a repetition gets that answer, whatever its URL stands for by now.
    async fn is_new<R: Message + Default>(&self, request: Option<&RequestKey>) -> Result<bool, Error> {
        let not_yet =
            async |_: &mut Tx| Err::<R, _>(Error::new(ErrorKind::Rejected, NEW, "it was not answered before"));
        match self.store.once(request, not_yet).await {
            Ok(_) => Ok(false),
            Err(error) if error.reason == NEW => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that a URL is one that somebody may be told at.
    async fn check(&self, url: &Url) -> Result<(), Error> {
        let Some(guard) = &self.guard else {
            return Err(Error::new(ErrorKind::Rejected, "WEBHOOKS_DISABLED", "this shop sends no webhooks"));
        };
        if url.scheme() != "https" && !guard.takes_plain() {
            return Err(Error::invalid("url", "INVALID_URL", "must be an https URL"));
        }
        guard.check(url).await.map_err(refused)
    }

    /// Takes in what was changed; where that fails, whoever looks every two seconds does.
    async fn look(&self) {
        if let Err(error) = self.endpoints.look(self.store.command_reader()).await {
            tracing::warn!(%error, "who is told of events is looked up later");
        }
    }

    /// The secret is in no answer that is kept: whoever asks again gets that of the endpoint.
    async fn secret_of(&self, id: &str) -> Result<String, Error> {
        Ok(keep::find(self.store.command_reader(), id).await?.secret.0)
    }
}

/// What is said of a URL that is barred.
fn refused(barred: Barred) -> Error {
    let reason = name_of(barred);
    match barred {
        Barred::Unknown => Error::invalid("url", reason, "its name stands for no address"),
        Barred::NotAllowed => Error::invalid("url", reason, "stands for an address that is not public"),
        Barred::Unanswered => Error::unavailable(reason, "what its name stands for, nobody says at present"),
    }
}

impl From<Listed> for WebhookDelivery {
    fn from(row: Listed) -> Self {
        let time = |micros: i64| timestamp(from_micros(micros));
        let number = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            event_id: row.event_id,
            event_type: row.event_type,
            subject: row.subject,
            state: number(row.state),
            attempts: number(row.attempts),
            last_status: number(row.status),
            last_failure: row.failure,
            create_time: Some(time(row.created)),
            due_time: (row.state == queue::WAITING).then(|| time(row.due)),
            settle_time: (row.state != queue::WAITING).then(|| time(row.since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_yet_may_be_asked_again() {
        let said = |barred| (refused(barred).kind, refused(barred).reason);
        assert_eq!(said(Barred::Unanswered), (ErrorKind::Unavailable, "NAME_NOT_ANSWERED"));
        assert_eq!(said(Barred::Unknown), (ErrorKind::Invalid, "ADDRESS_UNKNOWN"));
        assert_eq!(said(Barred::NotAllowed), (ErrorKind::Invalid, "ADDRESS_NOT_ALLOWED"));
    }
}
