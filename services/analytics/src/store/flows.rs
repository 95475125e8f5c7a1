//! The rows of flows: what asks and what answers are written each for itself, in any order, and any number of times.

use std::sync::LazyLock;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::micros;
use tradewind_store::Upsert;

use super::flow::{Column, Entity, Model};
use super::parts::done;
use super::place::Place;
use crate::domain::Done;

const KEY: [Column; 3] = [Column::OrderId, Column::Event, Column::Cause];
const QUESTION: [Column; 3] = [Column::EventId, Column::Since, Column::Due];
const ANSWER: [Column; 5] = [Column::Settled, Column::SettledBy, Column::Source, Column::Partition, Column::Position];

/// What asks again in its stream has not been answered there yet.
static ASK_ANEW: LazyLock<Table<Entity>> = LazyLock::new(|| Table::replacing(KEY));

/// What has a cause may have come before it.
static ASK: LazyLock<Table<Entity>> =
    LazyLock::new(|| Table::new(|| Upsert::new(OnConflict::columns(KEY).update_columns(QUESTION).to_owned())));

/// The first answer is the one that counts.
static ANSWER_FIRST: LazyLock<Table<Entity>> = LazyLock::new(|| {
    Table::new(|| {
        let first = |column: Column| {
            let (there, new) = (Expr::col((Entity, column)), Expr::col(("excluded", column)));
            (column, Func::coalesce([there, new]).into())
        };
        Upsert::new(OnConflict::columns(KEY).values(ANSWER.map(first)).to_owned())
    })
});

/// Writes what asks.
pub(crate) fn put_question(writer: &mut Writer<'_>, row: Model) {
    writer.put(if row.cause.is_empty() { &ASK_ANEW } else { &ASK }, row);
}

/// Writes what answers, whether anybody has asked or not.
pub(crate) fn put_answer(writer: &mut Writer<'_>, row: Model) {
    writer.put(&ANSWER_FIRST, row);
}

/// Which flows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Only those of this order.
    pub order_id: Option<String>,
    /// Only those that begin with one of these events, as long as one of these sets of services has done its part.
    pub turns: Option<Vec<(&'static str, Vec<Done>)>>,
    /// Only those that begin with this event.
    pub step: Option<String>,
    /// Only those that have been waiting for so long.
    pub min_age: Option<Duration>,
    /// Only those that wait.
    pub waiting: bool,
    /// Only those that are late.
    pub late: bool,
}

impl Wanted {
    pub(super) fn these(&self, slot: Slot, now: OffsetDateTime) -> Condition {
        let before = |age: Duration| micros(now).saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
        Condition::all()
            .add(Column::Since.is_not_null())
            .add_option(self.order_id.as_ref().map(|order_id| Column::OrderId.eq(order_id)))
            .add_option(self.turns.as_ref().map(|turns| is_turn(slot, turns)))
            .add_option(self.step.as_ref().map(|event| Column::Event.eq(event)))
            .add_option(self.min_age.map(|age| Column::Since.lte(before(age))))
            .add_option(self.waiting.then(|| Column::Settled.is_null()))
            .add_option(self.late.then(|| Column::Due.lt(micros(now))))
    }
}

fn is_turn(slot: Slot, turns: &[(&'static str, Vec<Done>)]) -> Condition {
    let one = |(event, when): &(&'static str, Vec<Done>)| {
        Column::Event.eq(*event).and(done(slot).is_in(when.iter().map(|done| done.number())))
    };
    // One who never has a turn has none here.
    turns.iter().map(one).fold(Condition::any().add(Expr::val(false)), Condition::add)
}

/// Up to `limit` of the flows that follow `after` by since when they wait; from the first without it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    slot: Slot,
    wanted: &Wanted,
    now: OffsetDateTime,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<Model>, Error> {
    let mut these = wanted.these(slot, now);
    if let Some(Place { since, order_id, event, cause }) = after {
        let columns = [Column::Since, Column::OrderId, Column::Event, Column::Cause];
        let place = Expr::tuple(columns.map(|column| Expr::col((Entity, column))));
        these = these.add(place.gt(Expr::tuple([since.into(), order_id.into(), event.into(), cause.into()])));
    }
    let mut rows = Entity::find().filter(these);
    if wanted.waiting {
        // It is the same everywhere there; without it PostgreSQL sorts all of them.
        rows = rows.order_by_asc(Column::Settled);
    }
    let rows = rows
        .order_by_asc(Column::Since)
        .order_by_asc(Column::OrderId)
        .order_by_asc(Column::Event)
        .order_by_asc(Column::Cause);
    tradewind_sql::page(db, slot.select(rows), [Column::OrderId, Column::Event], limit).await
}

/// Where a page ends that ends with this.
pub(crate) fn place(row: &Model) -> Place {
    let Model { order_id, event, cause, since, .. } = row.clone();
    Place { since: since.unwrap_or_default(), order_id, event, cause }
}
