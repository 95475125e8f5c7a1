//! The end of a session that its owner asks for.

use contracts::tradewind::identity::v1::LogOutResponse;
use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Means;
use super::sign_in::RefreshToken;
use crate::store::sessions;

/// Ends the session of a refresh token, whichever of its tokens it is; nothing where there is none.
///
/// # Errors
/// When the database fails.
pub async fn log_out(means: &Means, token: &str) -> Result<LogOutResponse, Error> {
    if let Some(token) = RefreshToken::read(token) {
        means.store.transact(async |tx: &mut Tx| end(tx, &token.family()).await).await?;
    }
    Ok(LogOutResponse {})
}

async fn end(tx: &mut Tx, family: &str) -> Result<(), Error> {
    if let Some(session) = sessions::by_family(tx.conn(), family, tx.now()).await? {
        sessions::end(tx.conn(), &session.account_id, &session.session_id).await?;
    }
    Ok(())
}
