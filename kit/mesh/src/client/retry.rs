//! Repeats what may be repeated: a call that changes nothing, or whose `request_id` makes a repetition harmless, when it ends with
//! `UNAVAILABLE`; any call at all whose attempt was provably never begun (gRPC's retry design, A6). Within one budget, in one tier
//! of the tree of calls, with full jitter, and never against what the server says. Asks a second endpoint for what is late, where
//! that is harmless (hedging).

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contracts::tradewind::options::v1::RetryClass;
use http::HeaderValue;
use tokio::time::Instant;
use tonic::Code;

use super::attempts::{Ended, Made, Pushback};
use super::breaker::{self, Said};
use super::budget::Budget;
use super::call::{Answer, Call, Failure, Fate, Payload, Sends, code};
use super::name;
use super::peer::Peer;
use crate::metrics::Repeated;
use crate::{deadline, served};

/// A larger request is sent once.
const LARGEST: usize = 64 * 1024;

/// The layer.
pub(super) struct Retry<S> {
    below: S,
    peer: Arc<Peer>,
    budget: Arc<Budget>,
}

impl<S: Sends> Retry<S> {
    pub(super) const fn over(below: S, peer: Arc<Peer>, budget: Arc<Budget>) -> Self {
        Self { below, peer, budget }
    }

    async fn repeated(&self, mut call: Box<Call>, harmless: bool) -> Result<Answer, Failure> {
        let mut made = Made::default();
        loop {
            let began = Instant::now();
            let (outcome, hedged) = self.attempt(&call, made.sent, harmless).await;
            let ended = Ended::of(&outcome);
            made.count(ended, hedged);
            let Some(pause) = made.pause(ended, harmless) else {
                made.tell(&call);
                return outcome;
            };
            // What took longer than there is left would end without the reason that it has now.
            let needed = if ended.is_unbegun() { Duration::ZERO } else { began.elapsed() };
            let is_time = call.deadline.is_none_or(|deadline| Instant::now() + pause + needed < deadline);
            if !is_time || (!made.is_free(ended) && !self.budget.withdraw()) {
                made.tell(&call);
                return outcome;
            }
            call.avoid = outcome.err().and_then(|failure| failure.endpoint).or(call.avoid);
            made.waited += pause;
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Makes one attempt. If it is late, and there is somebody else to ask, asks them as well: whoever succeeds first is heard.
    /// Tells whether somebody else was asked.
    async fn attempt(&self, call: &Call, before: u32, harmless: bool) -> (Result<Answer, Failure>, bool) {
        let hedge = if harmless { self.hedge(call) } else { None };
        let asked = hedge.map(|_| Arc::new(AtomicUsize::new(usize::MAX)));
        let mut first = pin!(self.below.send(copy(call, before, asked.clone())));
        let Some((after, asked)) = hedge.zip(asked) else { return (first.await, false) };
        if let Ok(outcome) = tokio::time::timeout(after, &mut first).await {
            return (outcome, false);
        }
        if !self.budget.withdraw() {
            return (first.await, false);
        }
        call.measured.repeated(Repeated::Hedge, 1);
        let mut second = copy(call, before + 1, None);
        second.avoid = Some(asked.load(Ordering::Relaxed));
        let mut second = Box::pin(self.below.send(second));
        let (outcome, other) = tokio::select! {
            outcome = &mut first => (outcome, second),
            outcome = &mut second => {
                if is_well(&outcome) { return (outcome, true) }
                return (better(outcome, first.await), true);
            }
        };
        (if is_well(&outcome) { outcome } else { better(outcome, other.await) }, true)
    }

    /// After what time another endpoint is asked as well: when the contract says so, or when half of the time is over.
    fn hedge(&self, call: &Call) -> Option<Duration> {
        let method = call.method.filter(|method| method.retry == RetryClass::Safe && !method.response_streams)?;
        if served::is_repeated() || !self.peer.has_others() {
            return None;
        }
        let left = call.deadline?.saturating_duration_since(Instant::now()) / 2;
        Some(method.hedge_after.map_or(left, |after| after.min(left)))
    }
}

impl<S: Sends> Sends for Retry<S> {
    async fn send(&self, call: Box<Call>) -> Result<Answer, Failure> {
        match call.payload {
            Payload::Whole(_) => {
                let harmless = is_harmless(&call);
                if harmless {
                    self.budget.deposit();
                }
                let outcome = self.repeated(call, harmless).await;
                if harmless && code(&outcome) == Some(Code::Unavailable) {
                    served::spend();
                }
                outcome
            }
            Payload::Stream(_) => self.below.send(announced(call)).await,
        }
    }
}

/// Whether the call may be sent twice.
fn is_harmless(call: &Call) -> bool {
    let (Some(method), Payload::Whole(message)) = (call.method, &call.payload) else { return false };
    let harmless = match method.retry {
        RetryClass::Safe => true,
        RetryClass::WithRequestId => name::is_named(message, method),
        RetryClass::Never | RetryClass::Unspecified => false,
    };
    harmless && message.len() <= LARGEST
}

fn is_well(outcome: &Result<Answer, Failure>) -> bool {
    code(outcome).is_none_or(|code| breaker::said(code, true) == Said::Well)
}

/// Of two attempts of which the first has failed, the one that says more.
fn better(failed: Result<Answer, Failure>, other: Result<Answer, Failure>) -> Result<Answer, Failure> {
    let (says, other_says) = (Ended::of(&failed), Ended::of(&other));
    if is_well(&other) {
        return other;
    }
    // What a server has asked for, and that it may have been carried out, is not forgotten for what was never sent.
    let is_less = other_says.fate == Some(Fate::Kept) || other_says.is_unbegun();
    if says.pushback == Some(Pushback::Never) || is_less || failed.is_ok() { failed } else { other }
}

/// The call once more, as its next attempt.
fn copy(call: &Call, before: u32, asked: Option<Arc<AtomicUsize>>) -> Box<Call> {
    let mut copy = announced(call.again());
    copy.asked = asked;
    if before > 0 {
        copy.head.headers.insert(served::ATTEMPTS, HeaderValue::from(before));
    }
    copy
}

/// Says how much time is left.
fn announced(mut call: Box<Call>) -> Box<Call> {
    if let Some(deadline) = call.deadline {
        deadline::announce(&mut call.head.headers, deadline);
    }
    call
}
