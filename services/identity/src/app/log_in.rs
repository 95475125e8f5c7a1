//! Signing in. What does not fit is never said, and takes the work of what fits: one hash.

use contracts::tradewind::identity::v1::LogInResponse;
use time::OffsetDateTime;
use tradewind_domain::{Error, ErrorKind, Sensitive};
use tradewind_sql::from_micros;
use tradewind_store::Tx;

use super::means::wrong_credentials;
use super::sign_in::{self, Begin};
use super::{Means, Origin, code, throttle};
use crate::domain::limits::Try;
use crate::domain::{Email, check_password};
use crate::metrics;
use crate::store::accounts::{self, Change};
use crate::store::private::Before;
use crate::store::{account, familiars, throttles};

/// A well-formed request to sign in.
pub struct LogIn {
    /// The address.
    pub email: Email,
    /// The password.
    pub password: Sensitive<String>,
    /// What the session is to be called.
    pub device: String,
    /// The password that is to follow one that was made for one use.
    pub new_password: Option<Sensitive<String>>,
    /// Where the request comes from.
    pub from: Origin,
}

/// Signs in and returns the tokens of a new session.
///
/// # Errors
/// `Unauthenticated` with reason `CREDENTIALS_INVALID`; `Rejected` with reason `NEW_PASSWORD_REQUIRED`, `Invalid` when nobody should
/// use the new one; `Exhausted` with reason `TOO_MANY_ATTEMPTS` or `TOO_MANY_SIGN_INS`.
pub async fn log_in(means: &Means, wanted: LogIn) -> Result<LogInResponse, Error> {
    let let_in = enter(means, wanted).await;
    match &let_in {
        Ok(_) => metrics::signed_in("let_in"),
        Err(error) if error.kind == ErrorKind::Unauthenticated => metrics::signed_in("wrong"),
        Err(error) if error.kind == ErrorKind::Exhausted => metrics::signed_in("too_many"),
        Err(_) => {}
    }
    let_in
}

async fn enter(means: &Means, wanted: LogIn) -> Result<LogInResponse, Error> {
    let LogIn { email, password, from, .. } = &wanted;
    let found = accounts::by_email(&Before(&means.store), email).await?;
    let tries = throttle::guesses(&means.store, email, found.as_ref(), *from).await?;
    throttle::count(&means.store, &tries).await?;

    let kept = found.as_ref().map(|account| account.password.0.as_str());
    let verdict = throttle::verify(means, password, kept, &tries).await?;
    let account = found.filter(|account| verdict.matches && can_be_used(account, means.store.now()));
    let account = account.ok_or_else(wrong_credentials)?;
    let hashed = match (account.password_until, &wanted.new_password) {
        (None, _) if !verdict.is_cheap => None,
        (None, _) => Some(means.passwords.hash(password).await?),
        (Some(_), Some(new)) if new != password => {
            check_password(new.expose(), email)?;
            Some(means.passwords.hash(new).await?)
        }
        (Some(_), _) => return Err(new_password_required()),
    };
    let begin = Begin::new()?;
    let work = async |tx: &mut Tx| begin_session(tx, means, &wanted, &account, hashed.clone(), &begin, &tries).await;
    let (account, _) = means.store.transact(work).await?;
    let tokens = sign_in::tokens(means, &account, &begin.session_id, &begin.token).await?;
    Ok(LogInResponse { tokens: Some(tokens) })
}

async fn begin_session(
    tx: &mut Tx,
    means: &Means,
    wanted: &LogIn,
    seen: &account::Model,
    hashed: Option<String>,
    begin: &Begin,
    tries: &[Try],
) -> Result<account::Model, Error> {
    // The hash took its time: it may be locked by now, or have another password.
    let account = accounts::hold(tx, &seen.account_id).await?;
    let same = |account: &account::Model| account.password == seen.password && can_be_used(account, tx.now());
    let mut account = account.filter(same).ok_or_else(wrong_credentials)?;
    throttles::give_back(tx.conn(), tries).await?;
    if hashed.is_some() {
        if seen.password_until.is_some() {
            code::forget_of(tx, &seen.account_id).await?;
        }
        let change = Change { password: hashed, ..Change::default() };
        account = accounts::change(tx, &seen.account_id, change).await?;
    }
    familiars::meet(tx, &account.account_id, wanted.from.network()).await?;
    begin.write(tx, means, &account.account_id, &wanted.device, wanted.from).await?;
    let (account_id, session_id) = (account.account_id.clone(), begin.session_id.clone());
    tx.after(move || tracing::info!(account_id, session_id, "signed in"));
    Ok(account)
}

fn can_be_used(account: &account::Model, now: OffsetDateTime) -> bool {
    !account.locked && account.password_until.is_none_or(|until| now < from_micros(until))
}

fn new_password_required() -> Error {
    let text = "this password was made for one use: give the one that is to follow it as new_password";
    Error::new(ErrorKind::Rejected, "NEW_PASSWORD_REQUIRED", text)
}
