//! The end of a session that its owner asks for.

use contracts::tradewind::identity::v1::LogOutResponse;
use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Means;
use super::sign_in::RefreshToken;
use crate::store::{session, sessions};

/// Ends the session of a refresh token, whichever of its tokens it is; nothing where there is none.
///
/// # Errors
/// When the database fails.
pub async fn log_out(means: &Means, token: &str) -> Result<LogOutResponse, Error> {
    let Some(token) = RefreshToken::read(token) else { return Ok(LogOutResponse {}) };
    let found = sessions::by_family(means.store.command_reader(), &token.family(), means.store.now()).await?;
    if let Some(session::Model { account_id, session_id, .. }) = found {
        let ended = async |tx: &mut Tx| sessions::end(tx.conn(), &account_id, &session_id, tx.now()).await;
        means.store.transact(ended).await?;
    }
    Ok(LogOutResponse {})
}
