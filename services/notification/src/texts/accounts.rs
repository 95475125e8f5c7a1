//! What people are told about their accounts.
//!
//! Whoever asks for an account says what its owner is called. Before the address is confirmed that may be anybody, and anything: it
//! is in no letter.

use contracts::tradewind::identity::v1::{
    EmailChangeRequested, EmailChanged, PasswordChanged, PasswordResetRequested, Person, SignUpRepeated,
    VerificationRequested,
};
use prost_types::Timestamp;
use time::OffsetDateTime;

use super::{Text, letter_to, one_line};

/// The code that ends a sign-up.
pub(crate) fn verification(event: &VerificationRequested, now: OffsetDateTime) -> Text {
    let lines = [
        code(&event.code, event.expire_time.as_ref(), now),
        "Enter it where you asked for an account with Tradewind.".to_owned(),
        "If you have not asked for one, somebody has mistyped their address: do nothing, and nothing happens."
            .to_owned(),
    ];
    text("Your Tradewind code", None, lines)
}

/// Somebody wants an account under an address that has one.
pub(crate) fn sign_up_repeated(event: &SignUpRepeated) -> Text {
    let lines = [
        "Somebody has asked for an account with Tradewind under this address, which has one already.".to_owned(),
        "If it was you, sign in; if you have forgotten your password, ask for another.".to_owned(),
        "If it was not, do nothing, and nothing happens.".to_owned(),
    ];
    text("You have a Tradewind account already", event.person.as_ref(), lines)
}

/// The code that sets another password.
pub(crate) fn password_reset(event: &PasswordResetRequested, now: OffsetDateTime) -> Text {
    let lines = [
        code(&event.code, event.expire_time.as_ref(), now),
        "Enter it where you asked for another password. Nobody of Tradewind will ever ask you for it.".to_owned(),
        "If you have not asked for one, do nothing, and your password stays as it is.".to_owned(),
    ];
    text("Your Tradewind code", event.person.as_ref(), lines)
}

/// The account has another password.
pub(crate) fn password_changed(event: &PasswordChanged) -> Text {
    let lines = [
        "The password of your Tradewind account was changed just now.".to_owned(),
        "If it was not you, ask for another password at once: that ends whatever somebody else is doing with your account."
            .to_owned(),
    ];
    text("Your Tradewind password was changed", event.person.as_ref(), lines)
}

/// The code that gives an account another address.
pub(crate) fn email_change(event: &EmailChangeRequested, now: OffsetDateTime) -> Text {
    let lines = [
        code(&event.code, event.expire_time.as_ref(), now),
        "Enter it where you asked for your Tradewind account to have this address.".to_owned(),
        "If you have not asked for that, somebody has mistyped theirs: do nothing, and nothing happens.".to_owned(),
    ];
    text("Your Tradewind code", None, lines)
}

/// The account has another address.
pub(crate) fn email_changed(event: &EmailChanged) -> Text {
    let lines = [
        "Your Tradewind account has another e-mail address since just now, and this one is no longer good for it."
            .to_owned(),
        "If it was not you, somebody knows your password: write to us at once.".to_owned(),
    ];
    text("Your Tradewind address was changed", event.person.as_ref(), lines)
}

fn code(code: &str, until: Option<&Timestamp>, now: OffsetDateTime) -> String {
    let minutes = until.map_or(0, |until| (until.seconds - now.unix_timestamp()) / 60);
    let span = match minutes {
        ..1 => "for a moment".to_owned(),
        1 => "for a minute".to_owned(),
        minutes => format!("for {minutes} minutes"),
    };
    format!("Your code is {}. It is good {span}.", one_line(code))
}

fn text<const N: usize>(subject: &str, person: Option<&Person>, lines: [String; N]) -> Text {
    let name = person.map(|person| person.name.as_str());
    Text { subject: subject.to_owned(), body: letter_to(name, lines.map(Some)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person { name: "Ada".to_owned(), email: "ada@example.com".to_owned() }
    }

    #[test]
    fn a_code_is_told_with_how_long_it_is_good() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let reset = |seconds| {
            let (code, expire_time) = ("12345678".to_owned(), Some(Timestamp { seconds, nanos: 0 }));
            let event =
                PasswordResetRequested { message_id: "m-1".to_owned(), person: Some(person()), code, expire_time };
            password_reset(&event, now).body
        };
        assert!(reset(600).starts_with("Hello Ada,\n\nYour code is 12345678. It is good for 10 minutes.\n"));
        assert!(reset(119).contains("good for a minute."));
        assert!(reset(0).contains("good for a moment."));
    }

    #[test]
    fn what_a_stranger_calls_somebody_is_not_told_to_them() {
        let event = VerificationRequested { person: Some(person()), code: "1".to_owned(), ..Default::default() };
        let text = verification(&event, OffsetDateTime::UNIX_EPOCH);
        assert!(text.body.starts_with("Hello,\n\nYour code is 1. "), "{}", text.body);
    }

    #[test]
    fn subjects_never_hold_a_code() {
        let event = VerificationRequested { person: Some(person()), code: "12345678".to_owned(), ..Default::default() };
        assert!(!verification(&event, OffsetDateTime::UNIX_EPOCH).subject.contains("12345678"));
    }
}
