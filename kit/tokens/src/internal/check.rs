use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use serde_json::Value;
use tradewind_workload::{Credentials, Identity, SpiffeId};

use super::mint::algorithm;
use super::{KIND, LIFE, User};
use crate::claims::Claims;
use crate::key::Key;
use crate::recent::Recent;
use crate::signed::{Signed, decoded};
use crate::{Refusal, json};

/// How far clocks may be apart.
const LEEWAY: u64 = 30;
/// The most bytes of certificates in base64url, and how many there may be.
const LARGEST: usize = 12 << 10;
const CERTIFICATES: usize = 4;
/// For how long certificates are good that have been looked at: no longer than those of a connection.
const LOOKED_AT: u64 = 600;
/// Chains that are kept, one for each process that signs; and tokens.
const CHAINS: usize = 64;
const TOKENS: usize = 4_096;

/// Checks the tokens that come with calls of one service.
pub struct Checker {
    identity: Identity,
    /// The service, for which they have to be meant.
    service: String,
    /// The workloads that may sign.
    signers: Vec<String>,
    known: Mutex<Known>,
}

/// What has been found good against one set of roots.
struct Known {
    by: Credentials,
    chains: Recent<Arc<Signer>>,
    tokens: Recent<Good>,
}

/// Whoever signs, as their certificates prove.
struct Signer {
    /// The certificates, as they came.
    chain: Box<str>,
    id: SpiffeId,
    key: Key,
    /// When the certificates have to be looked at again, in seconds since 1970.
    until: u64,
}

#[derive(Clone)]
struct Good {
    user: Arc<User>,
    /// With whose certificates it came.
    signer: Arc<Signer>,
    until: u64,
}

impl Checker {
    /// For calls of `service`, which trusts whom `identity` trusts, and of those the workloads `signers` to speak for people.
    #[must_use]
    pub fn new<'a>(identity: Identity, service: &str, signers: impl IntoIterator<Item = &'a str>) -> Self {
        let known = Mutex::new(Known::none(identity.credentials()));
        let signers = signers.into_iter().map(str::to_owned).collect();
        Self { identity, service: service.to_owned(), signers, known }
    }

    /// Whom a call of `peer` is for that came with this token and these certificates, at `now` in seconds since 1970. Who speaks for
    /// somebody does so himself: what another has signed is nobody's to bring.
    ///
    /// # Errors
    /// The first thing that is wrong with either.
    pub fn check(&self, peer: &SpiffeId, token: &str, chain: &str, now: u64) -> Result<Arc<User>, Refusal> {
        let by = self.identity.credentials();
        let signer = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if !known.by.is(&by) {
                *known = Known::none(by.clone());
            }
            match known.tokens.get(token) {
                Some(good) if good.signer.is(peer, chain) && now < good.until => return Ok(good.user),
                _ => known.chains.get(chain).filter(|signer| now < signer.until),
            }
        };
        let (signer, is_new) = match signer {
            Some(signer) => (signer, false),
            None => (Arc::new(self.signer(&by, chain, now)?), true),
        };
        if !signer.is(peer, chain) {
            return Err(Refusal::Signer);
        }
        let (user, expires) = self.user(token, &signer, now)?;
        let user = Arc::new(user);
        let good = Good { user: user.clone(), signer: signer.clone(), until: signer.until.min(expires + LEEWAY) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.by.is(&by) {
            if is_new {
                known.chains.put(chain, signer);
            }
            known.tokens.put(token, good);
        }
        Ok(user)
    }

    /// The workload whose certificates these are, if it may sign.
    fn signer(&self, by: &Credentials, chain: &str, now: u64) -> Result<Signer, Refusal> {
        if chain.len() > LARGEST {
            return Err(Refusal::TooLarge);
        }
        let parts: Vec<_> = chain.split('.').take(CERTIFICATES + 1).collect();
        if parts.len() > CERTIFICATES {
            return Err(Refusal::TooLarge);
        }
        let certificate = |part: &&str| decoded(part).map(CertificateDer::from);
        let certificates = parts.iter().map(certificate).collect::<Result<Vec<_>, _>>()?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let vouched = by.vouched(&certificates, time).map_err(|_| Refusal::Signer)?;
        if !self.signers.iter().any(|signer| vouched.leaf.id.name() == signer) {
            return Err(Refusal::Signer);
        }
        let key = Key::of_bytes(algorithm(vouched.scheme), &vouched.key).ok_or(Refusal::Signer)?;
        let expires = u64::try_from(vouched.leaf.not_after).unwrap_or_default();
        Ok(Signer { chain: chain.into(), id: vouched.leaf.id, key, until: expires.min(now + LOOKED_AT) })
    }

    fn user(&self, token: &str, signer: &Signer, now: u64) -> Result<(User, u64), Refusal> {
        let signed = Signed::read(token)?;
        if !signed.header.is(KIND) {
            return Err(Refusal::Type);
        }
        signed.holds(&signer.key)?;
        let claims = Claims::read(json::object(&signed.payload()?).ok_or(Refusal::Malformed)?)?;
        if claims.issuer != signer.id.to_string() {
            return Err(Refusal::Issuer);
        }
        claims.is_now(now, LEEWAY)?;
        claims.is_for(&self.service)?;
        let issued = claims.issued.ok_or(Refusal::Claim("iat"))?;
        if claims.expires.saturating_sub(issued) > LIFE.as_secs() {
            return Err(Refusal::Claim("exp"));
        }
        let scopes = scopes(&claims)?;
        Ok((User { id: claims.subject, roles: claims.roles, session: claims.session, scopes }, claims.expires))
    }
}

impl Signer {
    /// Whether these are its certificates, and it is who brings them.
    fn is(&self, peer: &SpiffeId, chain: &str) -> bool {
        self.id == *peer && *self.chain == *chain
    }
}

/// What it binds to (`scope`, as RFC 8693 has it). Something else than texts is not taken for nothing.
fn scopes(claims: &Claims) -> Result<Option<Vec<String>>, Refusal> {
    match claims.all.get("scope") {
        None => Ok(None),
        Some(Value::String(scopes)) => Ok(Some(scopes.split_ascii_whitespace().map(str::to_owned).collect())),
        Some(_) => Err(Refusal::Claim("scope")),
    }
}

impl Known {
    fn none(by: Credentials) -> Self {
        Self { by, chains: Recent::new(CHAINS), tokens: Recent::new(TOKENS) }
    }
}

impl std::fmt::Debug for Checker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker")
            .field("service", &self.service)
            .field("signers", &self.signers)
            .finish_non_exhaustive()
    }
}
