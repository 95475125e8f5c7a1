//! The quarantine as a transaction that drains it sees it.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tradewind_domain::Error;
use tradewind_events::QUARANTINE;
use tradewind_events::parked::{Column, Entity};
use tradewind_sql::{brief, db, signed};
use tradewind_store::Tx;

use super::{ParkedEvent, ParkedStream, rows};

/// Takes the row lock of the cursor that a stream's events are read with, which keeps its reader waiting until this
/// transaction ends; then the stream's first event in quarantine as it is under that lock.
pub(super) async fn lock(tx: &Tx, stream: &ParkedStream, partition: u16) -> Result<Option<ParkedEvent>, Error> {
    if !tx.lock_cursor(&stream.consumer, &stream.source, partition).await? {
        return Err(Error::internal(format!("{} has no cursor for partition {partition}", stream.consumer)));
    }
    let Some(mut first) = rows::events_on(tx.conn(), stream, 0, 1).await?.into_iter().next() else { return Ok(None) };
    first.event = tx.open_event(first.event).await?;
    Ok(Some(first))
}

/// Takes an event out of quarantine; the cursor must be locked.
pub(super) async fn unpark(tx: &mut Tx, stream: &ParkedStream, position: u64) -> Result<(), Error> {
    let this = rows::of(stream).and(Column::Position.eq(signed(position)));
    Entity::delete_many().filter(this).exec(tx.conn()).await.map_err(db)?;
    tx.wakes(&QUARANTINE);
    Ok(())
}

/// Notes that an event in quarantine has failed once more, and why; `false` when it is no longer there.
pub(super) async fn fail_again(tx: &Tx, stream: &ParkedStream, position: u64, error: &Error) -> Result<bool, Error> {
    let failed = Entity::update_many()
        .col_expr(Column::Reason, Expr::value(error.reason))
        .col_expr(Column::Error, Expr::value(brief(&error.message)))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(rows::of(stream).and(Column::Position.eq(signed(position))));
    Ok(failed.exec(tx.conn()).await.map_err(db)?.rows_affected == 1)
}
