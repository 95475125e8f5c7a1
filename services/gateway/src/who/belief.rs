//! For how long somebody is believed: a stream goes on after its token was looked at.

use tokio::time::Instant;
use tonic::{Code, Status};
use tradewind_edge::Ended;

use crate::refused::refusal_of;

/// For how long whoever has opened a stream is believed.
#[derive(Clone)]
pub(crate) struct Belief {
    /// None where it is for ever.
    until: Option<Instant>,
    /// May be over before that.
    session: Option<(Ended, String)>,
}

impl Belief {
    /// Until then, and for as long as that session is not over.
    pub(super) const fn new(until: Option<Instant>, session: Option<(Ended, String)>) -> Self {
        Self { until, session }
    }

    /// Why they are believed no longer, where that is so.
    pub(crate) fn why_over(&self) -> Option<Status> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Some(expired());
        }
        self.session.as_ref().filter(|(ended, session)| ended.has(session)).map(|_| over())
    }

    /// Waits until they are not, and tells why.
    pub(crate) async fn over(self) -> Status {
        let ended = async {
            match &self.session {
                Some((ended, session)) => ended.wait(session).await,
                None => std::future::pending().await,
            }
        };
        let passed = async {
            match self.until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ended => over(),
            () = passed => expired(),
        }
    }
}

/// A token is no longer good, though it was not to end yet.
pub(super) fn over() -> Status {
    refusal_of(Code::Unauthenticated, "TOKEN_ENDED", "the session that the token was given to is over; sign in again")
}

/// Why a stream ends whose caller has to say anew who it is.
fn expired() -> Status {
    let text = "the token or key with which the stream was opened is believed no longer; open it again";
    refusal_of(Code::Unauthenticated, "TOKEN_EXPIRED", text)
}
