//! Repeats calls that change nothing, or whose `request_id` makes a repetition harmless: only `UNAVAILABLE`, only a few times, and
//! never so often that repetitions become the load. Repeats any call that was never sent, because its connection closed before.

use std::error::Error as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use contracts::tables::Form;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::{Code, Status, transport};

use crate::server::jitter;
use crate::{form, observe};

const ATTEMPTS: u32 = 3;
/// Before the second attempt at most; doubled before the third.
const PAUSE: Duration = Duration::from_millis(50);
/// The flag and the length before a message.
const HEAD: usize = 5;
/// The flag of one that is not packed.
const PLAIN: u8 = 0;
/// A larger request is sent once.
const LARGEST: usize = 64 * 1024;

/// How much may be repeated: a fifth of the calls, and a few more at once.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Budget {
    const CALL: u32 = 1;
    const RETRY: u32 = 5;
    const MOST: u32 = 50;

    /// Saves up for one call.
    pub(super) fn deposit(&self) {
        self.update(|saved| Some((saved + Self::CALL).min(Self::MOST)));
    }

    fn withdraw(&self) -> bool {
        self.update(|saved| saved.checked_sub(Self::RETRY))
    }

    fn update(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::MOST))
    }
}

/// A request that can be sent again.
pub(super) struct Replay {
    parts: Parts,
    body: Bytes,
    attempts: u32,
}

impl Replay {
    pub(super) async fn of(request: Request<Body>) -> Result<Self, Status> {
        let (parts, body) = request.into_parts();
        // A request that is no stream is in memory already; this only joins its frames.
        let body = body.collect().await?.to_bytes();
        Ok(Self { parts, body, attempts: 0 })
    }

    /// Whether the request, which is of this form, says which one it is, so that whoever has answered it before knows it again.
    pub(super) fn has_request_id(&self, form: &Form) -> bool {
        match self.body.split_at_checked(HEAD) {
            Some((head, message)) if head[0] == PLAIN => form::has_text(form, "request_id", message),
            _ => false,
        }
    }

    /// Tells, after a moment, whether a call that ended with `code` may be made once more.
    pub(super) async fn again(&self, code: Option<Code>, budget: &Budget) -> bool {
        let again = self.attempts < ATTEMPTS
            && self.body.len() <= LARGEST
            && code == Some(Code::Unavailable)
            && budget.withdraw();
        if again {
            tokio::time::sleep(jitter(PAUSE * self.attempts)).await;
        }
        again
    }

    /// Tells whether a call that [was not sent](is_unsent) may be made once more, whatever it does and at once: nobody has had
    /// any work with it.
    pub(super) fn anew(&self) -> bool {
        self.attempts < ATTEMPTS
    }

    /// The request of the next attempt.
    pub(super) fn next(&mut self) -> Request<Body> {
        self.attempts += 1;
        Request::from_parts(self.parts.clone(), Body::new(Full::new(self.body.clone())))
    }
}

/// Whether a call failed before any of it was sent: it was given to a connection that then took no more calls, as one does whose
/// server drains it.
pub(super) fn is_unsent(error: &transport::Error) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.filter_map(|cause| cause.downcast_ref::<hyper::Error>()).any(hyper::Error::is_canceled)
}

/// The code with which a call ended, as far as it is known before the body is read.
pub(super) fn code_of(answer: &Result<Response<Body>, Status>) -> Option<Code> {
    match answer {
        Ok(response) => observe::code_of(response.headers()),
        Err(status) => Some(status.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn a_fifth_of_the_calls_may_be_repeated_once_the_savings_are_spent() {
        let budget = Budget::default();
        while budget.withdraw() {}
        let repeated = (0..100)
            .filter(|_| {
                budget.deposit();
                budget.withdraw()
            })
            .count();
        assert_eq!(repeated, 20);
    }
}
