//! What people are told about their accounts.

use contracts::tradewind::identity::v1::{
    EmailChangeRequested, EmailChanged, PasswordChanged, PasswordResetRequested, Person, SignUpRepeated,
    VerificationRequested,
};
use contracts::tradewind::notification::v1::NotificationKind;
use prost_types::Timestamp;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;

use super::{Subject, tell};
use crate::texts::accounts;

pub(super) async fn tell_on_verification_requested(
    tx: &mut Tx,
    event: &Received<VerificationRequested>,
) -> Result<(), Error> {
    let VerificationRequested { message_id, person, expire_time, .. } = &event.data;
    if is_over(tx, message_id, expire_time.as_ref()) {
        return Ok(());
    }
    let about = subject(event, message_id, NotificationKind::Verification, person.as_ref());
    tell(tx, about, accounts::verification(&event.data, event.time)).await
}

pub(super) async fn tell_on_sign_up_repeated(tx: &mut Tx, event: &Received<SignUpRepeated>) -> Result<(), Error> {
    let SignUpRepeated { message_id, person } = &event.data;
    let about = subject(event, message_id, NotificationKind::SignUpRepeated, person.as_ref());
    tell(tx, about, accounts::sign_up_repeated(&event.data)).await
}

pub(super) async fn tell_on_password_reset_requested(
    tx: &mut Tx,
    event: &Received<PasswordResetRequested>,
) -> Result<(), Error> {
    let PasswordResetRequested { message_id, person, expire_time, .. } = &event.data;
    if is_over(tx, message_id, expire_time.as_ref()) {
        return Ok(());
    }
    let about = subject(event, message_id, NotificationKind::PasswordReset, person.as_ref());
    tell(tx, about, accounts::password_reset(&event.data, event.time)).await
}

pub(super) async fn tell_on_password_changed(tx: &mut Tx, event: &Received<PasswordChanged>) -> Result<(), Error> {
    let PasswordChanged { message_id, person, .. } = &event.data;
    let about = subject(event, message_id, NotificationKind::PasswordChanged, person.as_ref());
    tell(tx, about, accounts::password_changed(&event.data)).await
}

/// Tells whether a code is of no use any more: nobody is told it then.
fn is_over(tx: &Tx, message_id: &str, until: Option<&Timestamp>) -> bool {
    let is_over = until.is_some_and(|until| until.seconds <= tx.now().unix_timestamp());
    if is_over {
        tracing::warn!(message_id, "a code is over before it could be sent");
    }
    is_over
}

pub(super) async fn tell_on_email_change_requested(
    tx: &mut Tx,
    event: &Received<EmailChangeRequested>,
) -> Result<(), Error> {
    let EmailChangeRequested { message_id, person, expire_time, .. } = &event.data;
    if is_over(tx, message_id, expire_time.as_ref()) {
        return Ok(());
    }
    let about = subject(event, message_id, NotificationKind::EmailChange, person.as_ref());
    tell(tx, about, accounts::email_change(&event.data, event.time)).await
}

pub(super) async fn tell_on_email_changed(tx: &mut Tx, event: &Received<EmailChanged>) -> Result<(), Error> {
    let EmailChanged { message_id, person, .. } = &event.data;
    let about = subject(event, message_id, NotificationKind::EmailChanged, person.as_ref());
    tell(tx, about, accounts::email_changed(&event.data)).await
}

fn subject<'a, E>(
    event: &'a Received<E>,
    message_id: &'a str,
    kind: NotificationKind,
    person: Option<&'a Person>,
) -> Subject<'a> {
    let address = person.map(|person| person.email.as_str());
    Subject { whose: &event.metadata.partition_key, order_id: message_id, kind, address }
}
