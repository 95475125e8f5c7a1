//! Accounts that nobody can sign in to.

use contracts::tradewind::identity::v1::{LockAccountResponse, UnlockAccountResponse};
use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Means;
use super::means::{check_staff, hold_with};
use crate::domain::{Account, AccountError, Command};
use crate::store::accounts::{self, Change};
use crate::store::{account, sessions};

/// Ends all sessions of an account and lets nobody sign in; `by` is who asks, if it is somebody.
///
/// # Errors
/// `NotFound`; `Denied` with reason `ROLE_MISSING`.
pub async fn lock_account(means: &Means, account_id: &str, by: Option<&str>) -> Result<LockAccountResponse, Error> {
    let (row, _) = means.store.transact(async |tx: &mut Tx| decide(tx, account_id, by, true).await).await?;
    Ok(LockAccountResponse { account: Some(row.into()) })
}

/// Lets its owner sign in again; `by` is who asks, if it is somebody.
///
/// # Errors
/// `NotFound`; `Denied` with reason `ROLE_MISSING`.
pub async fn unlock_account(means: &Means, account_id: &str, by: Option<&str>) -> Result<UnlockAccountResponse, Error> {
    let (row, _) = means.store.transact(async |tx: &mut Tx| decide(tx, account_id, by, false).await).await?;
    Ok(UnlockAccountResponse { account: Some(row.into()) })
}

async fn decide(tx: &mut Tx, account_id: &str, by: Option<&str>, locked: bool) -> Result<account::Model, Error> {
    let command = if locked { Command::Lock } else { Command::Unlock };
    hold_with(tx, account_id, by).await?;
    check_staff(tx, by).await?;
    let decided = tx.execute::<Account>(account_id, command).await?;
    if decided.events.is_empty() {
        return Ok(accounts::by_id(tx, account_id).await?.ok_or(AccountError::NotFound)?);
    }
    let change = Change { locked: Some(locked), ..Change::default() };
    let account = accounts::change(tx, account_id, change).await?;
    if locked {
        sessions::end_all(tx.conn(), account_id, None, tx.now()).await?;
    }
    let account_id = account_id.to_owned();
    tx.after(move || tracing::info!(account_id, locked, "an account is locked or unlocked"));
    Ok(account)
}
