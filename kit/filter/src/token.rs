//! Page tokens that are good for the list they were given for, and for no other, and that show whether somebody has changed them.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use tradewind_domain::{Error, request::invalid_page_token};
use uuid::Uuid;

/// Bytes of a digest that are kept: of what a list is about, and of the whole.
const ABOUT: usize = 8;
const SEAL: usize = 16;

/// The token of the page behind `place`, which has no full stop, in the list that `about` says all of: its filter, its order and whatever
/// else it was asked by. `secret` is something that callers do not know, and all replicas do.
#[must_use]
pub fn sealed(secret: Uuid, about: &[&str], place: &str) -> String {
    let about = digest(&about.iter().map(|part| part.as_bytes()).collect::<Vec<_>>(), ABOUT);
    let seal = seal(secret, place, &about);
    format!("{place}.{about}.{seal}")
}

/// The place that a token was made of.
///
/// # Errors
/// `INVALID_PAGE_TOKEN` for one that [`sealed`] has not made with this secret; `PAGE_TOKEN_MISMATCH` for one of another list.
pub fn opened<'a>(secret: Uuid, about: &[&str], token: &'a str) -> Result<&'a str, Error> {
    let parts = token.rsplit_once('.').and_then(|(rest, sealed)| Some((rest.rsplit_once('.')?, sealed)));
    let Some(((place, told), _)) = parts.filter(|((place, told), sealed)| *sealed == seal(secret, place, told)) else {
        return Err(invalid_page_token());
    };
    if told != digest(&about.iter().map(|part| part.as_bytes()).collect::<Vec<_>>(), ABOUT) {
        let what = "is of another list: ask on with what the page before was asked with, or begin without a token";
        return Err(Error::invalid("page_token", "PAGE_TOKEN_MISMATCH", what));
    }
    Ok(place)
}

fn seal(secret: Uuid, place: &str, about: &str) -> String {
    digest(&[secret.as_bytes(), place.as_bytes(), about.as_bytes()], SEAL)
}

/// The first bytes of the digest of parts, each with its length before it, in hexadecimal.
fn digest(parts: &[&[u8]], bytes: usize) -> String {
    let mut all = Sha256::new();
    for part in parts {
        all.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        all.update(part);
    }
    all.finalize().iter().take(bytes).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_list_alone_and_nobody_changes_it() {
        let secret = Uuid::from_u128(7);
        let token = sealed(secret, &["status = PAID", ""], "12/abc");
        assert_eq!(opened(secret, &["status = PAID", ""], &token), Ok("12/abc"));
        let reason = |secret, about: &[&str], token: &str| {
            opened(secret, about, token).map(str::to_owned).map_err(|error| error.reason)
        };
        for about in [&["status = PAID"][..], &["", "status = PAID"], &["status = PAI", "D"]] {
            assert_eq!(reason(secret, about, &token), Err("PAGE_TOKEN_MISMATCH"), "{about:?}");
        }
        assert_eq!(reason(Uuid::from_u128(8), &["status = PAID", ""], &token), Err("INVALID_PAGE_TOKEN"));
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] ^= 1;
            let changed = String::from_utf8_lossy(&changed).into_owned();
            assert_eq!(reason(secret, &["status = PAID", ""], &changed), Err("INVALID_PAGE_TOKEN"), "{changed}");
        }
        for odd in ["", ".", "..", "12/abc", "12/abc.."] {
            assert_eq!(reason(secret, &["status = PAID", ""], odd), Err("INVALID_PAGE_TOKEN"), "{odd}");
        }
    }
}
