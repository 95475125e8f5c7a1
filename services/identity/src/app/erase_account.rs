//! The end of an account.

use contracts::tradewind::identity::v1::EraseAccountResponse;
use tradewind_domain::{Error, Sensitive};
use tradewind_store::Tx;

use super::means::{check_staff, hold_with};
use super::{Means, Origin, code, throttle};
use crate::domain::{Account, AccountError, Command};
use crate::store::{account, accounts};

/// Who asks that an account be erased.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// Its owner, who shows by their password that they are not just somebody at their desk, from where they are.
    ByOwner(&'a Sensitive<String>, Origin),
    /// Somebody of the shop, or a workload for itself.
    ByOthers(Option<&'a str>),
}

/// Erases everything that names an account's owner.
///
/// # Errors
/// `NotFound`; `Denied` with reason `PASSWORD_WRONG` or `ROLE_MISSING`; `Exhausted` with reason `TOO_MANY_ATTEMPTS` or `TOO_MANY_SIGN_INS`.
pub async fn erase_account(means: &Means, account_id: &str, asked: Asked<'_>) -> Result<EraseAccountResponse, Error> {
    let account = means.account(account_id).await?;
    if let Asked::ByOwner(password, from) = asked {
        throttle::prove(means, &account, password, from).await?;
    }
    means.store.transact(async |tx: &mut Tx| erase(tx, &account, asked).await).await?;
    Ok(EraseAccountResponse {})
}

async fn erase(tx: &mut Tx, account: &account::Model, asked: Asked<'_>) -> Result<(), Error> {
    match asked {
        Asked::ByOwner(..) => drop(throttle::hold(tx, account).await?),
        Asked::ByOthers(by) => {
            hold_with(tx, &account.account_id, by).await?;
            check_staff(tx, by).await?;
        }
    }
    tx.execute::<Account>(&account.account_id, Command::Erase).await?;
    // Their address may be another by now.
    let held = accounts::by_id(tx, &account.account_id).await?.ok_or(AccountError::NotFound)?;
    code::forget_all(tx, &held.account_id, &held.email.0).await?;
    accounts::erase(tx, &held.account_id).await?;
    let account_id = account.account_id.clone();
    tx.after(move || tracing::info!(account_id, "an account is erased"));
    Ok(())
}
