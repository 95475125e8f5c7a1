//! What each reader handled, in the order in which it did: a row written with the effects of each event.
//!
//! Nothing keeps a row from being there twice: that is what the journal is to show.

use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::TableCreateStatement;
use sea_orm::{ConnectionTrait, EntityTrait, Schema};
use tradewind_domain::Error;
use tradewind_sql::{db, signed};
use tradewind_store::{Recorded, Store, Tx};

use super::handled::{ActiveModel, Entity};

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
    let mut create = Schema::new(store.backend()).create_table_from_entity(Entity);
    create.if_not_exists();
    // Of replicas that start together all but one may fail the first time; the second time it is there.
    match make(store, &create).await {
        Ok(()) => Ok(()),
        Err(_) => make(store, &create).await,
    }
}

async fn make(store: &Store, create: &TableCreateStatement) -> Result<(), Error> {
    let tx = store.begin().await?;
    tx.conn().execute(create).await.map_err(db)?;
    tx.commit().await.map(drop)
}

/// Notes in the transaction of its effects that a consumer handled an event.
pub(crate) async fn note(tx: &mut Tx, consumer: &str, event: &Recorded) -> Result<(), Error> {
    if !KEPT.load(Ordering::Acquire) {
        return Ok(());
    }
    let row = ActiveModel {
        number: NotSet,
        consumer: Set(consumer.to_owned()),
        type_name: Set(event.type_name.clone()),
        partition: Set(event.partition.into()),
        position: Set(signed(event.position)),
        stream: Set(event.stream.to_string()),
        version: Set(signed(event.version)),
    };
    Entity::insert(row).exec_without_returning(tx.conn()).await.map(drop).map_err(db)
}
