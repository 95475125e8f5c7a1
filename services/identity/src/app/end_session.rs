//! The end of one session.

use contracts::tradewind::identity::v1::{EndSessionResponse, Session};
use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Means;
use crate::store::sessions;

/// Ends a session of an account.
///
/// # Errors
/// `NotFound` with reason `SESSION_NOT_FOUND`.
pub async fn end_session(means: &Means, account_id: &str, session_id: &str) -> Result<EndSessionResponse, Error> {
    let ended = async |tx: &mut Tx| sessions::end(tx.conn(), account_id, session_id, tx.now()).await;
    if means.store.transact(ended).await?.0 {
        return Ok(EndSessionResponse {});
    }
    Err(Error::not_found::<Session>(session_id, "SESSION_NOT_FOUND", "the account has no such session"))
}
