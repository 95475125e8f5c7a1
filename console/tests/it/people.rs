//! Accounts that a test makes up, in place of identity.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contracts::tradewind::identity::v1::{ListEndedSessionsResponse, LogInRequest, Role, Tokens};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use prost_types::Timestamp;
use rustls::pki_types::UnixTime;
use tokio::time::{Instant, sleep};
use tonic::Status;
use tradewind_console::{Accounts, Staff};
use tradewind_domain::{Error, ErrorKind};
use tradewind_mesh::status;

/// How long a token is good.
pub(crate) const LIFE: Duration = Duration::from_secs(600);
pub(crate) const PASSWORD: &str = "right horse";

/// What identity knows, and what it was asked.
#[derive(Default)]
pub(crate) struct Known {
    sessions: usize,
    /// Those that are over.
    pub(crate) over: BTreeSet<String>,
    /// Whether staff are staff no longer.
    pub(crate) revoked: bool,
    /// Whether it answers nobody.
    pub(crate) away: bool,
    /// Sessions of those who have left.
    pub(crate) left: Vec<String>,
    /// From where somebody has tried last.
    pub(crate) from: Option<IpAddr>,
    /// Whether it exchanges a token and its answer is lost.
    pub(crate) loses: bool,
    /// The session of which it is asked and never answers.
    pub(crate) silent: Option<String>,
    /// How often it was asked for the next tokens, by session.
    pub(crate) asked: BTreeMap<String, usize>,
    /// How many tokens of a session were exchanged, and when the last one.
    exchanged: BTreeMap<String, (usize, Instant)>,
}

/// For how long it gives an answer again, and after what time nobody waits for one.
const GRACE: Duration = Duration::from_secs(10);
const LOST_AFTER: Duration = Duration::from_secs(5);

impl Known {
    /// The tokens that follow this one, and whether they were made now. None where it was exchanged long ago: the session is over.
    fn exchange(&mut self, refresh_token: &str) -> Option<(Tokens, bool)> {
        let (session, number) = refresh_token.split_once('.').unwrap();
        let number: usize = number.parse().unwrap();
        let (made, at) = self.exchanged.get(session).copied().unwrap_or((0, Instant::now()));
        let is_new = number == made;
        if self.over.contains(session) || !(is_new || number + 1 == made && at.elapsed() <= GRACE) {
            self.over.insert(session.to_owned());
            return None;
        }
        if is_new {
            self.exchanged.insert(session.to_owned(), (made + 1, Instant::now()));
        }
        Some((tokens(session, number + 1, !self.revoked), is_new))
    }
}

#[derive(Clone, Default)]
pub(crate) struct People(pub(crate) Arc<Mutex<Known>>);

impl People {
    pub(crate) fn staff(&self) -> Staff {
        let known = self.0.clone();
        let tell = move |_| {
            let session_ids = known.lock().unwrap().over.iter().cloned().collect();
            std::future::ready(Ok(ListEndedSessionsResponse { session_ids, until: None })).boxed()
        };
        Staff::of(Arc::new(self.clone()), Arc::new(tell))
    }

    pub(crate) fn now(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.0.lock().unwrap());
    }
}

fn refused(kind: ErrorKind, reason: &'static str) -> Status {
    status(Error::new(kind, reason, "in identity's words"))
}

fn tokens(session: &str, number: usize, is_staff: bool) -> Tokens {
    let seconds = i64::try_from((UnixTime::now().as_secs()) + LIFE.as_secs()).unwrap();
    Tokens {
        access_token: "not looked at".to_owned(),
        expire_time: Some(Timestamp { seconds, nanos: 0 }),
        refresh_token: format!("{session}.{number}"),
        session_id: session.to_owned(),
        account_id: "a-1".to_owned(),
        roles: is_staff.then(|| Role::Staff.into()).into_iter().collect(),
    }
}

impl Accounts for People {
    fn log_in(&self, request: LogInRequest, from: IpAddr) -> BoxFuture<'static, Result<Tokens, Status>> {
        let mut known = self.0.lock().unwrap();
        known.from = Some(from);
        known.sessions += 1;
        let session = format!("s-{}", known.sessions);
        let told = match (request.email.split('@').next().unwrap(), request.password.as_str()) {
            ("busy", _) => Err(refused(ErrorKind::Exhausted, "TOO_MANY_ATTEMPTS")),
            ("away", _) => Err(refused(ErrorKind::Unavailable, "AWAY")),
            ("staff", PASSWORD) => Ok(tokens(&session, 0, true)),
            ("colleague", PASSWORD) => Ok(Tokens { account_id: "a-2".to_owned(), ..tokens(&session, 0, true) }),
            ("customer", PASSWORD) => Ok(tokens(&session, 0, false)),
            ("once", PASSWORD) => match request.new_password.as_str() {
                "" => Err(refused(ErrorKind::Rejected, "NEW_PASSWORD_REQUIRED")),
                "short" => Err(refused(ErrorKind::Invalid, "PASSWORD_TOO_SHORT")),
                _ => Ok(tokens(&session, 0, true)),
            },
            _ => Err(refused(ErrorKind::Unauthenticated, "CREDENTIALS_INVALID")),
        };
        std::future::ready(told).boxed()
    }

    fn refresh(&self, refresh_token: String) -> BoxFuture<'static, Result<Tokens, Status>> {
        let mut known = self.0.lock().unwrap();
        let session = refresh_token.split('.').next().unwrap().to_owned();
        *known.asked.entry(session.clone()).or_default() += 1;
        if known.silent.as_ref() == Some(&session) {
            return std::future::pending().boxed();
        }
        if known.away {
            return std::future::ready(Err(refused(ErrorKind::Unavailable, "AWAY"))).boxed();
        }
        match known.exchange(&refresh_token) {
            None => std::future::ready(Err(refused(ErrorKind::Unauthenticated, "REFRESH_TOKEN_INVALID"))).boxed(),
            Some((_, true)) if known.loses => {
                async { Err(sleep(LOST_AFTER).map(|()| Status::deadline_exceeded("no answer")).await) }.boxed()
            }
            Some((tokens, _)) => std::future::ready(Ok(tokens)).boxed(),
        }
    }

    fn log_out(&self, refresh_token: String) -> BoxFuture<'static, Result<(), Status>> {
        let session = refresh_token.split('.').next().unwrap().to_owned();
        self.0.lock().unwrap().left.push(session);
        std::future::ready(Ok(())).boxed()
    }
}
