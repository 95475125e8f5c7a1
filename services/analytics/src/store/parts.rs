//! The rows of parts: written in any order, and read for the flows of a page, or of a sum.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use tradewind_domain::Error;
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::db;
use tradewind_store::Upsert;

use super::flow;
use super::part::{Column, Entity, Model};
use crate::domain::Done;

/// What several have done adds up.
static ADD: LazyLock<Table<Entity>> = LazyLock::new(|| {
    Table::new(|| {
        let here = |column: Column| Expr::col((Entity, column));
        let new = |column: Column| Expr::col(("excluded", column));
        let later = Expr::case(new(Column::Last).gt(here(Column::Last)), new(Column::Last)).finally(here(Column::Last));
        let mut add = OnConflict::column(Column::Cause);
        add.value(Column::Done, here(Column::Done).bit_or(new(Column::Done))).value(Column::Last, later);
        Upsert::new(add)
    })
});

/// Writes that somebody has done its part after the event `cause`.
pub(crate) fn put_part(writer: &mut Writer<'_>, cause: &str, done: Done, at: i64) {
    writer.put(&ADD, Model { cause: cause.to_owned(), done: done.number(), last: at });
}

/// Who has done its part after each of these events, of which somebody has.
///
/// # Errors
/// When the database fails.
pub(crate) async fn parts(
    connection: &impl ConnectionTrait,
    slot: Slot,
    causes: impl IntoIterator<Item = &str>,
) -> Result<BTreeMap<String, Done>, Error> {
    let rows = slot.select(Entity::find().filter(Column::Cause.is_in(causes))).all(connection).await.map_err(db)?;
    Ok(rows.into_iter().map(|row| (row.cause, Done::numbered(row.done))).collect())
}

/// Who has done its part in a flow, as a number; 0 where nobody has.
pub(super) fn done(slot: Slot) -> Expr {
    of_flow(slot, Column::Done)
}

/// When the last of them had; 0 where nobody has.
pub(super) fn last(slot: Slot) -> Expr {
    of_flow(slot, Column::Last)
}

fn of_flow(slot: Slot, column: Column) -> Expr {
    let mut of = Query::select();
    of.expr(Expr::col((Entity, column)))
        .from_as(slot.table("part"), "part")
        .and_where(Expr::col((Entity, Column::Cause)).equals((flow::Entity, flow::Column::EventId)));
    Func::coalesce([Expr::from(of), Expr::val(0_i64)]).into()
}
