//! The end of an account.

use contracts::tradewind::identity::v1::EraseAccountResponse;
use tradewind_domain::{Error, Sensitive};
use tradewind_store::Tx;

use super::{Means, Origin, throttle};
use crate::domain::{Account, Command};
use crate::store::{account, accounts};

/// Erases everything that names an account's owner; `password` is theirs, where it has to be proved that they ask.
///
/// # Errors
/// `NotFound`; `Denied` with reason `PASSWORD_WRONG`; `Exhausted` with reason `TOO_MANY_ATTEMPTS` or `TOO_MANY_SIGN_INS`.
pub async fn erase_account(
    means: &Means,
    account_id: &str,
    password: Option<&Sensitive<String>>,
    from: Origin,
) -> Result<EraseAccountResponse, Error> {
    let account = means.account(account_id).await?;
    if let Some(password) = password {
        throttle::prove(means, &account, password, from).await?;
    }
    means.store.transact(async |tx: &mut Tx| erase(tx, &account, password.is_some()).await).await?;
    Ok(EraseAccountResponse {})
}

async fn erase(tx: &mut Tx, account: &account::Model, is_proven: bool) -> Result<(), Error> {
    if is_proven {
        throttle::hold(tx, account).await?;
    } else {
        accounts::hold(tx.conn(), &account.account_id).await?;
    }
    tx.execute::<Account>(&account.account_id, Command::Erase).await?;
    accounts::erase(tx.conn(), &account.account_id, &account.email.0).await?;
    let account_id = account.account_id.clone();
    tx.after(move || tracing::info!(account_id, "an account is erased"));
    Ok(())
}
