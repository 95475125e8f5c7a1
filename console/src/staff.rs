//! Staff, as identity knows them: whom a password lets in, how long that is believed, and when it is over. What a session is does not
//! belong here.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::identity::v1::identity_service_client::IdentityServiceClient;
use contracts::tradewind::identity::v1::{LogInRequest, LogOutRequest, RefreshRequest, Role, Tokens};
use futures::future::BoxFuture;
use rustls::pki_types::UnixTime;
use tokio::time::Instant;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Status};
use tradewind_domain::Sensitive;
use tradewind_edge::{Ended, TellEnded};
use tradewind_mesh::{Channel, User, reason};

/// The role of staff, as services know it.
const STAFF: &str = "staff";
/// What a session is called in the account's list.
const DEVICE: &str = "Tradewind console";
/// Where those at the edge say from where somebody asks.
const CLIENT_ADDRESS: &str = "tradewind-client-address";
/// For how long an answer that was lost is asked for again at once: identity gives it again for 10 s, and takes up to 5 s for it.
const AGAIN: Duration = Duration::from_secs(6);
/// How long before it is over a token is to be followed by the next one.
const EARLY: Duration = Duration::from_secs(120);

/// What is asked of identity.
pub trait Accounts: Send + Sync {
    /// Signs in somebody who asks from that address.
    fn log_in(&self, request: LogInRequest, from: IpAddr) -> BoxFuture<'static, Result<Tokens, Status>>;
    /// Gets the next tokens.
    fn refresh(&self, refresh_token: String) -> BoxFuture<'static, Result<Tokens, Status>>;
    /// Ends a session.
    fn log_out(&self, refresh_token: String) -> BoxFuture<'static, Result<(), Status>>;
}

/// Identity itself.
struct Identity(IdentityServiceClient<Channel>);

impl Accounts for Identity {
    fn log_in(&self, request: LogInRequest, from: IpAddr) -> BoxFuture<'static, Result<Tokens, Status>> {
        let (mut identity, mut request) = (self.0.clone(), Request::new(request));
        Box::pin(async move {
            let address = AsciiMetadataValue::try_from(from.to_string());
            request
                .metadata_mut()
                .insert(CLIENT_ADDRESS, address.map_err(|error| Status::internal(error.to_string()))?);
            Ok(identity.log_in(request).await?.into_inner().tokens.unwrap_or_default())
        })
    }

    fn refresh(&self, refresh_token: String) -> BoxFuture<'static, Result<Tokens, Status>> {
        let mut identity = self.0.clone();
        Box::pin(async move {
            let answer = identity.refresh(RefreshRequest { refresh_token }).await?;
            Ok(answer.into_inner().tokens.unwrap_or_default())
        })
    }

    fn log_out(&self, refresh_token: String) -> BoxFuture<'static, Result<(), Status>> {
        let mut identity = self.0.clone();
        Box::pin(async move { identity.log_out(LogOutRequest { refresh_token }).await.map(drop) })
    }
}

/// Whoever of the shop's own people may come in.
#[derive(Clone)]
pub struct Staff {
    accounts: Arc<dyn Accounts>,
    ended: Ended,
}

/// Somebody who has signed in.
#[derive(Clone)]
pub(crate) struct SignedIn {
    /// For whom calls are made.
    pub(crate) user: Arc<User>,
    refresh_token: Sensitive<String>,
    until: Instant,
}

/// Why nobody comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Address or password, or there is no such account, or it is locked: identity tells nobody which.
    Credentials,
    /// The account is a customer's.
    NotStaff,
    /// The password was made for one use: another has to be chosen.
    NewPassword,
    /// The one that was chosen will not do, for that reason.
    UnfitPassword(String),
    /// Too many have tried.
    Throttled,
    /// Identity does not answer.
    Away,
}

impl Refused {
    /// As metrics and logs have it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::NotStaff => "not_staff",
            Self::NewPassword => "new_password",
            Self::UnfitPassword(_) => "unfit_password",
            Self::Throttled => "throttled",
            Self::Away => "away",
        }
    }

    fn of(status: &Status, chooses: bool) -> Self {
        match (status.code(), reason(status).as_deref()) {
            (Code::FailedPrecondition, Some("NEW_PASSWORD_REQUIRED")) => Self::NewPassword,
            (Code::InvalidArgument, Some(why)) if chooses && why.starts_with("PASSWORD_") => {
                Self::UnfitPassword(status.message().to_owned())
            }
            (Code::Unauthenticated | Code::InvalidArgument | Code::FailedPrecondition, _) => Self::Credentials,
            (Code::ResourceExhausted, _) => Self::Throttled,
            _ => Self::Away,
        }
    }
}

/// What becomes of somebody who had signed in.
pub(crate) enum Next {
    /// They still are.
    Stays(SignedIn),
    /// They are no longer.
    Over,
    /// Nobody knows: what was believed is, for as long as it was to be.
    Unknown,
}

impl Staff {
    /// Staff as identity has them, over its channel. Must be called within a tokio runtime.
    #[must_use]
    pub fn of_identity(channel: Channel) -> Self {
        let tell = tradewind_edge::of_identity(channel.clone());
        Self::of(Arc::new(Identity(IdentityServiceClient::new(channel))), tell)
    }

    /// Staff as `accounts` has them, whose sessions are over when `tell` says so. Must be called within a tokio runtime.
    #[must_use]
    pub fn of(accounts: Arc<dyn Accounts>, tell: TellEnded) -> Self {
        Self { accounts, ended: Ended::follow(tell) }
    }

    /// Lets in who fits.
    pub(crate) async fn sign_in(&self, mut request: LogInRequest, from: IpAddr) -> Result<SignedIn, Refused> {
        DEVICE.clone_into(&mut request.device);
        let chooses = !request.new_password.is_empty();
        let tokens = self.accounts.log_in(request, from).await.map_err(|status| Refused::of(&status, chooses))?;
        let signed_in = SignedIn::of(tokens);
        if signed_in.user.is(STAFF) {
            return Ok(signed_in);
        }
        self.leave(signed_in);
        Err(Refused::NotStaff)
    }

    /// Follows somebody's tokens by the next.
    pub(crate) async fn next(&self, signed_in: &SignedIn) -> Next {
        let ask = async || self.accounts.refresh(signed_in.refresh_token.expose().clone()).await.map(SignedIn::of);
        let began = Instant::now();
        let mut told = ask().await;
        let is_lost = told.as_ref().is_err_and(|status| status.code() == Code::DeadlineExceeded);
        // The next tokens may have been made, and after a while whoever asks for them again has stolen these.
        if is_lost && began.elapsed() < AGAIN {
            told = ask().await;
        }
        match told {
            Ok(next) if next.user.is(STAFF) => Next::Stays(next),
            Ok(_) => Next::Over,
            Err(status) if status.code() == Code::Unauthenticated => Next::Over,
            Err(_) => Next::Unknown,
        }
    }

    /// Ends somebody's session at identity, where that answers; it ends by itself in any case.
    pub(crate) fn leave(&self, signed_in: SignedIn) {
        let leaving = self.accounts.log_out(signed_in.refresh_token.into_exposed());
        tokio::spawn(async move {
            if let Err(status) = leaving.await {
                tracing::warn!(why = status.message(), "a session cannot be ended; it ends when nobody uses it");
            }
        });
    }

    /// Whether they are still believed.
    pub(crate) fn believes(&self, signed_in: &SignedIn) -> bool {
        !self.has_ended(signed_in) && Instant::now() < signed_in.until
    }

    /// Whether identity has said that their session is over.
    pub(crate) fn has_ended(&self, signed_in: &SignedIn) -> bool {
        signed_in.user.session.as_ref().is_some_and(|session| self.ended.has(session))
    }
}

impl SignedIn {
    fn of(tokens: Tokens) -> Self {
        let staff = tokens.roles().any(|role| role == Role::Staff);
        let ends = tokens.expire_time.map_or(0, |time| time.seconds);
        let left = u64::try_from(ends).unwrap_or_default().saturating_sub(UnixTime::now().as_secs());
        let user = User {
            id: tokens.account_id,
            roles: staff.then(|| STAFF.to_owned()).into_iter().collect(),
            session: Some(tokens.session_id),
            scopes: None,
        };
        let until = Instant::now() + Duration::from_secs(left);
        Self { user: Arc::new(user), refresh_token: tokens.refresh_token.into(), until }
    }

    /// Whether it is time for the next tokens.
    pub(crate) fn is_due(&self) -> bool {
        self.until <= Instant::now() + EARLY
    }
}
