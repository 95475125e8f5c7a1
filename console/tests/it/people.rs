//! Accounts that a test makes up, in place of identity.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contracts::tradewind::identity::v1::{ListEndedSessionsResponse, LogInRequest, Role, Tokens};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use prost_types::Timestamp;
use rustls::pki_types::UnixTime;
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
    /// Refresh tokens of those who have left.
    pub(crate) left: Vec<String>,
    /// From where somebody has tried last.
    pub(crate) from: Option<IpAddr>,
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

fn tokens(session: &str, is_staff: bool) -> Tokens {
    let seconds = i64::try_from((UnixTime::now().as_secs()) + LIFE.as_secs()).unwrap();
    Tokens {
        access_token: "not looked at".to_owned(),
        expire_time: Some(Timestamp { seconds, nanos: 0 }),
        refresh_token: session.to_owned(),
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
            ("staff", PASSWORD) => Ok(tokens(&session, true)),
            ("colleague", PASSWORD) => Ok(Tokens { account_id: "a-2".to_owned(), ..tokens(&session, true) }),
            ("customer", PASSWORD) => Ok(tokens(&session, false)),
            ("once", PASSWORD) => match request.new_password.as_str() {
                "" => Err(refused(ErrorKind::Rejected, "NEW_PASSWORD_REQUIRED")),
                "short" => Err(refused(ErrorKind::Invalid, "PASSWORD_TOO_SHORT")),
                _ => Ok(tokens(&session, true)),
            },
            _ => Err(refused(ErrorKind::Unauthenticated, "CREDENTIALS_INVALID")),
        };
        std::future::ready(told).boxed()
    }

    fn refresh(&self, refresh_token: String) -> BoxFuture<'static, Result<Tokens, Status>> {
        let known = self.0.lock().unwrap();
        let told = if known.away {
            Err(refused(ErrorKind::Unavailable, "AWAY"))
        } else if known.over.contains(&refresh_token) {
            Err(refused(ErrorKind::Unauthenticated, "REFRESH_TOKEN_INVALID"))
        } else {
            Ok(tokens(&refresh_token, !known.revoked))
        };
        std::future::ready(told).boxed()
    }

    fn log_out(&self, refresh_token: String) -> BoxFuture<'static, Result<(), Status>> {
        self.0.lock().unwrap().left.push(refresh_token);
        std::future::ready(Ok(())).boxed()
    }
}
