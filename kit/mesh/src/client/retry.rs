//! Repeats what may be repeated: a call that changes nothing, or whose `request_id` makes a repetition harmless, when it ends with
//! `UNAVAILABLE`; any call at all whose attempt was provably never begun (gRPC's retry design, A6). Within one budget, in one tier
//! of the tree of calls, with full jitter, and never against what the server says. Asks a second endpoint for what is late, where
//! that is harmless (hedging).

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contracts::tradewind::options::v1::RetryClass;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use tonic::Code;

use super::breaker::{self, Said};
use super::budget::Budget;
use super::call::{Answer, Call, Failure, Fate, Payload, Sends, code};
use super::name;
use super::peer::Peer;
use crate::metrics::Repeated;
use crate::server::jitter;
use crate::{deadline, served};

/// Attempts of one call, and beside them those that were never begun.
const ATTEMPTS: u32 = 3;
const UNSENT: u32 = 10;
/// Before the second attempt at most; doubled before the third.
const PAUSE: Duration = Duration::from_millis(50);
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

    async fn repeated(&self, mut call: Call, harmless: bool) -> Result<Answer, Failure> {
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
        let mut second = pin!(self.below.send(second));
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
    async fn send(&self, call: Call) -> Result<Answer, Failure> {
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

/// Attempts so far.
#[derive(Default)]
struct Made {
    sent: u32,
    unsent: u32,
    refused: u32,
    /// The time between them.
    waited: Duration,
}

/// How an attempt ended, as far as it matters for another.
#[derive(Clone, Copy, Debug)]
struct Ended {
    code: Option<Code>,
    fate: Option<Fate>,
    pushback: Option<Pushback>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pushback {
    After(Duration),
    Never,
}

impl Ended {
    fn is_unbegun(self) -> bool {
        matches!(self.fate, Some(Fate::Unsent | Fate::Refused))
    }

    fn of(outcome: &Result<Answer, Failure>) -> Self {
        let pushback = outcome.as_ref().ok().and_then(Answer::last).and_then(pushback);
        Self { code: code(outcome), fate: outcome.as_ref().err().map(|failure| failure.fate), pushback }
    }
}

impl Made {
    const fn count(&mut self, ended: Ended, hedged: bool) {
        match ended.fate {
            Some(Fate::Unsent) => self.unsent += 1,
            Some(Fate::Refused) => self.refused += 1,
            _ => self.sent += 1,
        }
        if hedged {
            self.sent += 1;
        }
    }

    /// Whether another attempt is paid by nobody: nobody has had any work with the last, and it is the first that a server refuses.
    fn is_free(&self, ended: Ended) -> bool {
        ended.fate == Some(Fate::Unsent) || (ended.fate == Some(Fate::Refused) && self.refused == 1)
    }

    /// Has counted what there was beside the first attempt.
    fn tell(&self, call: &Call) {
        let unbegun = self.unsent + self.refused;
        if self.sent + unbegun < 2 {
            return;
        }
        if self.sent > 1 {
            call.measured.repeated(Repeated::Retry, u64::from(self.sent - 1));
        }
        if unbegun > 0 {
            call.measured.repeated(Repeated::Transparent, u64::from(unbegun));
        }
        call.measured.delayed(self.waited);
    }

    /// How long to wait before another attempt; none if there is to be none.
    fn pause(&self, ended: Ended, harmless: bool) -> Option<Duration> {
        match ended.fate {
            Some(Fate::Kept) => None,
            // It asks us to be calm.
            Some(Fate::Refused) if ended.code == Some(Code::ResourceExhausted) => None,
            Some(Fate::Unsent | Fate::Refused) if self.unsent + self.refused == 1 => Some(Duration::ZERO),
            Some(Fate::Unsent | Fate::Refused) => (self.unsent + self.refused <= UNSENT).then(|| jitter(PAUSE)),
            // Whoever is above sends it again already.
            _ if !harmless || self.sent >= ATTEMPTS || served::is_repeated() => None,
            _ => match (ended.code?, ended.pushback) {
                (_, Some(Pushback::Never)) => None,
                // Whoever is turned away because there are too many comes again only if he is told to.
                (Code::Unavailable | Code::ResourceExhausted, Some(Pushback::After(pause))) => Some(pause),
                (Code::Unavailable, None) => Some(jitter(PAUSE * (1 << (self.sent - 1)))),
                _ => None,
            },
        }
    }
}

fn pushback(last: &HeaderMap) -> Option<Pushback> {
    let said = last.get(served::PUSHBACK)?.to_str().ok().and_then(|text| text.parse().ok());
    Some(said.map_or(Pushback::Never, |millis| Pushback::After(Duration::from_millis(millis))))
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
fn copy(call: &Call, before: u32, asked: Option<Arc<AtomicUsize>>) -> Call {
    let mut copy = announced(call.again());
    copy.asked = asked;
    if before > 0 {
        copy.head.headers.insert(served::ATTEMPTS, HeaderValue::from(before));
    }
    copy
}

/// Says how much time is left.
fn announced(mut call: Call) -> Call {
    if let Some(deadline) = call.deadline {
        deadline::announce(&mut call.head.headers, deadline);
    }
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: Code) -> Ended {
        Ended { code: Some(code), fate: None, pushback: None }
    }

    fn pauses(ended: Ended, harmless: bool) -> u32 {
        let mut made = Made::default();
        (0..100)
            .take_while(|_| {
                made.count(ended, false);
                made.pause(ended, harmless).is_some()
            })
            .fold(0, |count, _| count + 1)
    }

    #[test]
    fn only_what_is_harmless_is_sent_again_and_only_a_few_times() {
        assert_eq!(pauses(ended(Code::Unavailable), true), ATTEMPTS - 1);
        assert_eq!(pauses(ended(Code::Unavailable), false), 0);
        for code in [Code::Ok, Code::Internal, Code::DeadlineExceeded, Code::Aborted, Code::ResourceExhausted] {
            assert_eq!(pauses(ended(code), true), 0, "{code:?}");
        }
    }

    #[test]
    fn what_was_never_begun_is_sent_again_whatever_it_does() {
        let unsent = Ended { fate: Some(Fate::Unsent), ..ended(Code::Unavailable) };
        assert_eq!(pauses(unsent, false), UNSENT);
        let kept = Ended { fate: Some(Fate::Kept), ..ended(Code::Unavailable) };
        assert_eq!(pauses(kept, true), 0);
    }

    #[test]
    fn the_server_has_the_last_word() {
        let say = |text: &'static str| {
            pushback(&HeaderMap::from_iter([(
                http::HeaderName::from_static(served::PUSHBACK),
                HeaderValue::from_static(text),
            )]))
        };
        assert_eq!(say("250"), Some(Pushback::After(Duration::from_millis(250))));
        for text in ["-1", "", "soon"] {
            assert_eq!(say(text), Some(Pushback::Never), "{text:?}");
        }
        let mut made = Made::default();
        made.count(ended(Code::ResourceExhausted), false);
        let busy = |pushback| Ended { pushback: Some(pushback), ..ended(Code::ResourceExhausted) };
        assert_eq!(made.pause(busy(Pushback::After(PAUSE)), true), Some(PAUSE));
        assert_eq!(made.pause(busy(Pushback::Never), true), None);
    }
}
