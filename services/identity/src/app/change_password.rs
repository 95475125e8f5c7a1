//! Another password for whoever knows the one they have.

use contracts::tradewind::identity::v1::{ChangePasswordResponse, Person};
use tradewind_domain::{Error, Sensitive};
use tradewind_store::Tx;
use uuid::Uuid;

use super::{Means, Origin, code, throttle};
use crate::domain::{Account, Command, Email, Teller, check_password};
use crate::store::accounts::{self, Change};
use crate::store::{account, sessions};

/// Sets the password of an account and ends its sessions but the one that asks.
///
/// # Errors
/// `NotFound`; `Denied` with reason `PASSWORD_WRONG`; `Invalid` when nobody should use that password; `Exhausted` with reason
/// `TOO_MANY_ATTEMPTS` or `TOO_MANY_SIGN_INS`.
pub async fn change_password(
    means: &Means,
    account_id: &str,
    session_id: Option<&str>,
    (current, new): (&Sensitive<String>, &Sensitive<String>),
    from: Origin,
) -> Result<ChangePasswordResponse, Error> {
    let account = means.account(account_id).await?;
    let email = Email::read(&account.email.0).ok_or_else(|| Error::internal("an account without an address"))?;
    check_password(new.expose(), &email)?;
    throttle::prove(means, &account, current, from).await?;
    let hashed = means.passwords.hash(new).await?;
    let change = async |tx: &mut Tx| {
        let account = throttle::hold(tx, &account).await?;
        set(tx, account, &hashed, session_id).await
    };
    means.store.transact(change).await?;
    Ok(ChangePasswordResponse {})
}

/// Sets the password of an account that is held, has its owner told, and ends its sessions but one. No code sets another after that.
pub(super) async fn set(tx: &mut Tx, held: account::Model, hashed: &str, but: Option<&str>) -> Result<(), Error> {
    let account_id = held.account_id;
    let change = Change { password: Some(hashed.to_owned()), ..Change::default() };
    accounts::change(tx, &account_id, change).await?;
    sessions::end_all(tx.conn(), &account_id, but, tx.now()).await?;
    code::forget_of(tx, &account_id).await?;
    let person = Person { name: held.name.0, email: held.email.0 };
    let teller = Teller { message_id: Uuid::now_v7().to_string(), person };
    tx.execute::<Account>(&account_id, Command::ChangePassword(teller)).await?;
    tx.after(move || tracing::info!(account_id, "a password is changed"));
    Ok(())
}
