//! What is written when staff ask something of webhooks.

use contracts::tradewind::notification::v1::{
    CreateWebhookEndpointResponse, ReplayWebhookDeliveriesResponse, RotateWebhookSecretResponse,
    UpdateWebhookEndpointResponse, WebhookDelivery,
};
use reqwest::Url;
use sea_orm::ActiveValue::Set;
use time::OffsetDateTime;
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{micros, timestamp};
use tradewind_store::Tx;

use super::endpoints::MOST;
use super::keep;
use super::queue::{self, MOST_AGAIN};
use super::table::{Hidden, endpoint};

/// How long the secret before signs as well.
const BOTH_SIGN: time::Duration = time::Duration::DAY;

/// An endpoint that is to be registered.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) url: Url,
    pub(crate) event_types: Vec<String>,
    pub(crate) description: String,
}

/// What is to be changed of an endpoint.
#[derive(Clone, Default)]
pub(crate) struct Change {
    pub(crate) url: Option<Url>,
    pub(crate) event_types: Option<Vec<String>>,
    pub(crate) description: Option<String>,
    pub(crate) enabled: Option<bool>,
}

/// What an endpoint is to be told again.
pub(crate) enum Again {
    /// Of one event.
    Event(String),
    /// Of all that were given up since then.
    FailedSince(OffsetDateTime),
}

/// Registers an endpoint, where there is room for one more.
pub(crate) async fn register(
    tx: &mut Tx,
    id: String,
    wanted: Wanted,
    secret: Hidden,
) -> Result<CreateWebhookEndpointResponse, Error> {
    if keep::count(tx.conn()).await? >= MOST as u64 {
        let text = format!("there are {MOST} endpoints; forget one");
        return Err(Error::new(ErrorKind::Exhausted, "TOO_MANY_ENDPOINTS", text).with("limit", MOST.to_string()));
    }
    let now = micros(tx.now());
    let row = endpoint::Model {
        endpoint_id: id,
        url: Hidden(wanted.url.into()),
        event_types: wanted.event_types.join(" "),
        description: wanted.description,
        secret,
        previous_secret: None,
        previous_until: None,
        enabled: true,
        disabled_reason: String::new(),
        created: now,
        updated: now,
        failing_since: None,
    };
    keep::insert(tx.conn(), row.clone()).await?;
    let endpoint_id = row.endpoint_id.clone();
    tx.after(move || tracing::info!(endpoint_id, "an endpoint is registered"));
    Ok(CreateWebhookEndpointResponse { endpoint: Some(row.into()), secret: String::new() })
}

/// Changes an endpoint. Where requests go elsewhere, or somebody wants them again, what waits is due at once.
pub(crate) async fn update(tx: &mut Tx, id: &str, change: Change) -> Result<UpdateWebhookEndpointResponse, Error> {
    let begins_anew = change.url.is_some() || change.enabled == Some(true);
    let endpoint = keep::change(tx, id, changed(change)).await?;
    if begins_anew {
        queue::hurry(tx, id).await?;
    }
    Ok(UpdateWebhookEndpointResponse { endpoint: Some(endpoint.into()) })
}

/// What of a row a change is about. Where requests go elsewhere, or somebody wants them again, what failed before counts no more.
fn changed(change: Change) -> endpoint::ActiveModel {
    let mut changed = endpoint::ActiveModel::default();
    if change.url.is_some() || change.enabled.is_some() {
        changed.failing_since = Set(None);
    }
    if let Some(url) = change.url {
        changed.url = Set(Hidden(url.into()));
    }
    if let Some(event_types) = change.event_types {
        changed.event_types = Set(event_types.join(" "));
    }
    if let Some(description) = change.description {
        changed.description = Set(description);
    }
    if let Some(enabled) = change.enabled {
        (changed.enabled, changed.disabled_reason) = (Set(enabled), Set(String::new()));
    }
    changed
}

/// Gives an endpoint another secret; the one before signs for a day as well.
pub(crate) async fn rotate(tx: &mut Tx, id: &str, secret: Hidden) -> Result<RotateWebhookSecretResponse, Error> {
    let (before, until) = (keep::find(tx.conn(), id).await?, tx.now() + BOTH_SIGN);
    let change = endpoint::ActiveModel {
        secret: Set(secret),
        previous_secret: Set(Some(before.secret)),
        previous_until: Set(Some(micros(until))),
        ..Default::default()
    };
    keep::change(tx, id, change).await?;
    let endpoint_id = id.to_owned();
    tx.after(move || tracing::info!(endpoint_id, "an endpoint has another secret"));
    Ok(RotateWebhookSecretResponse { secret: String::new(), previous_until_time: Some(timestamp(until)) })
}

/// Tells an endpoint again.
pub(crate) async fn replay(tx: &mut Tx, id: &str, again: &Again) -> Result<ReplayWebhookDeliveriesResponse, Error> {
    keep::find(tx.conn(), id).await?;
    let replayed = match again {
        Again::FailedSince(since) => queue::replay_failed(tx, id, micros(*since), MOST_AGAIN).await?,
        Again::Event(event_id) if queue::replay(tx, id, event_id).await? => 1,
        Again::Event(event_id) => {
            let text = "the endpoint was not to be told of that event, or it is too long ago";
            return Err(Error::not_found::<WebhookDelivery>(event_id, "DELIVERY_NOT_FOUND", text));
        }
    };
    Ok(ReplayWebhookDeliveriesResponse { replayed: i64::try_from(replayed).map_err(Error::internal)? })
}
