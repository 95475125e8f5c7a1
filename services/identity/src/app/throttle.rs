//! Keeps guesses few, and nobody from where they usually are.

use std::time::Duration;

use tradewind_domain::{Error, ErrorKind, Sensitive};
use tradewind_store::{Store, Tx};

use super::means::wrong_password;
use super::{Means, Origin};
use crate::domain::limits::{CODES_AT, CODES_FROM, CODES_TO, GUESSES_AT, GUESSES_FROM, GUESSES_OF, Try};
use crate::domain::{AccountError, Email, Network};
use crate::passwords::Verdict;
use crate::store::private::Before;
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
    if !is_familiar(store, account, network).await? {
        tries.push(Try::new(format!("guess of {email}"), GUESSES_OF));
    }
    Ok(tries)
}

/// What counts when a code is to be sent to an address.
pub(super) async fn codes(store: &Store, email: &Email, from: Origin) -> Result<Vec<Try>, Error> {
    let (mailbox, network) = (email.mailbox(), from.network());
    let mut tries = vec![
        Try::new(format!("code from {network}"), CODES_FROM),
        Try::new(format!("code at {network} {mailbox}"), CODES_AT),
    ];
    let account = accounts::by_email(&Before(store), email).await?;
    if !is_familiar(store, account.as_ref(), network).await? {
        tries.push(Try::new(format!("code to {mailbox}"), CODES_TO));
    }
    Ok(tries)
}

async fn is_familiar(store: &Store, account: Option<&account::Model>, network: Network) -> Result<bool, Error> {
    match account {
        Some(account) => familiars::is_familiar(store.command_reader(), &account.account_id, network).await,
        None => Ok(false),
    }
}

/// Counts tries before what is tried is looked at, so that never more are looked at than may be, however many come at once.
///
/// # Errors
/// `Exhausted` with reason `TOO_MANY_ATTEMPTS` when there were too many; none of these counts then.
pub(super) async fn count(store: &Store, tries: &[Try]) -> Result<(), Error> {
    // A flood of what is too early does not write.
    throttles::look(store.command_reader(), tries, store.now()).await?.map_err(too_many)?;
    store
        .transact(async |tx: &mut Tx| throttles::take(tx.conn(), tries, tx.now()).await?.map_err(too_many))
        .await
        .map(drop)
}

fn too_many(early: Duration) -> Error {
    // In whole seconds, and none too few.
    let after = Duration::from_secs(early.as_secs() + 1);
    let text = format!("too many attempts; try again in {} s", after.as_secs());
    Error::new(ErrorKind::Exhausted, "TOO_MANY_ATTEMPTS", text).again(after)
}

/// Looks at a password that was counted, which is taken back where it could not be looked at.
///
/// # Errors
/// `Exhausted` with reason `TOO_MANY_SIGN_INS` when too many wait.
pub(super) async fn verify(
    means: &Means,
    password: &Sensitive<String>,
    kept: Option<&str>,
    tries: &[Try],
) -> Result<Verdict, Error> {
    let verdict = means.passwords.verify(password, kept).await;
    if verdict.is_err() {
        give_back(&means.store, tries).await?;
    }
    verdict
}

async fn give_back(store: &Store, tries: &[Try]) -> Result<(), Error> {
    store.transact(async |tx: &mut Tx| throttles::give_back(tx.conn(), tries).await).await.map(drop)
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
    if !verify(means, password, Some(&account.password.0), &tries).await?.matches {
        return Err(wrong_password());
    }
    give_back(&means.store, &tries).await
}

/// Holds an account that somebody has shown the password of: to look at it took its time, and it may have another by now.
///
/// # Errors
/// `NotFound`; `Denied` with reason `PASSWORD_WRONG` when it has.
pub(super) async fn hold(tx: &Tx, seen: &account::Model) -> Result<account::Model, Error> {
    let account = accounts::hold(tx, &seen.account_id).await?.ok_or(AccountError::NotFound)?;
    if account.password == seen.password { Ok(account) } else { Err(wrong_password()) }
}
