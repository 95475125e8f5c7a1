//! Removes what is over: sessions, codes, counts.

use tradewind_domain::Error;
use tradewind_store::{Store, Tx};

use super::code;
use super::ended_sessions::TOLD;
use crate::store::{sessions, throttles};

/// Removes what is over.
///
/// # Errors
/// When the database fails.
pub async fn tidy(store: &Store) -> Result<(), Error> {
    store.transact(async |tx: &mut Tx| sessions::forget_over(tx.conn(), tx.now() - TOLD).await).await?;
    while store.transact(code::forget_expired).await?.0 == code::TOGETHER {}
    store.transact(async |tx: &mut Tx| throttles::forget_past(tx.conn(), tx.now()).await).await.map(drop)
}
