//! Who asks, and what they may ask for. A token is believed of the issuers that the settings name, and of no other; what is said of
//! its bearer inside is said by the channel that calls.

mod belief;
mod issuers;
mod keys;
mod partners;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contracts::tradewind::options::v1::Audience;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use rustls::pki_types::UnixTime;
use tokio::time::Instant;
use tonic::{Code, Status};
use tradewind_edge::{Ended, TellEnded};
use tradewind_mesh::User;
use tradewind_tokens::{Claims, Recent, Refusal, Refused, Verifier};

pub(crate) use self::belief::Belief;
use self::belief::over;
pub use self::issuers::{Fetch, Issuers, Trusted};
use self::keys::Keys;
pub(crate) use self::keys::{client, of_identity, of_url};
use self::partners::Partners;
pub(crate) use self::partners::of_identity as partners_of_identity;
pub use self::partners::{FindKey, Found};
use crate::refused::refusal_of;

/// The role of the shop's staff.
const STAFF: &str = "staff";
/// How long somebody is believed, in seconds, who has opened a stream by a key: it may be revoked meanwhile.
const KEY: u64 = 15 * 60;
/// Tokens that are kept as verified.
const TOKENS: usize = 4_096;
/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;
/// The longest id that a customer may have.
const LONGEST_ID: usize = 64;
/// Where a program may show a key, beside where tokens are.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Whoever makes a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whom it is made for, if they have signed in.
    pub user: Option<Arc<User>>,
    /// Where it comes from.
    pub address: IpAddr,
}

/// Somebody who has signed in.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: Arc<User>,
    /// Until when that is believed, in seconds since 1970.
    until: u64,
}

/// What was verified by the keys that hold now.
struct Known {
    /// Counts how often the keys were others.
    keys: u64,
    /// By their tokens.
    users: Recent<SignedIn>,
}

/// Whose tokens are believed.
pub struct Who {
    verifier: Arc<Verifier>,
    keys: Keys,
    known: Arc<Mutex<Known>>,
    issuers: Vec<Trusted>,
    /// None where no key is good.
    partners: Option<Partners>,
    /// None where nobody says which sessions are over.
    ended: Option<Ended>,
}

/// What somebody shows to say who they are.
enum Shown<'a> {
    Token(&'a str),
    Key(&'a str),
}

impl Who {
    /// Believes these issuers, whose keys are fetched and followed from now on. Must be called within a tokio runtime.
    #[must_use]
    pub fn trusting(issuers: Vec<Trusted>) -> Self {
        let verifier = Arc::new(Verifier::new(issuers.iter().map(|trusted| trusted.issuer.clone())));
        let known = Arc::new(Mutex::new(Known { keys: 0, users: Recent::new(TOKENS) }));
        let forget = {
            let known = known.clone();
            move || {
                let mut known = locked(&known);
                *known = Known { keys: known.keys + 1, users: Recent::new(TOKENS) };
            }
        };
        let keys = Keys::follow(&issuers, verifier.clone(), forget);
        Self { verifier, keys, known, issuers, partners: None, ended: None }
    }

    /// Also heeds which sessions are over, as `tell` says. Must be called within a tokio runtime.
    #[must_use]
    pub fn heeding(self, tell: TellEnded) -> Self {
        Self { ended: Some(Ended::follow(tell)), ..self }
    }

    /// Also knows the keys of partners that `find` finds.
    #[must_use]
    pub fn finding(self, find: FindKey) -> Self {
        Self { partners: Some(Partners::new(find)), ..self }
    }

    /// Who asks for what is for `audience`; nobody in particular where they say nothing. Of what is for everybody, no token is looked
    /// at: one that is over must not keep anybody from signing in again.
    ///
    /// # Errors
    /// A token that cannot be verified or whose session is over, or a key that is not known.
    pub(crate) async fn user(&self, audience: Audience, headers: &HeaderMap) -> Result<Option<SignedIn>, Status> {
        if audience == Audience::Public {
            return Ok(None);
        }
        let now = UnixTime::now().as_secs();
        let token = match shown(headers)? {
            None => return Ok(None),
            Some(Shown::Token(token)) => token,
            Some(Shown::Key(key)) => {
                let partners = self.partners.as_ref().ok_or_else(partners::unknown)?;
                let (user, expires) = partners.user(key).await?;
                return Ok(Some(SignedIn { user, until: expires.unwrap_or(u64::MAX).min(now + KEY) }));
            }
        };
        let (found, mut keys) = self.known(token);
        if let Some(found) = found.filter(|found| now < found.until) {
            return self.still(found).map(Some);
        }
        let claims = match self.verifier.verify(token, now) {
            // It may be signed by a key that is new.
            Err(Refused { why: Refusal::UnknownKey, issuer: Some(issuer) }) => {
                self.keys.fetch(&issuer).await?;
                keys = self.known(token).1;
                self.verifier.verify(token, now)
            }
            verified => verified,
        };
        let claims = claims.map_err(|Refused { why, .. }| refused(why))?;
        let until = claims.expires.saturating_add(LEEWAY);
        let found = SignedIn { user: Arc::new(self.meant(claims, now).map_err(refused)?), until };
        let mut known = locked(&self.known);
        // By keys that are gone meanwhile, nothing is known.
        if known.keys == keys {
            known.users.put(token, found.clone());
        }
        drop(known);
        self.still(found).map(Some)
    }

    /// The same, unless the session is over.
    fn still(&self, found: SignedIn) -> Result<SignedIn, Status> {
        let ended = self.ended.as_ref().zip(found.user.session.as_ref());
        if ended.is_some_and(|(ended, session)| ended.has(session)) { Err(over()) } else { Ok(found) }
    }

    /// For how long they are believed; for ever where nobody has to be.
    pub(crate) fn belief(&self, signed_in: Option<&SignedIn>) -> Belief {
        let left = |found: &SignedIn| Duration::from_secs(found.until.saturating_sub(UnixTime::now().as_secs()));
        let until = signed_in.and_then(|found| Instant::now().checked_add(left(found)));
        let session = signed_in.and_then(|found| found.user.session.clone());
        Belief::new(until, self.ended.clone().zip(session))
    }

    /// What is known of a token, and by which keys.
    fn known(&self, token: &str) -> (Option<SignedIn>, u64) {
        let mut known = locked(&self.known);
        (known.users.get(token), known.keys)
    }

    /// Whom an issuer means. Those of others than our own are told apart by its name, and may be what it says only where it is trusted
    /// with that.
    fn meant(&self, claims: Claims, now: u64) -> Result<User, Refusal> {
        let trusted = self.issuers.iter().find(|trusted| trusted.issuer.name == claims.issuer);
        let trusted = trusted.ok_or(Refusal::Issuer)?;
        // From now on, where it does not say since when.
        if claims.expires.saturating_sub(claims.issued.unwrap_or(now)) > trusted.longest {
            return Err(Refusal::Claim("exp"));
        }
        let id = trusted.prefix.as_ref().map(|prefix| format!("{prefix}:{}", claims.subject)).unwrap_or(claims.subject);
        if id.len() > LONGEST_ID || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::Claim("sub"));
        }
        let roles = if trusted.gives_roles { claims.roles } else { Vec::new() };
        Ok(User { id, roles, session: claims.session, scopes: None })
    }
}

fn locked(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is shown, in one place and once.
fn shown(headers: &HeaderMap) -> Result<Option<Shown<'_>>, Status> {
    let malformed = || refused(Refusal::Malformed);
    let (mut bearers, mut keys) = (headers.get_all(AUTHORIZATION).iter(), headers.get_all(API_KEY).iter());
    let shown = match (bearers.next(), keys.next()) {
        (None, None) => return Ok(None),
        (Some(said), None) => {
            let said = said.to_str().ok().and_then(bearer).ok_or_else(malformed)?;
            if said.starts_with(partners::BEGINS) { Shown::Key(said) } else { Shown::Token(said) }
        }
        (None, Some(said)) => Shown::Key(said.to_str().map_err(|_| malformed())?),
        (Some(_), Some(_)) => return Err(malformed()),
    };
    if bearers.next().is_some() || keys.next().is_some() { Err(malformed()) } else { Ok(Some(shown)) }
}

/// The token of `Bearer TOKEN`.
fn bearer(said: &str) -> Option<&str> {
    let (scheme, token) = said.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refused(why: Refusal) -> Status {
    refusal_of(Code::Unauthenticated, why.reason(), &why.to_string())
}

/// Lets them call what is meant for them.
///
/// # Errors
/// What they would have to be.
pub(crate) fn admit(audience: Audience, user: Option<&User>) -> Result<(), Status> {
    match (audience, user) {
        (Audience::Public, _) | (Audience::Customer, Some(_)) => Ok(()),
        (Audience::Staff, Some(user)) if user.is(STAFF) => Ok(()),
        (Audience::Staff, Some(_)) => Err(refusal_of(Code::PermissionDenied, "ROLE_MISSING", "this is for staff")),
        (Audience::Customer | Audience::Staff, None) => {
            Err(refusal_of(Code::Unauthenticated, "NOT_SIGNED_IN", "this is for whoever has signed in"))
        }
        (Audience::Internal | Audience::Unspecified, _) => Err(unknown()),
    }
}

/// Nothing of that name is offered.
fn unknown() -> Status {
    refusal_of(Code::Unimplemented, "METHOD_UNKNOWN", "there is no such method")
}
