//! Access tokens, and the keys that sign them: made before they are needed, shared by all replicas by way of the database, and
//! removed when no token needs them any more.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use contracts::tradewind::identity::v1::Key;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tradewind_domain::{Error, Sensitive};
use tradewind_store::{Store, Tx};
use tradewind_tokens::Signer;
use uuid::Uuid;

use crate::domain::schedule::{self, Term};
use crate::domain::{Role, Roles};
use crate::seals::Seals;
use crate::store::signing_keys;

/// How long a replica goes by what it has read of the keys.
const FRESH: Duration = Duration::from_secs(60);

/// Times that another replica can be faster at making a key.
const ATTEMPTS: usize = 8;

/// Access tokens are of this type (RFC 9068).
const KIND: &str = "at+jwt";
/// Whom they are for.
const AUDIENCE: &str = "tradewind";

/// What keys sign by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "Ed25519" => Ok(Self::Ed25519),
            "ES256" => Ok(Self::Es256),
            _ => Err(format!("{text:?} is neither Ed25519 nor ES256")),
        }
    }
}

/// What tokens say beside whom they are for.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Who issues them: an URL.
    pub issuer: String,
    /// How long they are good.
    pub lifetime: Duration,
    /// What keys are made for.
    pub algorithm: Algorithm,
    /// How long each key signs.
    pub key_lifetime: Duration,
}

/// Whom a token is for.
pub(crate) struct Holder<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) session_id: &'a str,
    pub(crate) roles: &'a Roles,
}

/// Signs access tokens.
pub struct Tokens {
    store: Store,
    issue: Issue,
    seals: Seals,
    known: ArcSwapOption<Known>,
    reading: Mutex<()>,
}

/// The keys, as they were read.
struct Known {
    read: OffsetDateTime,
    keys: Vec<(Term, Arc<Signer>)>,
}

impl Tokens {
    /// Signs with the keys that `store` keeps.
    #[must_use]
    pub fn new(store: Store, issue: Issue) -> Self {
        Self { store, issue, seals: Seals::default(), known: ArcSwapOption::empty(), reading: Mutex::new(()) }
    }

    /// Has those keys sealed by these. What lies there as it is, or is sealed by a former one, is sealed anew.
    #[must_use]
    pub fn sealed_by(self, seals: Seals) -> Self {
        Self { seals, ..self }
    }

    /// A token for somebody, and until when it is good.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub(crate) async fn sign(&self, holder: Holder<'_>) -> Result<(Sensitive<String>, OffsetDateTime), Error> {
        let (known, now) = (self.known().await?, self.store.now());
        let term = schedule::signer(known.keys.iter().map(|(term, _)| *term), now);
        let signer = known.keys.iter().find(|(each, _)| Some(*each) == term).map(|(_, signer)| signer);
        let signer = signer.ok_or_else(|| Error::internal("no key signs"))?;
        let expires = now + self.issue.lifetime;
        let claims = [
            ("iss", json!(self.issue.issuer)),
            ("aud", json!(AUDIENCE)),
            ("sub", json!(holder.account_id)),
            ("sid", json!(holder.session_id)),
            ("roles", holder.roles.iter().map(Role::name).collect()),
            ("iat", json!(now.unix_timestamp())),
            ("exp", json!(expires.unix_timestamp())),
            ("jti", json!(Uuid::now_v7().to_string())),
        ];
        let claims: Map<_, _> = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok((signer.sign(KIND, &claims).map_err(Error::internal)?.into(), expires))
    }

    /// The public keys of all that may be signed or may have been.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn keys(&self) -> Result<Vec<Key>, Error> {
        Ok(self.known().await?.keys.iter().map(|(_, signer)| public(signer)).collect())
    }

    /// Makes a key in place of all there are, and returns its public half. Other replicas know of it within a minute.
    ///
    /// # Errors
    /// When the keys cannot be written; `Unavailable` with reason `TOO_MANY_AT_ONCE` when other replicas were faster each time.
    pub async fn replace(&self) -> Result<Vec<Key>, Error> {
        let _reading = self.reading.lock().await;
        for _ in 0..ATTEMPTS {
            let now = self.store.now();
            let rows = signing_keys::all(self.store.command_reader()).await?;
            let terms: Vec<_> = rows.iter().map(signing_keys::term).collect();
            let new = self.generate(schedule::instead(&terms, now, self.issue.key_lifetime))?;
            let old: Vec<_> = terms.iter().map(|term| term.generation).collect();
            // A key that another replica has just made is one of those that are to be replaced.
            if self.store.transact(async |tx: &mut Tx| change(tx, Some(&new), &old).await).await?.0 {
                let known = Arc::new(self.read().await?);
                self.known.store(Some(Arc::clone(&known)));
                return Ok(known.keys.iter().map(|(_, signer)| public(signer)).collect());
            }
        }
        Err(Error::unavailable("TOO_MANY_AT_ONCE", "too many make keys at once"))
    }

    /// The keys as they are in the database, or were a moment ago.
    async fn known(&self) -> Result<Arc<Known>, Error> {
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        let _reading = self.reading.lock().await;
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        let known = Arc::new(self.read().await?);
        self.known.store(Some(Arc::clone(&known)));
        Ok(known)
    }

    fn fresh(&self) -> Option<Arc<Known>> {
        let now = self.store.now();
        let is_fresh = |known: &Arc<Known>| {
            let signs = known.keys.iter().any(|(term, _)| schedule::is_on(*term, now));
            signs && (now - known.read).abs() < FRESH
        };
        self.known.load_full().filter(is_fresh)
    }

    /// Reads the keys, and makes and removes those that it is time for.
    async fn read(&self) -> Result<Known, Error> {
        let now = self.store.now();
        let mut rows = signing_keys::all(self.store.command_reader()).await?;
        for _ in 0..ATTEMPTS {
            let terms: Vec<_> = rows.iter().map(signing_keys::term).collect();
            let due = schedule::due(&terms, now, self.issue.key_lifetime);
            let over = terms.iter().filter(|term| schedule::is_over(**term, now)).map(|term| term.generation);
            let over: Vec<_> = over.collect();
            if due.is_none() && over.is_empty() {
                break;
            }
            let new = due.map(|due| self.generate(due)).transpose()?;
            self.store.transact(async |tx: &mut Tx| change(tx, new.as_ref(), &over).await).await?;
            rows = signing_keys::all(self.store.command_reader()).await?;
        }
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            let (term, what) = (signing_keys::term(row), row.generation.to_string());
            let pair = match self.seals.open(&row.pair.0, &what) {
                Ok(pair) => pair,
                Err(why) => {
                    // Another replica may have sealed it by what this one is to be given next.
                    keys.push((term, self.read_before(term).ok_or(why)?));
                    tracing::warn!(
                        generation = term.generation,
                        "a key is sealed by another seal now; as it was read before, it goes on"
                    );
                    continue;
                }
            };
            if !self.seals.holds(&row.pair.0) && !self.seals.is_empty() {
                let sealed = self.seals.seal(&pair, &what)?;
                let kept = async |tx: &mut Tx| signing_keys::keep(tx.conn(), term.generation, sealed.clone()).await;
                self.store.transact(kept).await?;
            }
            keys.push((term, Arc::new(Signer::from_pem(pair.expose()).map_err(Error::internal)?)));
        }
        Ok(Known { read: now, keys })
    }

    /// A key as it was read before, if it is the same.
    fn read_before(&self, term: Term) -> Option<Arc<Signer>> {
        let known = self.known.load_full()?;
        known.keys.iter().find(|(each, _)| each.generation == term.generation).map(|(_, signer)| signer.clone())
    }

    /// A new pair of keys for that time, as it is to lie in the database.
    fn generate(&self, term: Term) -> Result<(Term, String), Error> {
        let pair = generate(self.issue.algorithm)?;
        Ok((term, self.seals.seal(&pair, &term.generation.to_string())?))
    }
}

/// Adds a key and removes others; nothing, and `false`, where another replica has made one of its number. So no key goes but where
/// another is there to sign.
async fn change(tx: &mut Tx, new: Option<&(Term, String)>, over: &[i64]) -> Result<bool, Error> {
    if let Some((term, pair)) = new {
        if !signing_keys::insert(tx.conn(), *term, pair.clone()).await? {
            return Ok(false);
        }
        let (generation, from) = (term.generation, term.from);
        tx.after(move || tracing::info!(generation, %from, "a key to sign access tokens is made"));
    }
    for generation in over {
        signing_keys::remove(tx.conn(), *generation).await?;
    }
    Ok(true)
}

/// A new pair of keys, as PKCS #8 in PEM.
fn generate(algorithm: Algorithm) -> Result<Sensitive<String>, Error> {
    let pair = match algorithm {
        Algorithm::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
        Algorithm::Es256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
    };
    Ok(pair.map_err(Error::internal)?.serialize_pem().into())
}

/// What others verify by.
fn public(signer: &Signer) -> Key {
    let mut jwk = signer.public();
    let mut text = |name: &str| match jwk.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    Key {
        kid: text("kid"),
        kty: text("kty"),
        crv: text("crv"),
        x: text("x"),
        y: text("y"),
        alg: text("alg"),
        r#use: text("use"),
    }
}
