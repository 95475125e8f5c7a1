//! A code for whoever has forgotten a password.

use contracts::tradewind::identity::v1::{Person, RequestPasswordResetResponse};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::timestamp;
use tradewind_store::Tx;

use super::code::{Code, Purpose, Then};
use super::{Means, Origin, throttle};
use crate::domain::Email;
use crate::store::accounts;

/// Has a code sent to the address, if it has an account; the answer is the same.
///
/// # Errors
/// `Exhausted` with reason `TOO_MANY_ATTEMPTS`.
pub async fn request_password_reset(
    means: &Means,
    email: &Email,
    from: Origin,
) -> Result<RequestPasswordResetResponse, Error> {
    let tries = throttle::codes(&means.store, email, from).await?;
    throttle::count(&means.store, &tries).await?;
    let (code, expires) = (Code::new()?, means.store.now() + means.rules.code);
    means.store.transact(async |tx: &mut Tx| ask(tx, email, &code, expires).await).await?;
    Ok(RequestPasswordResetResponse { reset_id: code.ticket(), expire_time: Some(timestamp(expires)) })
}

async fn ask(tx: &mut Tx, email: &Email, code: &Code, expires: OffsetDateTime) -> Result<(), Error> {
    let account = match accounts::by_email(tx, email).await? {
        // Its password may change just now, after which no code sets another.
        Some(found) => accounts::hold(tx, &found.account_id).await?,
        None => None,
    };
    let account_id = account.as_ref().map(|account| account.account_id.as_str());
    let then = Then { purpose: Purpose::Reset, email, name: "", password: None, account_id };
    code.issue(tx, then, account.is_some(), expires).await?;
    match account {
        Some(account) => {
            let person = Person { name: account.name.0, email: account.email.0 };
            code.tell(tx, Purpose::Reset, person, expires).await
        }
        None => Ok(()),
    }
}
