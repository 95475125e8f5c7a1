//! What a password may be: long enough, and none that guessing begins with. What it is made of is its owner's business.

use std::collections::BTreeMap;

use tradewind_domain::{DomainError, ErrorKind};

use super::Email;
use super::common::is_common;

/// Characters that a password has at least.
pub const SHORTEST: usize = 8;
/// Characters that a password has at most.
pub const LONGEST: usize = 128;

/// What stands around here, for guessing to begin with: no password is made of these and of what is no letter alone.
const WORDS: [&str; 16] = [
    "tradewind",
    "trade",
    "wind",
    "shop",
    "store",
    "order",
    "customer",
    "staff",
    "admin",
    "operator",
    "account",
    "password",
    "welcome",
    "secret",
    "login",
    "test",
];

/// Why nobody should use a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It is soon guessed.
    #[error("must have at least {SHORTEST} characters")]
    TooShort,
    /// It costs too much to look at.
    #[error("must have at most {LONGEST} characters")]
    TooLong,
    /// Many people have it.
    #[error("is one of those that are guessed first; take several words")]
    TooCommon,
    /// Whoever guesses knows it.
    #[error("must not be the e-mail address")]
    IsEmail,
}

impl DomainError for PasswordError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::TooShort => "PASSWORD_TOO_SHORT",
            Self::TooLong => "PASSWORD_TOO_LONG",
            Self::TooCommon => "PASSWORD_TOO_COMMON",
            Self::IsEmail => "PASSWORD_IS_EMAIL",
        }
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        match self {
            Self::TooShort => BTreeMap::from([("minimum".to_owned(), SHORTEST.to_string())]),
            Self::TooLong => BTreeMap::from([("maximum".to_owned(), LONGEST.to_string())]),
            Self::TooCommon | Self::IsEmail => BTreeMap::new(),
        }
    }
}

/// Tells whether a password is as long as one may be.
///
/// # Errors
/// Why it is not.
pub fn check_length(password: &str) -> Result<(), PasswordError> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if length > LONGEST {
        return Err(PasswordError::TooLong);
    }
    Ok(())
}

/// Tells whether the account of `email` may have this password.
///
/// # Errors
/// Why it may not.
pub fn check(password: &str, email: &Email) -> Result<(), PasswordError> {
    check_length(password)?;
    let (plain, address) = (password.trim().to_lowercase(), email.as_str().to_lowercase());
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    if plain == address || plain == local {
        return Err(PasswordError::IsEmail);
    }
    if is_common(&plain) || is_ours(&plain) {
        return Err(PasswordError::TooCommon);
    }
    Ok(())
}

/// Tells whether a password, in lower case, has a letter and no more letters than those of the words.
fn is_ours(password: &str) -> bool {
    let letters: String = password.chars().filter(|character| character.is_alphabetic()).collect();
    let left = WORDS.iter().fold(letters.clone(), |left, word| left.replace(word, " "));
    !letters.is_empty() && left.trim().is_empty()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn checked(password: &str) -> Result<(), PasswordError> {
        check(password, &Email::read("ada.lovelace@example.com").unwrap())
    }

    #[test]
    fn length_is_what_counts() {
        assert_eq!(checked("seven77"), Err(PasswordError::TooShort));
        for password in ["correct horse", "ÄÖÜäöüß!", "        x", &"ab".repeat(64)] {
            assert_eq!(checked(password), Ok(()), "{password:?}");
        }
        assert_eq!(checked(&"ab".repeat(65)), Err(PasswordError::TooLong));
    }

    #[test]
    fn what_is_made_of_the_shops_own_words_is_refused() {
        for password in ["tradewind", "Tradewind2026!", "trade-wind-shop", "staff1234", "AdminAdmin", "order 66 order"]
        {
            assert_eq!(checked(password), Err(PasswordError::TooCommon), "{password:?}");
        }
        for password in ["tradewinds in may", "my order book", "99887766554433"] {
            assert_eq!(checked(password), Ok(()), "{password:?}");
        }
    }

    #[test]
    fn what_is_guessed_first_is_refused_in_any_case() {
        for password in ["password", "PassWord", " password1 ", "12345678", "qwertyuiop", "aaaaaaaaaa", "abcdefgh"] {
            assert_eq!(checked(password), Err(PasswordError::TooCommon), "{password:?}");
        }
        for password in ["ada.lovelace@example.com", "Ada.Lovelace@Example.com", "ada.lovelace"] {
            assert_eq!(checked(password), Err(PasswordError::IsEmail), "{password:?}");
        }
    }
}
