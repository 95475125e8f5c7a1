//! What is removed of what endpoints were told: what is old, nobody's, or more than is kept; some at a time, so that nobody waits
//! for it.

use std::collections::BTreeMap;

use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Select};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{chunks, db, micros};
use tradewind_store::{Store, Tx};

use super::queue::{WAITING, of};
use super::table::delivery::{Column, Entity};
use super::table::endpoint;

/// Rows that one transaction removes.
const REMOVED: u64 = 500;

/// Removes some of what is older than `past`, or belongs to nobody any more; whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn old(store: &Store, past: OffsetDateTime) -> Result<bool, Error> {
    remove(store, Entity::find().filter(Column::Created.lt(micros(past))).order_by_asc(Column::Created)).await
}

/// Removes some of what belongs to an endpoint that is no more; whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn orphans(store: &Store) -> Result<bool, Error> {
    let all = Query::select().column(endpoint::Column::EndpointId).from(endpoint::Entity).take();
    remove(store, Entity::find().filter(Column::EndpointId.not_in_subquery(all))).await
}

/// Removes some of what an endpoint has taken, or will not, beyond the last `most`; whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn beyond(store: &Store, endpoint_id: &str, most: u64) -> Result<bool, Error> {
    let places = of(endpoint_id).select_only().column(Column::Place).order_by_desc(Column::Place);
    let oldest: Vec<At> = store.find(places.offset(most).limit(1)).await?;
    let Some(At { place }) = oldest.first() else { return Ok(false) };
    let settled = of(endpoint_id).filter(Column::Place.lte(*place)).filter(Column::State.ne(WAITING));
    remove(store, settled).await
}

#[derive(FromQueryResult)]
struct At {
    place: i64,
}

#[derive(FromQueryResult)]
struct Named {
    endpoint_id: String,
    event_id: String,
}

async fn remove(store: &Store, rows: Select<Entity>) -> Result<bool, Error> {
    let named = rows.select_only().columns([Column::EndpointId, Column::EventId]).limit(REMOVED);
    let named: Vec<Named> = store.find(named).await?;
    if named.is_empty() {
        return Ok(false);
    }
    let mut events: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &named {
        events.entry(&row.endpoint_id).or_default().push(&row.event_id);
    }
    let remove = async |tx: &mut Tx| {
        for (endpoint_id, events) in &events {
            for events in chunks(events, 1) {
                let these = Entity::delete_many().filter(Column::EndpointId.eq(*endpoint_id));
                let these = these.filter(Column::EventId.is_in(events.iter().copied()));
                these.exec(tx.conn()).await.map_err(db)?;
            }
        }
        Ok(())
    };
    store.transact(remove).await?;
    Ok(u64::try_from(named.len()).map_err(Error::internal)? == REMOVED)
}
