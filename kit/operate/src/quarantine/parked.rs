//! The quarantine as a transaction that drains it sees it.

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;
use tradewind_events::QUARANTINE;
use tradewind_sql::{brief, db, signed, statement};
use tradewind_store::Tx;

use super::{ParkedEvent, ParkedStream, rows};

/// Takes the row lock of the cursor that a stream's events are read with, which keeps its reader waiting until this
/// transaction ends; then the stream's first event in quarantine as it is under that lock.
pub(super) async fn lock(tx: &Tx, stream: &ParkedStream, partition: u16) -> Result<Option<ParkedEvent>, Error> {
    let lock = "UPDATE cursor SET updated = updated WHERE consumer = $1 AND source = $2 AND partition = $3";
    let values: [Value; 3] =
        [stream.consumer.as_str().into(), stream.source.as_str().into(), i64::from(partition).into()];
    let locked = tx.conn().execute_raw(statement(tx.backend(), lock, values)).await.map_err(db)?;
    if locked.rows_affected() == 0 {
        return Err(Error::internal(format!("{} has no cursor for partition {partition}", stream.consumer)));
    }
    let first = rows::events_on(tx.conn(), stream, 0, 1).await?;
    Ok(first.into_iter().next())
}

/// Takes an event out of quarantine; the cursor must be locked.
pub(super) async fn unpark(tx: &mut Tx, stream: &ParkedStream, position: u64) -> Result<(), Error> {
    let delete = "DELETE FROM parked WHERE consumer = $1 AND source = $2 AND stream = $3 AND position = $4";
    let [consumer, source, name] = stream.values();
    let values = [consumer, source, name, signed(position).into()];
    tx.conn().execute_raw(statement(tx.backend(), delete, values)).await.map_err(db)?;
    tx.wakes(&QUARANTINE);
    Ok(())
}

/// Notes that an event in quarantine has failed once more, and why; `false` when it is no longer there.
pub(super) async fn fail_again(tx: &Tx, stream: &ParkedStream, position: u64, error: &Error) -> Result<bool, Error> {
    let update = "UPDATE parked SET reason = $5, error = $6, attempts = attempts + 1 \
         WHERE consumer = $1 AND source = $2 AND stream = $3 AND position = $4";
    let [consumer, source, name] = stream.values();
    let values = [consumer, source, name, signed(position).into(), error.reason.into(), brief(&error.message).into()];
    let updated = tx.conn().execute_raw(statement(tx.backend(), update, values)).await.map_err(db)?;
    Ok(updated.rows_affected() == 1)
}
