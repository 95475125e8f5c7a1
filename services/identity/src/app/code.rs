//! Codes that are sent by mail: each goes along with a ticket, which only whoever asked for it was given.

use contracts::tradewind::identity::v1::{
    ConfirmationForgotten, EmailChangeRequested, PasswordResetRequested, Person, SignUpRepeated, VerificationRequested,
};
use time::OffsetDateTime;
use tradewind_domain::{Error, Sensitive};
use tradewind_sql::{micros, timestamp};
use tradewind_store::{StreamName, Tx};
use uuid::Uuid;

use super::Means;
use super::means::wrong_code;
use crate::domain::Email;
use crate::secrets;
use crate::store::{Hidden, confirmation, confirmations};

tradewind_domain::events! {
    /// What somebody is told by mail.
    pub(super) enum Told {
        Verification(VerificationRequested),
        Repeated(SignUpRepeated),
        Reset(PasswordResetRequested),
        EmailChange(EmailChangeRequested),
        Forgotten(ConfirmationForgotten),
    }
}

/// What a code is good for; part of rows that are in databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    SignUp,
    Reset,
    EmailChange,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Reset => "reset",
            Self::EmailChange => "email_change",
        }
    }
}

/// Codes that are removed in one transaction.
pub(super) const TOGETHER: u64 = 64;

/// A code, and what it goes along with.
pub(super) struct Code {
    ticket: Sensitive<String>,
    digits: Sensitive<String>,
    /// Names the message that it is sent in.
    pub(super) message_id: String,
}

/// What is to be done once a code is entered.
pub(super) struct Then<'a> {
    pub(super) purpose: Purpose,
    pub(super) email: &'a Email,
    pub(super) name: &'a str,
    /// The hash of the password that an account is to have.
    pub(super) password: Option<&'a str>,
    /// The account whose password is to be set, or whose address.
    pub(super) account_id: Option<&'a str>,
}

impl Code {
    /// A new one.
    pub(super) fn new() -> Result<Self, Error> {
        let (ticket, digits) = (secrets::token()?.into(), secrets::code()?.into());
        Ok(Self { ticket, digits, message_id: Uuid::now_v7().to_string() })
    }

    /// What whoever asked is given.
    pub(super) fn ticket(self) -> String {
        self.ticket.into_exposed()
    }

    /// Waits to be entered until `expires`, where `is_sent`; otherwise no code is the right one.
    pub(super) async fn issue(
        &self,
        tx: &mut Tx,
        then: Then<'_>,
        is_sent: bool,
        expires: OffsetDateTime,
    ) -> Result<(), Error> {
        let (ticket, digits) = (self.ticket.expose(), self.digits.expose());
        let row = confirmation::Model {
            ticket: secrets::hash(ticket),
            purpose: then.purpose.name().to_owned(),
            code: is_sent.then(|| Hidden(secrets::hash_of_code(ticket, digits))),
            email: then.email.as_str().into(),
            name: then.name.into(),
            password: then.password.map(Hidden::from),
            account_id: then.account_id.map(str::to_owned),
            tries: 0,
            expires: micros(expires),
            mail: None,
            message_id: None,
        };
        confirmations::issue(tx, row, &self.message_id).await
    }

    /// Has the message written that says it.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx,
        purpose: Purpose,
        person: Person,
        expires: OffsetDateTime,
    ) -> Result<(), Error> {
        let (message_id, code) = (self.message_id.clone(), self.digits.expose().clone());
        let (person, expire_time) = (Some(person), Some(timestamp(expires)));
        let told: Told = match purpose {
            Purpose::SignUp => VerificationRequested { message_id, person, code, expire_time }.into(),
            Purpose::EmailChange => EmailChangeRequested { message_id, person, code, expire_time }.into(),
            Purpose::Reset => PasswordResetRequested { message_id, person, code, expire_time }.into(),
        };
        tell(tx, &self.message_id, told).await
    }
}

/// Has a message written.
pub(super) async fn tell(tx: &mut Tx, message_id: &str, told: Told) -> Result<(), Error> {
    tx.append(&stream(message_id), 0, message_id, vec![told]).await
}

fn stream(message_id: &str) -> StreamName {
    StreamName::from(format!("confirmation-{message_id}"))
}

/// Uses a code up; `false` when somebody else has done so.
pub(super) async fn confirm(tx: &mut Tx, found: &confirmation::Model) -> Result<bool, Error> {
    let is_there = confirmations::remove(tx.conn(), &found.ticket).await?;
    if is_there {
        forget(tx, found).await?;
    }
    Ok(is_there)
}

/// Removes the codes that are good for an account.
pub(super) async fn forget_of(tx: &mut Tx, account_id: &str) -> Result<(), Error> {
    let all = confirmations::of(tx.conn(), account_id, None).await?;
    remove(tx, all).await
}

/// Removes the codes that are good for an account, or were sent to an address.
pub(super) async fn forget_all(tx: &mut Tx, account_id: &str, email: &str) -> Result<(), Error> {
    let all = confirmations::of(tx.conn(), account_id, Some(email)).await?;
    remove(tx, all).await
}

/// Removes some of the codes that are over; how many there were.
pub(super) async fn forget_expired(tx: &mut Tx) -> Result<u64, Error> {
    let over = confirmations::expired(tx.conn(), tx.now(), TOGETHER).await?;
    let some = over.len() as u64;
    remove(tx, over).await.map(|()| some)
}

async fn remove(tx: &mut Tx, codes: Vec<confirmation::Model>) -> Result<(), Error> {
    for code in codes {
        confirm(tx, &code).await?;
    }
    Ok(())
}

/// Destroys the key under which it lies whom a code was sent to, and has others do the same.
async fn forget(tx: &mut Tx, over: &confirmation::Model) -> Result<(), Error> {
    // Of a release before: it was not sealed.
    let Some(message_id) = &over.message_id else { return Ok(()) };
    // Whoever signs up is told in any case.
    if over.code.is_some() || over.purpose == Purpose::SignUp.name() {
        let forgotten = ConfirmationForgotten { message_id: message_id.clone() };
        tx.append(&stream(message_id), 1, message_id, vec![Told::from(forgotten)]).await?;
    }
    tx.erase(message_id).await.map(drop)
}

/// What a code is good for that goes along with `ticket`. It is counted before it is looked at, and wherever it is looked at.
///
/// # Errors
/// `Invalid` with reason `CODE_INVALID` whatever is wrong with either.
pub(super) async fn enter(
    means: &Means,
    ticket: &str,
    purpose: Purpose,
    code: &str,
) -> Result<confirmation::Model, Error> {
    let kept = secrets::hash(ticket);
    // What was made up is turned away by a look.
    if !confirmations::is_there(means.store.command_reader(), &kept).await? {
        return Err(wrong_code());
    }
    let tried = async |tx: &mut Tx| confirmations::try_code(tx, &kept, purpose.name()).await;
    let (found, _) = means.store.transact(tried).await?;
    let entered = Some(secrets::hash_of_code(ticket, code.trim()));
    found.filter(|found| found.code.as_ref().map(|code| &code.0) == entered.as_ref()).ok_or_else(wrong_code)
}
