//! Keeps guesses few, and nobody from where they usually are.

use std::time::Duration;

use tradewind_domain::{Error, ErrorKind, Sensitive};
use tradewind_store::{Store, Tx};

use super::means::wrong_password;
use super::{Means, Origin};
use crate::domain::limits::{CODES_FROM, CODES_TO, GUESSES_AT, GUESSES_FROM, GUESSES_OF, Try};
use crate::domain::{AccountError, Email};
use crate::store::{account, accounts, familiars, throttles};

/// What counts when a password is tried for an address, which may have no account.
pub(super) async fn guesses(
    store: &Store,
    email: &Email,
    account: Option<&account::Model>,
    from: Origin,
) -> Result<Vec<Try>, Error> {
    let (email, network) = (email.as_str(), from.network());
    let mut tries = vec![
        Try::new(format!("guess at {network} {email}"), GUESSES_AT),
        Try::new(format!("guess from {network}"), GUESSES_FROM),
    ];
    let is_familiar = match account {
        Some(account) => familiars::is_familiar(store.command_reader(), &account.account_id, network).await?,
        None => false,
    };
    if !is_familiar {
        tries.push(Try::new(format!("guess of {email}"), GUESSES_OF));
    }
    Ok(tries)
}

/// What counts when a code is to be sent to an address.
pub(super) fn codes(email: &Email, from: Origin) -> Vec<Try> {
    vec![
        Try::new(format!("code from {}", from.network()), CODES_FROM),
        Try::new(format!("code to {}", email.as_str()), CODES_TO),
    ]
}

/// Counts tries before what is tried is looked at, so that never more are looked at than may be, however many come at once.
///
/// # Errors
/// `Exhausted` with reason `TOO_MANY_ATTEMPTS` when there were too many; none of these counts then.
pub(super) async fn count(store: &Store, tries: &[Try]) -> Result<(), Error> {
    store.transact(async |tx: &mut Tx| take(tx, tries).await).await.map(drop)
}

async fn take(tx: &mut Tx, tries: &[Try]) -> Result<(), Error> {
    let Err(early) = throttles::take(tx.conn(), tries, tx.now()).await? else { return Ok(()) };
    // In whole seconds, and none too few.
    let after = Duration::from_secs(early.as_secs() + 1);
    let text = format!("too many attempts; try again in {} s", after.as_secs());
    Err(Error::new(ErrorKind::Exhausted, "TOO_MANY_ATTEMPTS", text).again(after))
}

/// Makes sure that somebody who is signed in knows the account's password. Whatever that is good for begins with [`hold`].
///
/// # Errors
/// `Denied` with reason `PASSWORD_WRONG`; otherwise as of [`count`].
pub(super) async fn prove(
    means: &Means,
    account: &account::Model,
    password: &Sensitive<String>,
    from: Origin,
) -> Result<(), Error> {
    let email = Email::read(&account.email.0).ok_or_else(|| Error::internal("an account without an address"))?;
    let tries = guesses(&means.store, &email, Some(account), from).await?;
    count(&means.store, &tries).await?;
    if !means.passwords.verify(password, Some(&account.password.0)).await?.matches {
        return Err(wrong_password());
    }
    means.store.transact(async |tx: &mut Tx| throttles::give_back(tx.conn(), &tries).await).await.map(drop)
}

/// Holds an account that somebody has shown the password of: to look at it took its time, and it may have another by now.
///
/// # Errors
/// `NotFound`; `Denied` with reason `PASSWORD_WRONG` when it has.
pub(super) async fn hold(tx: &Tx, seen: &account::Model) -> Result<account::Model, Error> {
    let account = accounts::hold(tx.conn(), &seen.account_id).await?.ok_or(AccountError::NotFound)?;
    if account.password == seen.password { Ok(account) } else { Err(wrong_password()) }
}
