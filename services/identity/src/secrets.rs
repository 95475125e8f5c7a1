//! What nobody can guess, and how it is kept: tokens, codes, and what is left of them in the database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use tradewind_domain::{Error, Sensitive};
use uuid::Uuid;

/// The letters of a password that a person types: none that is taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 256 bits that nobody can guess, in base64url.
///
/// # Errors
/// When the system has none.
pub(crate) fn token() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// Eight digits, each number as likely as any other.
///
/// # Errors
/// As of [`token`].
pub(crate) fn code() -> Result<String, Error> {
    const CODES: u32 = 100_000_000;
    // Beyond it some numbers would come once more than others.
    const EVEN: u32 = u32::MAX - u32::MAX % CODES;
    loop {
        let number = u32::from_le_bytes(random()?);
        if number < EVEN {
            return Ok(format!("{:08}", number % CODES));
        }
    }
}

/// A password for one use: 100 bits in letters and digits.
///
/// # Errors
/// As of [`token`].
pub(crate) fn password() -> Result<Sensitive<String>, Error> {
    let letters = random::<20>()?.map(|byte| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or_default());
    let groups = letters.chunks(5).map(|group| group.iter().copied().map(char::from).collect::<String>());
    Ok(groups.collect::<Vec<_>>().join("-").into())
}

/// A key that programs show: who finds one somewhere sees what it is, and which.
///
/// # Errors
/// As of [`token`].
pub(crate) fn key(id: Uuid) -> Result<Sensitive<String>, Error> {
    Ok(format!("twk_{}_{}", id.simple(), token()?).into())
}

/// Bytes in base64url.
pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a text that nobody can guess: SHA-256, in base64url.
pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// What is kept of a code, which could be guessed by its hash alone: that of the code with the ticket it goes along with.
pub(crate) fn hash_of_code(ticket: &str, code: &str) -> String {
    hash(&format!("{ticket} {code}"))
}

/// The one token that follows another: HMAC-SHA-256 of `salt` under it. Whoever has but one of the two knows nothing of it.
pub(crate) fn successor(token: &str, salt: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, salt.as_bytes()))
}

/// Bytes that nobody can guess.
///
/// # Errors
/// As of [`token`].
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_made_has_its_form_and_is_never_the_same() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert!(one.len() == 43 && one != other);
        let code = code().unwrap();
        assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        let password = password().unwrap();
        assert_eq!(password.expose().split('-').map(str::len).collect::<Vec<_>>(), [5; 4]);
    }

    #[test]
    fn a_successor_depends_on_both() {
        assert_eq!(successor("a", "b"), successor("a", "b"));
        assert!(successor("a", "b") != successor("a", "c") && successor("a", "b") != successor("b", "b"));
        assert_eq!(successor("a", "b").len(), 43);
        assert_ne!(hash_of_code("t", "1"), hash_of_code("u", "1"));
    }
}
