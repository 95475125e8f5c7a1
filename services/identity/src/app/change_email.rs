//! Another address for whoever shows that it is theirs, and that the account is.

use contracts::tradewind::identity::v1::{ChangeEmailResponse, Person, RequestEmailChangeResponse};
use time::OffsetDateTime;
use tradewind_domain::{Error, Sensitive};
use tradewind_sql::timestamp;
use tradewind_store::Tx;
use uuid::Uuid;

use super::code::{self, Code, Purpose, Then};
use super::means::{email_taken, wrong_code};
use super::{Means, Origin, throttle};
use crate::domain::{Account, Command, Email, Teller};
use crate::store::{account, accounts, confirmation, sessions};

/// Has a code sent to the address that an account is to have; where that has an account, none is, and the answer is the same.
///
/// # Errors
/// `NotFound`; `Denied` with reason `PASSWORD_WRONG`; `Exhausted` with reason `TOO_MANY_ATTEMPTS` or `TOO_MANY_SIGN_INS`.
pub async fn request_email_change(
    means: &Means,
    account_id: &str,
    new: &Email,
    password: &Sensitive<String>,
    from: Origin,
) -> Result<RequestEmailChangeResponse, Error> {
    let account = means.account(account_id).await?;
    throttle::prove(means, &account, password, from).await?;
    let tries = throttle::codes(&means.store, new, from).await?;
    throttle::count(&means.store, &tries).await?;
    let (code, expires) = (Code::new()?, means.store.now() + means.rules.code);
    means.store.transact(async |tx: &mut Tx| ask(tx, &account, new, &code, expires).await).await?;
    Ok(RequestEmailChangeResponse { change_id: code.ticket(), expire_time: Some(timestamp(expires)) })
}

async fn ask(
    tx: &mut Tx,
    seen: &account::Model,
    new: &Email,
    code: &Code,
    expires: OffsetDateTime,
) -> Result<(), Error> {
    let account = throttle::hold(tx, seen).await?;
    let is_free = accounts::by_email(tx, new).await?.is_none();
    let (name, account_id) = (account.name.0.as_str(), Some(account.account_id.as_str()));
    let then = Then { purpose: Purpose::EmailChange, email: new, name, password: None, account_id };
    code.issue(tx, then, is_free, expires).await?;
    if !is_free {
        return Ok(());
    }
    // Whose address it is, is not known yet: they are not told what somebody is called.
    let person = Person { name: String::new(), email: new.as_str().to_owned() };
    code.tell(tx, Purpose::EmailChange, person, expires).await
}

/// Gives an account the address that a code was sent to, has the old one told, and ends its sessions but the one that asks. No code
/// that was sent before is good after that.
///
/// # Errors
/// `NotFound`; `Invalid` with reason `CODE_INVALID`; `AlreadyExists` with reason `EMAIL_TAKEN`.
pub async fn change_email(
    means: &Means,
    account_id: &str,
    session_id: Option<&str>,
    (ticket, code): (&str, &str),
) -> Result<ChangeEmailResponse, Error> {
    let found = code::enter(means, ticket, Purpose::EmailChange, code).await?;
    if found.account_id.as_deref() != Some(account_id) {
        return Err(wrong_code());
    }
    let changed = async |tx: &mut Tx| change(tx, account_id, session_id, &found).await;
    Ok(ChangeEmailResponse { profile: Some(means.store.transact(changed).await?.0.into()) })
}

async fn change(
    tx: &mut Tx,
    account_id: &str,
    but: Option<&str>,
    found: &confirmation::Model,
) -> Result<account::Model, Error> {
    let held = accounts::hold(tx, account_id).await?.filter(|account| !account.locked).ok_or_else(wrong_code)?;
    if !code::confirm(tx, found).await? {
        return Err(wrong_code());
    }
    let moved = accounts::move_to(tx, account_id, &found.email.0).await?;
    let moved = moved.ok_or_else(email_taken)?;
    sessions::end_all(tx.conn(), account_id, but, tx.now()).await?;
    code::forget_of(tx, account_id).await?;
    let person = Person { name: held.name.0, email: held.email.0 };
    let teller = Teller { message_id: Uuid::now_v7().to_string(), person };
    tx.execute::<Account>(account_id, Command::ChangeEmail(teller)).await?;
    let account_id = account_id.to_owned();
    tx.after(move || tracing::info!(account_id, "an address is changed"));
    Ok(moved)
}
