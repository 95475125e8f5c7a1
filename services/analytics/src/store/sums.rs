//! How many flows there are of a kind, each in one statement.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, IntoIden as _, Order, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait as _,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_projections::Slot;
use tradewind_sql::{db, micros};

use super::flow::{Column, Entity};
use super::flows::Wanted;
use super::parts::{done, last};
use crate::domain::Age;

/// How many wait for the same, for about as long.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Sum {
    pub(crate) event: String,
    /// Who has done its part.
    pub(crate) done: i64,
    /// The contract's number of their age class.
    pub(crate) class: i64,
    pub(crate) count: i64,
    /// Since when the first of them waits.
    pub(crate) oldest: i64,
}

/// How many are summed up of those that wait: where payments stand still for an hour there may be a million, and everybody who looks at
/// what is stuck asks for the sums.
pub(crate) const SUMMED: usize = 20_000;

/// How many of those that are wanted still wait, by what they wait for and how long: of the `most` that have waited longest.
///
/// # Errors
/// When the database fails.
pub(crate) async fn sums(
    connection: &impl ConnectionTrait,
    slot: Slot,
    wanted: &Wanted,
    now: OffsetDateTime,
    most: usize,
) -> Result<Vec<Sum>, Error> {
    let since = |age: &Age| micros(now).saturating_sub(i64::try_from(age.least.as_micros()).unwrap_or(i64::MAX));
    let [first, others @ ..] = Age::ALL;
    let is_of = |age: &Age| Expr::col(Column::Since).lte(since(age));
    let number = |age: &Age| Expr::val(i64::from(i32::from(age.class)));
    let classes =
        others.iter().fold(Expr::case(is_of(&first), number(&first)), |case, age| case.case(is_of(age), number(age)));
    // A clock that is ahead may have said when it began.
    let class: Expr = classes.finally(number(&others[others.len() - 1])).into();
    let waiting = Entity::find()
        .select_only()
        .columns([Column::Event, Column::Since])
        .column_as(done(slot), "done")
        .filter(Wanted { waiting: true, ..wanted.clone() }.these(slot, now))
        // Of what waits it is the same everywhere; PostgreSQL does not know without being told.
        .order_by_asc(Column::Settled)
        .order_by_asc(Column::Since)
        .limit(u64::try_from(most).map_err(Error::internal)?);
    let (of_done, of_class) = (Alias::new("done"), Alias::new("class"));
    let mut sums = Query::select();
    sums.columns([Column::Event.into_iden(), of_done.clone().into_iden()])
        .expr_as(class.cast_as("BIGINT"), of_class.clone())
        .expr_as(Expr::col(Column::Event).count(), "count")
        .expr_as(Expr::col(Column::Since).min(), "oldest")
        .from_subquery(slot.select(waiting).into_query(), "waiting")
        .group_by_columns([Column::Event.into_iden(), of_done.clone().into_iden(), of_class.clone().into_iden()])
        .order_by(Column::Event, Order::Asc)
        .order_by(of_done, Order::Asc)
        .order_by(of_class, Order::Desc);
    let rows = connection.query_all(&sums).await.map_err(db)?;
    rows.iter().map(|row| Sum::from_query_result(row, "")).collect::<Result<_, _>>().map_err(db)
}

/// How much of a step waits.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Waiting {
    pub(crate) event: String,
    /// Who has done its part.
    pub(crate) done: i64,
    pub(crate) waiting: i64,
    /// Of them, those that are late.
    pub(crate) late: i64,
}

/// How much waits, by the event that it follows.
///
/// # Errors
/// When the database fails.
pub(crate) async fn waiting(
    connection: &impl ConnectionTrait,
    slot: Slot,
    now: OffsetDateTime,
) -> Result<Vec<Waiting>, Error> {
    let is_late: Expr = Expr::case(Column::Due.lt(micros(now)), 1).finally(0).into();
    let waiting = Entity::find()
        .select_only()
        .column(Column::Event)
        .column_as(done(slot), "done")
        .column_as(Column::Event.count(), "waiting")
        .column_as(is_late.sum().cast_as("BIGINT"), "late")
        .filter(Wanted { waiting: true, ..Wanted::default() }.these(slot, now))
        .group_by(Column::Event)
        .group_by(Expr::col(Alias::new("done")));
    slot.select(waiting).into_model().all(connection).await.map_err(db)
}

/// How far the logs of others have been read, by context and partition.
pub(crate) type Reached = BTreeMap<(String, u16), u64>;

/// How many of a step were settled.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Settled {
    pub(crate) event: String,
    /// Who had done its part.
    pub(crate) done: i64,
    /// Whether it was late, as 0 or 1.
    pub(crate) late: i64,
    /// Whether parts of it were already.
    pub(crate) parts_late: i64,
    pub(crate) settled: i64,
}

/// What was settled by the events between two places in the logs and at a time, or after it, by the event that it followed.
///
/// # Errors
/// When the database fails.
pub(crate) async fn settled_since(
    connection: &impl ConnectionTrait,
    slot: Slot,
    from: &Reached,
    to: &Reached,
    not_before: OffsetDateTime,
) -> Result<Vec<Settled>, Error> {
    let mut between = Condition::any();
    for ((source, partition), to) in to {
        let from = from.get(&(source.clone(), *partition)).copied().unwrap_or_default();
        if from < *to {
            let number = |position: u64| i64::try_from(position).map_err(Error::internal);
            let these = Column::Source
                .eq(source)
                .and(Column::Partition.eq(i64::from(*partition)))
                .and(Column::Position.gt(number(from)?))
                .and(Column::Position.lte(number(*to)?));
            between = between.add(these);
        }
    }
    if between.is_empty() {
        return Ok(Vec::new());
    }
    let due = || Expr::col((Entity, Column::Due));
    let flag = |holds: Expr| -> Expr {
        let flag: Expr = Expr::case(holds, 1).finally(0).into();
        flag.cast_as("BIGINT")
    };
    let settled = ["done", "late", "parts_late"].iter().fold(
        Entity::find()
            .select_only()
            .column(Column::Event)
            .column_as(done(slot), "done")
            .column_as(flag(Expr::col((Entity, Column::Settled)).gt(due())), "late")
            .column_as(flag(last(slot).gt(due())), "parts_late")
            .column_as(Column::Event.count(), "settled")
            .filter(between)
            .filter(Column::Since.is_not_null())
            .filter(Column::Settled.gte(micros(not_before)))
            .group_by(Column::Event),
        |all, name| all.group_by(Expr::col(Alias::new(*name))),
    );
    slot.select(settled).into_model().all(connection).await.map_err(db)
}
