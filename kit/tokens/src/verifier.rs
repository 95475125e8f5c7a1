use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::claims::{Claims, issuer};
use crate::signed::Signed;
use crate::{Algorithm, Jwks, Refusal, json};

/// How far clocks may be apart, unless told otherwise.
const LEEWAY: Duration = Duration::from_secs(30);

/// Somebody whose tokens are believed, and which of them.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// What its tokens have as `iss`, to the letter.
    pub name: String,
    /// What they have among their `aud`.
    pub audience: String,
    /// What they have as `typ`, one of these.
    pub kinds: Vec<String>,
    /// What they are signed by, one of these: that of their key.
    pub algorithms: Vec<Algorithm>,
}

/// Checks the tokens of some issuers. It asks nobody: whoever has it brings the keys.
#[derive(Debug)]
pub struct Verifier {
    issuers: Vec<(Issuer, ArcSwap<Jwks>)>,
    leeway: u64,
}

/// A token that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// The issuer that it names, if that is one of ours: where its keys may be newer than those that are known.
    pub issuer: Option<Arc<str>>,
}

impl Verifier {
    /// One that trusts these issuers, who have no keys yet.
    #[must_use]
    pub fn new(issuers: impl IntoIterator<Item = Issuer>) -> Self {
        let issuers = issuers.into_iter().map(|issuer| (issuer, ArcSwap::default())).collect();
        Self { issuers, leeway: LEEWAY.as_secs() }
    }

    /// Takes clocks that are so far apart, instead of 30 s.
    #[must_use]
    pub const fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.as_secs();
        self
    }

    /// Gives the issuer of that name these keys, in place of those it had. Tells whether there is one.
    pub fn keys(&self, issuer: &str, keys: Jwks) -> bool {
        let ours = self.issuers.iter().find(|(ours, _)| ours.name == issuer);
        if let Some((_, slot)) = ours {
            slot.store(Arc::new(keys));
        }
        ours.is_some()
    }

    /// Checks a token at `now`, in seconds since 1970, and returns what it says.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(&self, token: &str, now: u64) -> Result<Claims, Refused> {
        let unknown = |why| Refused { why, issuer: None };
        let signed = Signed::read(token).map_err(unknown)?;
        let all = json::object(&signed.payload().map_err(unknown)?).ok_or(unknown(Refusal::Malformed))?;
        let named = issuer(&all).map_err(unknown)?;
        let found = self.issuers.iter().find(|(ours, _)| ours.name == named);
        let (ours, keys) = found.ok_or(unknown(Refusal::Issuer))?;
        let checked = || {
            if !ours.kinds.iter().any(|kind| signed.header.is(kind)) {
                return Err(Refusal::Type);
            }
            let keys = keys.load();
            let key = keys.find(signed.header.key.as_deref()).ok_or(Refusal::UnknownKey)?;
            if !ours.algorithms.contains(&key.algorithm()) {
                return Err(Refusal::Algorithm);
            }
            signed.holds(key)?;
            let claims = Claims::read(all)?;
            claims.is_now(now, self.leeway)?;
            claims.is_for(&ours.audience)?;
            Ok(claims)
        };
        checked().map_err(|why| Refused { why, issuer: Some(ours.name.as_str().into()) })
    }
}
