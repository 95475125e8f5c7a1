//! Passwords are hashed by Argon2id, a few at a time on threads of their own: however many sign in, what does not hash is served.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tradewind_domain::{Error, ErrorKind, Sensitive};

use crate::{metrics, secrets};

/// What a hash costs, and how many there are at once.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory: NonZeroU32,
    /// Times over it.
    pub passes: NonZeroU32,
    /// Hashes at a time.
    pub threads: NonZeroUsize,
    /// Hashes that wait for their turn; more are refused.
    pub waiting: usize,
}

/// Hashes passwords.
pub struct Passwords(Arc<Pool>);

struct Pool {
    hasher: Argon2<'static>,
    /// Looked at where there is nothing to look at; nobody knows the password.
    decoy: String,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    hashed: AtomicU64,
}

/// What came of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is the one.
    pub matches: bool,
    /// It was hashed at less cost than it would be now.
    pub is_cheap: bool,
}

impl Passwords {
    /// Hashes at this cost.
    ///
    /// # Errors
    /// When there is no such hash.
    pub fn new(cost: Cost) -> Result<Self, Error> {
        let params = Params::new(cost.memory.get(), cost.passes.get(), 1, None).map_err(Error::internal)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&hasher, secrets::token()?.as_bytes())?;
        Ok(Self(Arc::new(Pool {
            hasher,
            decoy,
            turns: Arc::new(Semaphore::new(cost.threads.get())),
            waiting: AtomicUsize::new(0),
            most_waiting: cost.waiting,
            hashed: AtomicU64::new(0),
        })))
    }

    /// The hash of a password, as it is kept.
    ///
    /// # Errors
    /// `Exhausted` with reason `TOO_MANY_SIGN_INS` when too many wait.
    pub async fn hash(&self, password: &Sensitive<String>) -> Result<String, Error> {
        let password = password.clone();
        self.work(move |pool| hash(&pool.hasher, password.expose().as_bytes())).await?
    }

    /// Says whether a password is the one that was hashed. Where there is none, it takes the same work to say that it is not.
    ///
    /// # Errors
    /// As of [`hash`](Self::hash).
    pub async fn verify(&self, password: &Sensitive<String>, kept: Option<&str>) -> Result<Verdict, Error> {
        let (password, kept) = (password.clone(), kept.map(str::to_owned));
        self.work(move |pool| {
            let looked_at = kept.as_ref().unwrap_or(&pool.decoy);
            let hash = PasswordHash::new(looked_at).map_err(Error::internal)?;
            let matches = pool.hasher.verify_password(password.expose().as_bytes(), &hash).is_ok();
            let is_cheap = Params::try_from(&hash).is_ok_and(|params| is_cheaper(&params, pool.hasher.params()));
            Ok(Verdict { matches: matches && kept.is_some(), is_cheap })
        })
        .await?
    }

    /// Takes a turn, as each hash does, and keeps it until it is dropped.
    ///
    /// # Errors
    /// As of [`hash`](Self::hash).
    pub async fn pause(&self) -> Result<impl Send + use<>, Error> {
        self.turn().await
    }

    /// How many wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// How many were hashed.
    #[must_use]
    pub fn hashed(&self) -> u64 {
        self.0.hashed.load(Ordering::Relaxed)
    }

    /// Does work in turn, on a thread of its own. Nobody need wait for it: its turn is over when it is done.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&Pool) -> T + Send + 'static) -> Result<T, Error> {
        let turn = self.turn().await?;
        let pool = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            pool.hashed.fetch_add(1, Ordering::Relaxed);
            metrics::hashed("hashed");
            work(&pool)
        });
        done.await.map_err(Error::internal)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        let turns = Arc::clone(&self.0.turns);
        if let Ok(turn) = Arc::clone(&turns).try_acquire_owned() {
            return Ok(turn);
        }
        let Some(_place) = Place::of(&self.0) else {
            metrics::hashed("refused");
            let text = "too many sign in at once; try again in a moment";
            return Err(Error::new(ErrorKind::Exhausted, "TOO_MANY_SIGN_INS", text).again(Duration::from_secs(1)));
        };
        // It is never closed.
        turns.acquire_owned().await.map_err(Error::internal)
    }
}

/// A place among those who wait.
struct Place<'a>(&'a Pool);

impl<'a> Place<'a> {
    fn of(pool: &'a Pool) -> Option<Self> {
        let before = pool.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(pool);
        (before < pool.most_waiting).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hash(hasher: &Argon2<'_>, password: &[u8]) -> Result<String, Error> {
    Ok(hasher.hash_password(password).map_err(Error::internal)?.to_string())
}

fn is_cheaper(kept: &Params, now: &Params) -> bool {
    kept.m_cost() < now.m_cost() || kept.t_cost() < now.t_cost()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cost(memory: u32, waiting: usize) -> Cost {
        let one = NonZeroUsize::MIN;
        Cost { memory: memory.try_into().unwrap(), passes: NonZeroU32::MIN, threads: one, waiting }
    }

    fn password(text: &str) -> Sensitive<String> {
        text.to_owned().into()
    }

    #[tokio::test]
    async fn a_password_is_known_by_its_hash() {
        let passwords = Passwords::new(cost(64, 8)).unwrap();
        let kept = passwords.hash(&password("correct horse")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        let right = passwords.verify(&password("correct horse"), Some(&kept)).await.unwrap();
        assert_eq!(right, Verdict { matches: true, is_cheap: false });
        for other in ["correct house", "Correct horse", "correct horse ", "correct hors", "correct  horse"] {
            assert!(!passwords.verify(&password(other), Some(&kept)).await.unwrap().matches, "{other:?}");
        }
    }

    #[tokio::test]
    async fn nothing_to_look_at_takes_as_many_hashes_and_never_matches() {
        let passwords = Passwords::new(cost(64, 8)).unwrap();
        let kept = passwords.hash(&password("correct horse")).await.unwrap();
        for kept in [Some(kept.as_str()), None] {
            let before = passwords.hashed();
            assert!(!passwords.verify(&password("wrong horse"), kept).await.unwrap().matches);
            assert_eq!(passwords.hashed() - before, 1);
        }
    }

    #[tokio::test]
    async fn what_was_hashed_at_less_cost_is_told() {
        let kept = Passwords::new(cost(64, 8)).unwrap().hash(&password("correct horse")).await.unwrap();
        let dearer = Passwords::new(cost(128, 8)).unwrap();
        let verdict = dearer.verify(&password("correct horse"), Some(&kept)).await.unwrap();
        assert_eq!(verdict, Verdict { matches: true, is_cheap: true });
    }

    #[tokio::test]
    async fn who_is_one_too_many_is_turned_away_at_once() {
        let passwords = Passwords::new(cost(64, 1)).unwrap();
        let held = Arc::clone(&passwords.0.turns).acquire_owned().await.unwrap();
        let one = password("correct horse");
        let mut waits = Box::pin(passwords.hash(&one));
        assert!(futures::poll!(&mut waits).is_pending());
        assert_eq!(passwords.hash(&one).await.unwrap_err().reason, "TOO_MANY_SIGN_INS");
        drop(held);
        waits.await.unwrap();
        passwords.hash(&one).await.unwrap();
    }
}
