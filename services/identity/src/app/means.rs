//! What everything here works with.

use std::net::IpAddr;
use std::time::Duration;

use tradewind_domain::{Error, ErrorKind};
use tradewind_store::{Store, Tx};
use uuid::Uuid;

use crate::domain::{AccountError, Network, Role, Roles};
use crate::passwords::Passwords;
use crate::store::private::Before;
use crate::store::{account, accounts};
use crate::tokens::Tokens;

/// What everything here works with.
pub struct Means {
    /// The database.
    pub store: Store,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Signs access tokens.
    pub tokens: Tokens,
    /// How long things last.
    pub rules: Rules,
}

/// How long things last.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A code that was sent.
    pub code: Duration,
    /// A password that was made for one use.
    pub one_time_password: Duration,
    /// A session that is not used.
    pub idle: Duration,
    /// A session however much it is used.
    pub session: Duration,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The address of whoever asks, as far as it is known.
    pub address: IpAddr,
}

impl Origin {
    /// Its neighbourhood.
    pub(super) fn network(self) -> Network {
        Network::of(self.address)
    }
}

impl Means {
    /// The account with this id.
    pub(super) async fn account(&self, account_id: &str) -> Result<account::Model, Error> {
        let found = accounts::by_id(&Before(&self.store), account_id).await?;
        Ok(found.ok_or(AccountError::NotFound)?)
    }
}

/// Holds an account that somebody is about to do something to, and theirs with it, so that two who lock each other take turns. Always in
/// the same order: neither waits for what waits for them.
pub(super) async fn hold_with(tx: &Tx, account_id: &str, by: Option<&str>) -> Result<(), Error> {
    let mut both: Vec<_> = by.into_iter().chain([account_id]).collect();
    both.sort_unstable();
    both.dedup();
    for account_id in both {
        accounts::hold(tx, account_id).await?;
    }
    Ok(())
}

/// Makes sure that whoever does something to somebody else's account may do so now: a token says for minutes what was true when it
/// was signed. A workload does it for itself, and who has no account here is known by their token alone.
///
/// # Errors
/// `Denied` with reason `ROLE_MISSING`.
pub(super) async fn check_staff(tx: &Tx, by: Option<&str>) -> Result<(), Error> {
    // Those whom others know have ids of another form.
    let Some(by) = by.filter(|by| Uuid::try_parse(by).is_ok()) else { return Ok(()) };
    let account = accounts::by_id(tx, by).await?;
    let is_staff = |account: account::Model| !account.locked && Roles::read(&account.roles).contains(Role::Staff);
    if account.is_some_and(is_staff) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Denied, "ROLE_MISSING", "whoever asks is no longer staff"))
}

/// The same, and it stays so until the transaction is over.
pub(super) async fn hold_staff(tx: &Tx, by: Option<&str>) -> Result<(), Error> {
    if let Some(by) = by {
        accounts::hold(tx, by).await?;
    }
    check_staff(tx, by).await
}

/// What is said of whatever keeps somebody from signing in.
pub(super) fn wrong_credentials() -> Error {
    let text = "the e-mail address and the password do not fit together, or the account cannot be used";
    Error::new(ErrorKind::Unauthenticated, "CREDENTIALS_INVALID", text)
}

/// What is said to somebody who is signed in and does not know the password.
pub(super) fn wrong_password() -> Error {
    Error::new(ErrorKind::Denied, "PASSWORD_WRONG", "the password is not that of the account")
}

/// What is said of whatever keeps a code from being good.
pub(super) fn wrong_code() -> Error {
    Error::invalid("code", "CODE_INVALID", "is wrong, too old, or was tried too often; ask for another")
}

/// What is said of an address that has an account.
pub(super) fn email_taken() -> Error {
    Error::new(ErrorKind::AlreadyExists, "EMAIL_TAKEN", "there is an account with this e-mail address already")
}
