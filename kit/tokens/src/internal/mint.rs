use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tradewind_workload::{Credentials, Identity, Result, Scheme};

use super::{KIND, LIFE, User};
use crate::Algorithm;
use crate::recent::Recent;
use crate::signed::{encoded, signed};

/// How long a token is used again for the same user and service, of [`LIFE`]: long enough to save most signatures, and the rest is
/// enough for a call on its way.
const AGAIN: u64 = LIFE.as_secs() / 2;
/// Tokens that are kept.
const MOST: usize = 4_096;

/// Makes the tokens of a workload that speaks for people.
pub struct Minter {
    identity: Identity,
    made: Mutex<Made>,
}

/// What was made with one set of credentials.
struct Made {
    by: Credentials,
    chain: Arc<str>,
    tokens: Recent<(Arc<str>, u64)>,
}

/// A token, and the certificates that it is to be sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// Who the call is for.
    pub token: Arc<str>,
    /// Who says so: certificates in base64url, leaf first, with dots between. The same for as long as the certificate is.
    pub chain: Arc<str>,
}

impl Minter {
    /// Signs as `identity`.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let made = Mutex::new(Made::none(identity.credentials()));
        Self { identity, made }
    }

    /// A token of `user` for `service` that is good for another half a minute at least, at `now` in seconds since 1970.
    ///
    /// # Errors
    /// When the key signs nothing but connections (RSA), or there is no randomness.
    pub fn mint(&self, user: &User, service: &str, now: u64) -> Result<Minted> {
        let by = self.identity.credentials();
        let name = name(user, service);
        let chain = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            if !made.by.is(&by) {
                *made = Made::none(by.clone());
            }
            if let Some((token, at)) = made.tokens.get(&name)
                && now.checked_sub(at).is_some_and(|age| age < AGAIN)
            {
                return Ok(Minted { token, chain: made.chain.clone() });
            }
            made.chain.clone()
        };
        // Not in the lock: it is most of the work.
        let token: Arc<str> = token(&by, user, service, now)?.into();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.by.is(&by) {
            made.tokens.put(&name, (token.clone(), now));
        }
        Ok(Minted { token, chain })
    }
}

impl Made {
    fn none(by: Credentials) -> Self {
        let chain = by.chain().iter().map(encoded).collect::<Vec<_>>().join(".");
        Self { by, chain: chain.into(), tokens: Recent::new(MOST) }
    }
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minter").field("identity", &self.identity.spiffe_id()).finish_non_exhaustive()
    }
}

/// What tells tokens apart: all that they say but when.
fn name(user: &User, service: &str) -> String {
    json!([service, user.id, user.session, user.roles, user.scopes]).to_string()
}

fn token(by: &Credentials, user: &User, service: &str, now: u64) -> Result<String> {
    let mut claims = Map::new();
    for (name, value) in [
        ("iss", Value::from(by.id().to_string())),
        ("aud", service.into()),
        ("sub", user.id.as_str().into()),
        ("roles", user.roles.as_slice().into()),
        ("iat", now.into()),
        ("exp", now.saturating_add(LIFE.as_secs()).into()),
    ] {
        claims.insert(name.to_owned(), value);
    }
    if let Some(session) = &user.session {
        claims.insert("sid".to_owned(), session.as_str().into());
    }
    if let Some(scopes) = &user.scopes {
        claims.insert("scope".to_owned(), scopes.join(" ").into());
    }
    signed(algorithm(by.scheme()?), None, KIND, &claims, |text| by.sign(text.as_bytes()).map(encoded))
}

/// What a workload's key signs by, as tokens name it.
pub(super) const fn algorithm(scheme: Scheme) -> Algorithm {
    match scheme {
        Scheme::Ed25519 => Algorithm::Ed25519,
        Scheme::P256 => Algorithm::Es256,
        Scheme::P384 => Algorithm::Es384,
    }
}
