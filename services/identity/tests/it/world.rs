//! Accounts without servers, at a time that a test says.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use contracts::tradewind::identity::v1::{
    CreateStaffAccountResponse, EmailChangeRequested, EmailChanged, PasswordChanged, PasswordResetRequested,
    SignUpRepeated, Tokens as Given, VerificationRequested,
};
use identity::app::{self, LogIn, Means, Origin, Rules, SignUp};
use identity::domain::Email;
use identity::passwords::{Cost, Passwords};
use identity::tokens::{Algorithm, Issue, Tokens};
use time::OffsetDateTime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tradewind_domain::{Error, EventSet, Sensitive};
use tradewind_store::{Clock, Sealing, Store, StoreOptions};
use tradewind_testing::{Database, eventually};

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const ISSUER: &str = "https://shop.example.com";
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);
const DEADLINE: Duration = Duration::from_secs(20);

tradewind_domain::events! {
    /// What people are told.
    pub(crate) enum Told {
        Verification(VerificationRequested),
        Repeated(SignUpRepeated),
        Reset(PasswordResetRequested),
        Changed(PasswordChanged),
        EmailChange(EmailChangeRequested),
        EmailChanged(EmailChanged),
    }
}

/// What a test world is like.
#[derive(Clone, Copy)]
pub(crate) struct Ways {
    pub(crate) memory: u32,
    /// Hashes that wait for their turn.
    pub(crate) waiting: usize,
    pub(crate) algorithm: Algorithm,
    /// How events are sealed; not at all unless it is said.
    pub(crate) sealing: Option<Sealing>,
}

impl Default for Ways {
    fn default() -> Self {
        Self { memory: 64, waiting: 4_096, algorithm: Algorithm::Ed25519, sealing: None }
    }
}

pub(crate) struct World {
    pub(crate) means: Arc<Means>,
    /// Seconds since the Unix epoch.
    now: Arc<AtomicI64>,
    _sequencing: DropGuard,
}

impl World {
    pub(crate) async fn open(database: &Database) -> Self {
        Self::with(database, Ways::default()).await
    }

    pub(crate) async fn with(database: &Database, ways: Ways) -> Self {
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        Self::at(database, ways, now).await
    }

    /// Another process on the same database, at the same time.
    pub(crate) async fn replica(&self, database: &Database, ways: Ways) -> Self {
        Self::at(database, ways, Arc::clone(&self.now)).await
    }

    async fn at(database: &Database, ways: Ways, now: Arc<AtomicI64>) -> Self {
        let seconds = Arc::clone(&now);
        let clock = move || OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::Relaxed)).unwrap();
        let options = StoreOptions {
            url: database.url(),
            context: "identity",
            migrations: identity::store::migrations(),
            clock: Clock::from_fn(clock),
            partitions: None,
        };
        let store = Store::open_sealing(options, ways.sealing);
        let (store, stop) = (store.await.expect("the database opens"), CancellationToken::new());
        let (sequenced, stopped) = (store.clone(), stop.clone());
        tokio::spawn(async move { sequenced.sequence(stopped).await });
        let cost = Cost {
            memory: NonZeroU32::new(ways.memory).unwrap(),
            passes: NonZeroU32::MIN,
            threads: NonZeroUsize::new(2).unwrap(),
            waiting: ways.waiting,
        };
        let issue = Issue {
            issuer: ISSUER.to_owned(),
            lifetime: Duration::from_secs(600),
            algorithm: ways.algorithm,
            key_lifetime: 30 * DAY,
        };
        let rules = Rules { code: Duration::from_secs(600), one_time_password: DAY, idle: 14 * DAY, session: 90 * DAY };
        let tokens = Tokens::new(store.clone(), issue);
        let means = Arc::new(Means { store, passwords: Passwords::new(cost).unwrap(), tokens, rules });
        Self { means, now, _sequencing: stop.drop_guard() }
    }

    /// Keeps passwords from being looked at until it is dropped.
    pub(crate) async fn pause(&self) -> impl Send + use<> {
        let passwords = &self.means.passwords;
        [passwords.pause().await.unwrap(), passwords.pause().await.unwrap()]
    }

    /// Waits until so many wait for a password to be looked at.
    pub(crate) async fn sees_waiting(&self, count: usize) {
        let waiting = || self.means.passwords.waiting();
        eventually(DEADLINE, "passwords wait", async || if waiting() == count { Ok(()) } else { Err(waiting()) }).await;
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.now.fetch_add(time.as_secs().try_into().unwrap(), Ordering::Relaxed);
    }

    /// Asks for an account; what goes along with the code.
    pub(crate) async fn sign_up(&self, address: &str, password: &str) -> Result<String, Error> {
        // What follows is told later than what went before.
        self.pass(Duration::from_secs(1));
        let wanted = SignUp { email: email(address), password: secret(password), name: "Ada".to_owned(), from: home() };
        Ok(app::sign_up(&self.means, wanted).await?.verification_id)
    }

    /// An account.
    pub(crate) async fn account(&self, address: &str) -> String {
        let ticket = self.sign_up(address, PASSWORD).await.unwrap();
        let code = self.code(address).await;
        app::verify_email(&self.means, &ticket, &code, home()).await.unwrap().account_id
    }

    pub(crate) async fn staff(&self, password: Option<&str>) -> CreateStaffAccountResponse {
        let staff = email("staff@example.com");
        app::create_staff_account(&self.means, &staff, "", password.map(secret)).await.unwrap()
    }

    pub(crate) async fn log_in(&self, address: &str, password: &str) -> Result<Given, Error> {
        self.log_in_from(home(), address, password).await
    }

    pub(crate) async fn log_in_from(&self, from: Origin, address: &str, password: &str) -> Result<Given, Error> {
        let wanted = LogIn {
            email: email(address),
            password: secret(password),
            device: "laptop".to_owned(),
            new_password: None,
            from,
        };
        Ok(app::log_in(&self.means, wanted).await?.tokens.unwrap())
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<Given, &'static str> {
        let refreshed = app::refresh(&self.means, token).await.map_err(|error| error.reason)?;
        Ok(refreshed.tokens.unwrap())
    }

    /// The code that was sent to an address just now.
    pub(crate) async fn code(&self, address: &str) -> String {
        eventually(DEADLINE, "a code is sent", async || {
            let told = self.told(address).await;
            let now = self.means.store.now();
            let code = told.iter().rev().filter(|(time, _)| *time == now).find_map(|(_, told)| match told {
                Told::Verification(VerificationRequested { code, .. }) => Some(code.clone()),
                Told::Reset(PasswordResetRequested { code, .. }) => Some(code.clone()),
                Told::EmailChange(EmailChangeRequested { code, .. }) => Some(code.clone()),
                Told::Repeated(_) | Told::Changed(_) | Told::EmailChanged(_) => None,
            });
            code.ok_or(told)
        })
        .await
    }

    /// Waits until so much was told to an address, and returns it.
    pub(crate) async fn sees_told(&self, address: &str, count: usize) -> Vec<Told> {
        eventually(DEADLINE, &format!("{count} messages are owed"), async || {
            let told = self.told(address).await;
            if told.len() == count { Ok(told.into_iter().map(|(_, said)| said).collect()) } else { Err(told) }
        })
        .await
    }

    /// Everything that was told to an address, oldest first.
    async fn told(&self, address: &str) -> Vec<(OffsetDateTime, Told)> {
        let mut told = Vec::new();
        for event in self.events().await {
            let Ok(event) = Told::decode(&event.type_name, &event.payload).map(|said| (event.time, said)) else {
                continue;
            };
            let (Told::Verification(VerificationRequested { person, .. })
            | Told::Repeated(SignUpRepeated { person, .. })
            | Told::Reset(PasswordResetRequested { person, .. })
            | Told::EmailChange(EmailChangeRequested { person, .. })
            | Told::EmailChanged(EmailChanged { person, .. })
            | Told::Changed(PasswordChanged { person, .. })) = &event.1;
            if person.as_ref().is_some_and(|person| person.email == address) {
                told.push(event);
            }
        }
        told.sort_by_key(|(time, _)| *time);
        told
    }

    /// The names of what happened to an account, once there are so many.
    pub(crate) async fn history(&self, account_id: &str) -> Vec<String> {
        let stream = format!("account-{account_id}").into();
        let history = self.means.store.history(&stream).await.unwrap();
        history.into_iter().map(|event| event.type_name.rsplit('.').next().unwrap().to_owned()).collect()
    }

    /// Everything that the log has.
    pub(crate) async fn events(&self) -> Vec<tradewind_store::Recorded> {
        let store = &self.means.store;
        let mut events = Vec::new();
        for partition in 0..store.partitions() {
            events.extend(store.read_log(partition, 0, 10_000).await.unwrap().events);
        }
        events
    }
}

pub(crate) fn email(text: &str) -> Email {
    Email::read(text).unwrap()
}

pub(crate) fn secret(text: &str) -> Sensitive<String> {
    text.to_owned().into()
}

/// Where Ada usually is.
pub(crate) fn home() -> Origin {
    at([192, 0, 2, 7])
}

pub(crate) fn at(address: [u8; 4]) -> Origin {
    Origin { address: IpAddr::from(address) }
}
