//! Removes what is over: sessions, codes, counts.

use tradewind_domain::Error;
use tradewind_store::{Store, Tx};

use super::ended_sessions::TOLD;
use crate::store::{confirmations, sessions, throttles};

/// Removes what is over.
///
/// # Errors
/// When the database fails.
pub async fn tidy(store: &Store) -> Result<(), Error> {
    store.transact(async |tx: &mut Tx| sessions::forget_over(tx.conn(), tx.now() - TOLD).await).await?;
    store.transact(async |tx: &mut Tx| confirmations::forget_expired(tx.conn(), tx.now()).await).await?;
    store.transact(async |tx: &mut Tx| throttles::forget_past(tx.conn(), tx.now()).await).await.map(drop)
}
