//! How attempts at a call failed. They are kept beyond the call, for whoever asks later why something took so long, and deleted when
//! they are old.

use std::sync::LazyLock;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::Members;
use tradewind_replicas::tenure::{self, Turn};
use tradewind_sql::{brief, db, jitter, micros};
use tradewind_store::{Store, Tx, Upsert};

use super::queue::{self, Intent};
use super::table::attempt::{Column, Entity, Model};
use super::table::intent as owed;

/// How many attempts of one intent are kept: the latest.
const KEPT: u32 = 100;
/// Deleted in one transaction.
const STEP: u64 = 500;
/// What others get between two steps.
const BETWEEN_STEPS: Duration = Duration::from_millis(200);
const EVERY: Duration = Duration::from_secs(60);

const KEY: [Column; 4] = [Column::Key, Column::Kind, Column::Generation, Column::Slot];

static ATTEMPTS: LazyLock<Upsert<Entity>> = LazyLock::new(|| Upsert::replacing(KEY));

/// Gives an intent back after one failure more, to be called again at `due`, and keeps why it failed. `false`: it is another one by
/// now, or gone.
pub(super) async fn release_intent(
    store: &Store,
    kind: &str,
    intent: &Intent,
    due: OffsetDateTime,
    error: &str,
) -> Result<bool, Error> {
    let mut release = queue::unclaimed(kind, due);
    release.and_where(owed::Column::Key.eq(&intent.key)).and_where(owed::Column::Generation.eq(intent.generation));
    release
        .value(owed::Column::Attempt, i64::from(intent.attempt.saturating_add(1)))
        .value(owed::Column::LastError, brief(error));
    let mut tx = store.begin().await?;
    let released = tx.conn().execute_raw(store.backend().build(&release)).await.map_err(db)?.rows_affected() == 1;
    if released {
        keep(&mut tx, kind, intent, error);
    }
    tx.commit().await?;
    Ok(released)
}

/// Keeps with the commit why one more attempt at a call has failed.
fn keep(tx: &mut Tx, kind: &str, intent: &Intent, error: &str) {
    let row = Model {
        key: intent.key.clone(),
        kind: kind.to_owned(),
        generation: intent.generation,
        slot: i64::from(intent.attempt % KEPT),
        action: intent.action.clone(),
        attempt: i64::from(intent.attempt.saturating_add(1)),
        time: micros(tx.now()),
        correlation: intent.cause.correlation.clone(),
        error: brief(error).to_owned(),
    };
    tx.put(&ATTEMPTS, row);
}

/// Deletes attempts older than `retention` until `stop`, in small steps, in one process at a time.
///
/// # Errors
/// None at present.
pub async fn prune_attempts(
    store: Store,
    members: Members,
    retention: Duration,
    stop: CancellationToken,
) -> Result<(), Error> {
    let work = async |Turn { over, .. }| {
        while !over.is_cancelled() {
            let pause = match forget(&store, retention).await {
                Ok(STEP) => BETWEEN_STEPS,
                Ok(_) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "old attempts were not deleted; it is tried again");
                    EVERY
                }
            };
            over.run_until_cancelled(tokio::time::sleep(pause / 2 + jitter(pause / 2))).await;
        }
        Ok(())
    };
    tenure::hold(&members, "prune/attempt", &stop, work).await
}

/// Deletes a step of what is older than `retention`; how many there were.
pub(super) async fn forget(store: &Store, retention: Duration) -> Result<u64, Error> {
    let past = time::Duration::try_from(retention).ok().and_then(|retention| store.now().checked_sub(retention));
    let Some(past) = past else { return Ok(0) };
    let oldest = Entity::find().select_only().columns(KEY).filter(Column::Time.lt(micros(past)));
    let oldest = oldest.order_by_asc(Column::Time).limit(STEP);
    let oldest = oldest.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_query();
    let tx = store.begin().await?;
    let delete = Entity::delete_many().filter(Expr::tuple(KEY.map(Expr::col)).in_subquery(oldest));
    let deleted = delete.exec(tx.conn()).await.map_err(db)?.rows_affected;
    tx.commit().await?;
    Ok(deleted)
}
