//! What each reader handled, in the order in which it did: a row written with the effects of each event.
//!
//! Nothing keeps a row from being there twice: that is what the journal is to show.

use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{ConnectionTrait, DbBackend, Value};
use tradewind_domain::Error;
use tradewind_sql::{db, signed, statement};
use tradewind_store::{Recorded, Store, Tx};

static KEPT: AtomicBool = AtomicBool::new(false);

/// Makes every engine that this process starts from now on keep the table `journal`.
pub fn keep_journal() {
    KEPT.store(true, Ordering::Release);
}

/// Makes the table where it is to be kept.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn create_journal(store: &Store) -> Result<(), Error> {
    if !KEPT.load(Ordering::Acquire) {
        return Ok(());
    }
    let number = match store.backend() {
        DbBackend::Postgres => "BIGSERIAL PRIMARY KEY",
        _ => "INTEGER PRIMARY KEY AUTOINCREMENT",
    };
    let create = format!(
        "CREATE TABLE IF NOT EXISTS journal (number {number}, consumer TEXT NOT NULL, type TEXT NOT NULL, \
         partition BIGINT NOT NULL, position BIGINT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL)"
    );
    // Of replicas that start together all but one may fail the first time; the second time it is there.
    match make(store, &create).await {
        Ok(()) => Ok(()),
        Err(_) => make(store, &create).await,
    }
}

async fn make(store: &Store, create: &str) -> Result<(), Error> {
    let tx = store.begin().await?;
    tx.conn().execute_unprepared(create).await.map_err(db)?;
    tx.commit().await.map(drop)
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
