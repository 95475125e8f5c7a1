//! Another password for whoever has forgotten the one they had.

use contracts::tradewind::identity::v1::ResetPasswordResponse;
use tradewind_domain::{Error, Sensitive};
use tradewind_store::Tx;

use super::change_password::set;
use super::code::{self, Purpose};
use super::means::wrong_code;
use super::{Means, Origin};
use crate::domain::{Email, check_length, check_password};
use crate::store::{accounts, confirmation, familiars};

/// Sets the password of the account that a code is good for, and ends its sessions.
///
/// # Errors
/// `Invalid` with reason `CODE_INVALID`, or when nobody should use that password; `Exhausted` with reason `TOO_MANY_SIGN_INS`.
pub async fn reset_password(
    means: &Means,
    ticket: &str,
    code: &str,
    password: &Sensitive<String>,
    from: Origin,
) -> Result<ResetPasswordResponse, Error> {
    // What has too few characters costs no try.
    check_length(password.expose())?;
    let found = code::enter(means, ticket, Purpose::Reset, code).await?;
    let email = Email::read(&found.email.0).ok_or_else(wrong_code)?;
    check_password(password.expose(), &email)?;
    let hashed = means.passwords.hash(password).await?;
    means.store.transact(async |tx: &mut Tx| reset(tx, &found, &hashed, from).await).await?;
    Ok(ResetPasswordResponse {})
}

async fn reset(tx: &mut Tx, found: &confirmation::Model, hashed: &str, from: Origin) -> Result<(), Error> {
    let account_id = found.account_id.as_deref().ok_or_else(wrong_code)?;
    // In the order of every other change: the account, then its codes.
    let account = accounts::hold(tx, account_id).await?.ok_or_else(wrong_code)?;
    if !code::confirm(tx, found).await? {
        return Err(wrong_code());
    }
    familiars::meet(tx, account_id, from.network()).await?;
    set(tx, account, hashed, None).await
}
