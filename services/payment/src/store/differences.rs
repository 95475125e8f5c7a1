//! The differences of the ledger: a row each, written in the transaction of its events.

use std::collections::HashMap;
use std::sync::LazyLock;

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::payment::v1::{Difference as Resource, DifferenceFound, DifferenceKind, DifferenceState};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use tradewind_domain::Error;
use tradewind_sql::{Place, db, from_micros, micros, timestamp};
use tradewind_store::{Tx, Upsert};

use super::ledger_difference::{Column, Entity, Model, Private};

static PUT: LazyLock<Upsert<Entity>> = LazyLock::new(|| Upsert::replacing([Column::DifferenceId]));

/// The most ids that are looked for with one statement.
const MOST_IDS: usize = 1_000;

/// What tells whether a difference is news.
#[derive(FromQueryResult)]
struct Known {
    difference_id: String,
    kind: i64,
    resolved: Option<i64>,
}

/// How many there are of a kind.
#[derive(FromQueryResult)]
struct Count {
    kind: i64,
    open: i64,
}

/// Writes a difference that is found now when `tx` is committed, and returns it.
pub(crate) fn put_found(tx: &mut Tx, found: DifferenceFound) -> Resource {
    let money = |amount: Option<Money>| amount.map(|Money { currency, minor }| (currency, minor)).unzip();
    let ((here_currency, here_minor), (there_currency, there_minor)) = (money(found.here), money(found.there));
    let moved = found.time.unwrap_or_default();
    let row = Model {
        difference_id: found.difference_id,
        kind: found.kind.into(),
        movement: found.movement.into(),
        order_id: found.order_id,
        line_id: found.line_id,
        event_id: found.event_id,
        here_currency,
        here_minor,
        there_currency,
        there_minor,
        time: moved.seconds.saturating_mul(1_000_000).saturating_add(i64::from(moved.nanos / 1_000)),
        found: micros(tx.now()),
        resolved: None,
        note: Private::default(),
        resolved_by: Private::default(),
    };
    tx.put(&PUT, row.clone());
    resource(row)
}

/// Writes that a difference is resolved now when `tx` is committed, and returns it; nothing where it has no row.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put_resolved(
    tx: &mut Tx,
    difference_id: &str,
    note: String,
    resolved_by: String,
) -> Result<Option<Resource>, Error> {
    let found = Entity::find_by_id(difference_id).one(tx.conn()).await.map_err(db)?;
    Ok(found.map(|row| {
        let (note, resolved_by) = (Private(note), Private(resolved_by));
        let row = Model { resolved: Some(micros(tx.now())), note, resolved_by, ..row };
        tx.put(&PUT, row.clone());
        resource(row)
    }))
}

/// The kinds of those of these differences that there are, and whether each is open.
///
/// # Errors
/// When the database fails.
pub(crate) async fn known(
    connection: &impl ConnectionTrait,
    ids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, (DifferenceKind, bool)>, Error> {
    let (ids, mut known): (Vec<_>, _) = (ids.collect(), HashMap::new());
    for ids in ids.chunks(MOST_IDS) {
        let rows = Entity::find()
            .select_only()
            .columns([Column::DifferenceId, Column::Kind, Column::Resolved])
            .filter(Column::DifferenceId.is_in(ids.iter().copied()));
        let rows = rows.into_model::<Known>().all(connection).await.map_err(db)?;
        let kind = |kind| i32::try_from(kind).ok().and_then(|kind| DifferenceKind::try_from(kind).ok());
        known.extend(
            rows.into_iter()
                .map(|row| (row.difference_id, (kind(row.kind).unwrap_or_default(), row.resolved.is_none()))),
        );
    }
    Ok(known)
}

/// Up to `limit` of the differences that follow `after` by the time at which they were found; from the first without it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn differences(
    connection: &impl ConnectionTrait,
    state: DifferenceState,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<Resource>, Error> {
    let mut these = Condition::all().add_option(match state {
        DifferenceState::Unspecified => None,
        DifferenceState::Open => Some(Column::Resolved.is_null()),
        DifferenceState::Resolved => Some(Column::Resolved.is_not_null()),
    });
    if let Some(Place { time, id, .. }) = after {
        let place = Expr::tuple([Column::Found, Column::DifferenceId].map(|column| Expr::col((Entity, column))));
        these = these.add(place.gt(Expr::tuple([Expr::val(time), Expr::val(id.to_string())])));
    }
    let rows = Entity::find().filter(these).order_by_asc(Column::Found).order_by_asc(Column::DifferenceId);
    let sized = [Column::OrderId, Column::LineId, Column::EventId, Column::Note, Column::ResolvedBy];
    let rows = tradewind_sql::page(connection, rows, sized, limit).await?;
    Ok(rows.into_iter().map(resource).collect())
}

/// How many differences of each kind are open.
///
/// # Errors
/// When the database fails.
pub(crate) async fn open_by_kind(connection: &impl ConnectionTrait) -> Result<HashMap<i64, i64>, Error> {
    let counts = Entity::find()
        .select_only()
        .column(Column::Kind)
        .column_as(Column::DifferenceId.count(), "open")
        .filter(Column::Resolved.is_null())
        .group_by(Column::Kind);
    let counts = counts.into_model::<Count>().all(connection).await.map_err(db)?;
    Ok(counts.into_iter().map(|count| (count.kind, count.open)).collect())
}

fn resource(row: Model) -> Resource {
    let number = |number: i64| i32::try_from(number).unwrap_or_default();
    let money = |currency: Option<String>, minor: Option<i64>| {
        currency.zip(minor).map(|(currency, minor)| Money { currency, minor })
    };
    let time = |micros: i64| timestamp(from_micros(micros));
    Resource {
        difference_id: row.difference_id,
        kind: number(row.kind),
        movement: number(row.movement),
        order_id: row.order_id,
        line_id: row.line_id,
        event_id: row.event_id,
        here: money(row.here_currency, row.here_minor),
        there: money(row.there_currency, row.there_minor),
        time: Some(time(row.time)),
        found_time: Some(time(row.found)),
        resolved_time: row.resolved.map(time),
        note: row.note.0,
        resolved_by: row.resolved_by.0,
    }
}
