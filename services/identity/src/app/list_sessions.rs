//! Where an account is signed in.

use contracts::tradewind::identity::v1::{ListSessionsResponse, Session};
use tradewind_domain::Error;

use super::Means;
use crate::store::private::Look;
use crate::store::sessions;

/// The sessions of an account, newest first.
///
/// # Errors
/// `NotFound` when there is no such account.
pub async fn list_sessions(means: &Means, account_id: &str) -> Result<ListSessionsResponse, Error> {
    let account = means.account(account_id).await?;
    let found = sessions::of_account(means.store.reader(), &account.account_id, means.store.now()).await?;
    let found = sessions::opened(&Look(&means.store), found).await?;
    Ok(ListSessionsResponse { sessions: found.into_iter().map(Session::from).collect() })
}
