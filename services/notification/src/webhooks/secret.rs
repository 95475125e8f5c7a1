//! What requests are signed with, as the Standard Webhooks specification has it: HMAC-SHA256 of id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use tradewind_domain::Error;

use super::table::Hidden;

/// What a secret begins with where it is shown.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const LENGTH: usize = 32;

/// A secret that nobody can guess.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn make() -> Result<Hidden, Error> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(Hidden(format!("{PREFIX}{}", STANDARD.encode(bytes))))
}

/// The signatures of a request by each of these secrets, with blanks between.
pub(crate) fn sign<'a>(secrets: impl Iterator<Item = &'a Hidden>, id: &str, timestamp: &str, body: &str) -> String {
    let signed = secrets.filter_map(|Hidden(secret)| {
        let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
        for part in [id, ".", timestamp, ".", body] {
            context.update(part.as_bytes());
        }
        Some(format!("v1,{}", STANDARD.encode(context.sign())))
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of the specification's libraries.
    #[test]
    fn a_request_is_signed_as_the_specification_says() {
        let secret = Hidden("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let (id, timestamp) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let signed = sign([&secret].into_iter(), id, timestamp, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both = sign([&make().unwrap(), &secret].into_iter(), id, timestamp, r#"{"test": 2432232314}"#);
        assert_eq!(both.split(' ').nth(1), Some(signed.as_str()));
    }

    #[test]
    fn a_secret_has_its_form_and_is_never_the_same_nor_shown() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert!(one.0.starts_with("whsec_") && one != other);
        assert_eq!(STANDARD.decode(&one.0[6..]).unwrap().len(), 32);
        assert_eq!(format!("{one:?}"), "[redacted]");
    }
}
