//! Endpoints: registered, changed, listed and forgotten.

use contracts::tradewind::notification::v1::WebhookEndpoint;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros, timestamp};
use tradewind_store::Tx;

use super::metrics;
use super::table::endpoint::{ActiveModel, Column, Entity, Model};

/// Adds an endpoint.
pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop).map_err(db)
}

/// How many there are.
pub(crate) async fn count(connection: &impl ConnectionTrait) -> Result<u64, Error> {
    Entity::find().count(connection).await.map_err(db)
}

/// The endpoint of that id.
pub(crate) async fn find(connection: &impl ConnectionTrait, id: &str) -> Result<Model, Error> {
    Entity::find_by_id(id).one(connection).await.map_err(db)?.ok_or_else(|| missing(id))
}

/// Whether there is an endpoint of that id.
pub(crate) async fn is_there(connection: &impl ConnectionTrait, id: &str) -> Result<bool, Error> {
    Ok(Entity::find_by_id(id).count(connection).await.map_err(db)? == 1)
}

/// What is said of an endpoint that is not there.
pub(crate) fn missing(id: &str) -> Error {
    Error::not_found::<WebhookEndpoint>(id, "ENDPOINT_NOT_FOUND", "there is no such endpoint")
}

/// Changes what `change` has of an endpoint, and returns it as it is then.
pub(crate) async fn change(tx: &Tx, id: &str, mut change: ActiveModel) -> Result<Model, Error> {
    change.updated = Set(micros(tx.now()));
    let changed = Entity::update_many().set(change).filter(Column::EndpointId.eq(id));
    if changed.exec(tx.conn()).await.map_err(db)?.rows_affected == 0 {
        return Err(missing(id));
    }
    find(tx.conn(), id).await
}

/// Removes an endpoint; what it was to be told is removed later.
pub(crate) async fn remove(connection: &impl ConnectionTrait, id: &str) -> Result<(), Error> {
    let removed = Entity::delete_by_id(id).exec(connection).await.map_err(db)?;
    if removed.rows_affected == 1 { Ok(()) } else { Err(missing(id)) }
}

/// Writes down since when an endpoint takes nothing, or that it does.
pub(crate) async fn fails(connection: &impl ConnectionTrait, id: &str, since: Option<i64>) -> Result<(), Error> {
    let fails = Entity::update_many().col_expr(Column::FailingSince, Expr::val(since));
    fails.filter(Column::EndpointId.eq(id)).exec(connection).await.map(drop).map_err(db)
}

/// Forgets that an endpoint has taken nothing, where there is nothing left to take. Whoever tells it begins anew.
pub(crate) async fn fails_no_more(tx: &Tx, id: &str) -> Result<(), Error> {
    let fails_not = Entity::update_many()
        .col_expr(Column::FailingSince, Expr::val(None::<i64>))
        .col_expr(Column::Updated, Expr::val(micros(tx.now())));
    let failing = fails_not.filter(Column::EndpointId.eq(id)).filter(Column::FailingSince.is_not_null());
    failing.exec(tx.conn()).await.map(drop).map_err(db)
}

/// Tells an endpoint nothing more, and says why.
pub(crate) async fn disable(tx: &mut Tx, id: &str, reason: &'static str) -> Result<(), Error> {
    let disable = Entity::update_many()
        .col_expr(Column::Enabled, Expr::val(false))
        .col_expr(Column::DisabledReason, Expr::val(reason))
        .col_expr(Column::Updated, Expr::val(micros(tx.now())));
    let told = disable.filter(Column::EndpointId.eq(id)).filter(Column::Enabled.eq(true));
    if told.exec(tx.conn()).await.map_err(db)?.rows_affected == 1 {
        let endpoint_id = id.to_owned();
        tx.after(move || {
            tracing::error!(endpoint_id, reason, "an endpoint is disabled: it is told nothing more");
            metrics::disabled(reason);
        });
    }
    Ok(())
}

/// Up to `limit` endpoints that follow the id `after`, by id.
pub(crate) async fn page(connection: &impl ConnectionTrait, after: &str, limit: usize) -> Result<Vec<Model>, Error> {
    let rows = Entity::find().filter(Column::EndpointId.gt(after)).order_by_asc(Column::EndpointId);
    let limit = u64::try_from(limit).map_err(Error::internal)?;
    rows.limit(limit).all(connection).await.map_err(db)
}

impl From<Model> for WebhookEndpoint {
    fn from(row: Model) -> Self {
        let time = |micros: i64| timestamp(from_micros(micros));
        Self {
            endpoint_id: row.endpoint_id,
            url: row.url.0,
            event_types: row.event_types.split_ascii_whitespace().map(str::to_owned).collect(),
            description: row.description,
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            create_time: Some(time(row.created)),
            update_time: Some(time(row.updated)),
            failing_since_time: row.failing_since.map(time),
        }
    }
}
