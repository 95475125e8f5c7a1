//! Who issues tokens that are believed, as the settings say it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tradewind_tokens::{Algorithm, Issuer};

/// What tokens have among their audiences that are meant for the shop.
const AUDIENCE: &str = "tradewind";
/// The kind of an access token (RFC 9068).
const KIND: &str = "at+jwt";

/// What identity has before the ids of partners.
const PARTNERS: &str = "partner";

/// Fetches a set of keys, as JSON.
pub type Fetch = Arc<dyn Fn() -> BoxFuture<'static, Result<Vec<u8>, String>> + Send + Sync>;

/// An issuer that is trusted, and where its keys are.
#[derive(Clone)]
pub struct Trusted {
    /// Which tokens of its are believed.
    pub issuer: Issuer,
    /// What goes before its subjects, with a colon, to tell them from others'; nothing before those of the shop's own.
    pub prefix: Option<String>,
    /// Whether it is believed what they may be.
    pub gives_roles: bool,
    /// Its keys.
    pub keys: Fetch,
    /// How long a token may be good that it issues, in seconds.
    pub longest: u64,
}

impl Trusted {
    /// The shop's own, by the name that it gives itself.
    #[must_use]
    pub fn own(name: &str, keys: Fetch) -> Self {
        let issuer = Issuer {
            name: name.to_owned(),
            audience: AUDIENCE.to_owned(),
            kinds: vec![KIND.to_owned()],
            algorithms: vec![Algorithm::Ed25519, Algorithm::Es256],
        };
        Self { issuer, prefix: None, gives_roles: true, keys, longest: u64::MAX }
    }
}

/// Issuers outside, as they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers(Vec<Outside>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Outside {
    prefix: String,
    name: String,
    keys: String,
    audience: String,
    gives_roles: bool,
}

impl Issuers {
    /// Reads issuers, separated by semicolons: of each the prefix of its subjects, its name, where its keys are, the audience that its
    /// tokens have, and `roles` where it is believed what they may be.
    ///
    /// # Errors
    /// Text that says something else.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut issuers = Self::default();
        for said in text.split(';').map(str::trim).filter(|said| !said.is_empty()) {
            let words: Vec<_> = said.split_whitespace().collect();
            let (prefix, name, keys, audience, roles) = match words[..] {
                [prefix, name, keys, audience] => (prefix, name, keys, audience, false),
                [prefix, name, keys, audience, "roles"] => (prefix, name, keys, audience, true),
                _ => return Err(format!("{said:?} is not PREFIX ISSUER KEYS-URL AUDIENCE [roles]")),
            };
            let is_name = prefix.len() <= 16 && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let is_name = is_name && prefix != PARTNERS;
            if !is_name || issuers.0.iter().any(|other| other.prefix == prefix || other.name == name) {
                return Err(format!("{prefix:?} is not a prefix of its own, of letters, digits and hyphens"));
            }
            if !keys.starts_with("https://") && !keys.starts_with("http://127.0.0.1:") {
                return Err(format!("{keys:?} is not an https:// URL"));
            }
            let text = str::to_owned;
            let (prefix, name, keys, audience) = (text(prefix), text(name), text(keys), text(audience));
            issuers.0.push(Outside { prefix, name, keys, audience, gives_roles: roles });
        }
        Ok(issuers)
    }

    /// They, with their keys fetched by `fetch` from where they are, and tokens that are good no longer than `longest`.
    pub(crate) fn trusted(self, longest: Duration, fetch: impl Fn(String) -> Fetch) -> Vec<Trusted> {
        let kinds = || vec![KIND.to_owned(), "JWT".to_owned()];
        let algorithms = || vec![Algorithm::Ed25519, Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256];
        let trusted = |each: Outside| Trusted {
            issuer: Issuer { name: each.name, audience: each.audience, kinds: kinds(), algorithms: algorithms() },
            prefix: Some(each.prefix),
            gives_roles: each.gives_roles,
            keys: fetch(each.keys),
            longest: longest.as_secs(),
        };
        self.0.into_iter().map(trusted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Issuers;

    #[test]
    fn an_issuer_is_four_words_or_five() {
        let two = "corp https://login.example https://login.example/keys tradewind roles; other a https://b/c d";
        assert!(
            Issuers::read(two).is_ok_and(|read| read.0.len() == 2 && read.0[0].gives_roles && !read.0[1].gives_roles)
        );
        assert_eq!(Issuers::read(" ; "), Ok(Issuers::default()));
        for odd in [
            "corp https://a",
            "corp a http://a/keys b",
            "corp a https://a b admin",
            "c:d a https://a b",
            "partner a https://a b",
        ] {
            assert!(Issuers::read(odd).is_err(), "{odd}");
        }
        assert!(Issuers::read("a b https://c d; a e https://c d").is_err(), "one prefix for two");
    }
}
