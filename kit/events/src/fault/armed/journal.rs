//! What each reader handled, in the order in which it did: a row written with the effects of each event.
//!
//! Nothing keeps a row from being there twice: that is what the journal is to show.

use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Value};
use tradewind_domain::Error;
use tradewind_sql::{db, signed, statement};

use crate::{Recorded, Tx};

static KEPT: AtomicBool = AtomicBool::new(false);

/// Makes every store that this process opens from now on keep the table `journal`.
pub fn keep_journal() {
    KEPT.store(true, Ordering::Release);
}

pub(crate) async fn create(connection: &DatabaseConnection) -> Result<(), Error> {
    if !KEPT.load(Ordering::Acquire) {
        return Ok(());
    }
    let number = match connection.get_database_backend() {
        DbBackend::Postgres => "BIGSERIAL PRIMARY KEY",
        _ => "INTEGER PRIMARY KEY AUTOINCREMENT",
    };
    let create = format!(
        "CREATE TABLE IF NOT EXISTS journal (number {number}, consumer TEXT NOT NULL, type TEXT NOT NULL, \
         partition BIGINT NOT NULL, position BIGINT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL)"
    );
    // Of replicas that start together all but one may fail the first time; the second time it is there.
    if connection.execute_unprepared(&create).await.is_err() {
        connection.execute_unprepared(&create).await.map_err(db)?;
    }
    Ok(())
}

/// Notes in the transaction of its effects that a consumer handled an event.
pub(crate) async fn note(tx: &mut Tx, consumer: &str, event: &Recorded) -> Result<(), Error> {
    if !KEPT.load(Ordering::Acquire) {
        return Ok(());
    }
    let insert = "INSERT INTO journal (consumer, type, partition, position, stream, version) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let values: [Value; 6] = [
        consumer.into(),
        event.type_name.as_str().into(),
        i64::from(event.partition).into(),
        signed(event.position).into(),
        event.stream.as_str().into(),
        signed(event.version).into(),
    ];
    tx.conn().execute_raw(statement(tx.backend(), insert, values)).await.map(drop).map_err(db)
}
