//! The begin of an account: nothing is there yet but a code that waits to be entered, so that nobody has an account under an address
//! that is not theirs, not even for a while.

use contracts::tradewind::identity::v1::{Person, SignUpRepeated, SignUpResponse};
use tradewind_domain::{Error, Sensitive};
use tradewind_sql::timestamp;
use tradewind_store::Tx;

use super::code::{self, Code, Purpose, Then};
use super::{Means, Origin, throttle};
use crate::domain::{Email, check_password};
use crate::store::accounts;

/// A well-formed request for an account.
pub struct SignUp {
    /// The address.
    pub email: Email,
    /// The password it is to have.
    pub password: Sensitive<String>,
    /// What its owner is called.
    pub name: String,
    /// Where the request comes from.
    pub from: Origin,
}

/// Has a code sent to the address; where it has an account, its owner is told instead, and the answer is the same.
///
/// # Errors
/// `Invalid` when nobody should use that password; `Exhausted` with reason `TOO_MANY_ATTEMPTS` or `TOO_MANY_SIGN_INS`.
pub async fn sign_up(means: &Means, wanted: SignUp) -> Result<SignUpResponse, Error> {
    check_password(wanted.password.expose(), &wanted.email)?;
    let tries = throttle::codes(&means.store, &wanted.email, wanted.from).await?;
    throttle::count(&means.store, &tries).await?;
    let hashed = means.passwords.hash(&wanted.password).await?;
    let (code, expires) = (Code::new()?, means.store.now() + means.rules.code);
    means.store.transact(async |tx: &mut Tx| ask(tx, &wanted, &hashed, &code, expires).await).await?;
    Ok(SignUpResponse { verification_id: code.ticket(), expire_time: Some(timestamp(expires)) })
}

async fn ask(
    tx: &mut Tx,
    wanted: &SignUp,
    hashed: &str,
    code: &Code,
    expires: time::OffsetDateTime,
) -> Result<(), Error> {
    let SignUp { email, name, .. } = wanted;
    let there = accounts::by_email(tx, email).await?;
    let then = Then { purpose: Purpose::SignUp, email, name, password: Some(hashed), account_id: None };
    code.issue(tx, then, there.is_none(), expires).await?;
    match there {
        None => {
            // What somebody else may have called them is not told.
            let person = Person { name: String::new(), email: email.as_str().to_owned() };
            code.tell(tx, Purpose::SignUp, person, expires).await
        }
        Some(owner) => {
            let (message_id, person) = (code.message_id.clone(), Person { name: owner.name.0, email: owner.email.0 });
            let repeated = SignUpRepeated { message_id: message_id.clone(), person: Some(person) };
            code::tell(tx, &message_id, repeated.into()).await
        }
    }
}
