//! Whether a call is sent once more, and after what pause, by how its attempts ended. Decides, and sends nothing.

use std::time::Duration;

use http::HeaderMap;
use tonic::Code;

use super::call::{Answer, Call, Failure, Fate, code};
use crate::jitter;
use crate::metrics::Repeated;
use crate::served;

/// Attempts of one call, and beside them those that were never begun.
const ATTEMPTS: u32 = 3;
const UNSENT: u32 = 10;
/// Before the second attempt at most; doubled before the third.
const PAUSE: Duration = Duration::from_millis(50);
/// Attempts so far.
#[derive(Default)]
pub(super) struct Made {
    pub(super) sent: u32,
    unsent: u32,
    refused: u32,
    lost: u32,
    /// The time between them.
    pub(super) waited: Duration,
}

/// How an attempt ended, as far as it matters for another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    code: Option<Code>,
    pub(super) fate: Option<Fate>,
    pub(super) pushback: Option<Pushback>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushback {
    After(Duration),
    Never,
}

impl Ended {
    pub(super) fn is_unbegun(self) -> bool {
        matches!(self.fate, Some(Fate::Unsent | Fate::Refused))
    }

    pub(super) fn of(outcome: &Result<Answer, Failure>) -> Self {
        let pushback = outcome.as_ref().ok().and_then(Answer::last).and_then(pushback);
        Self { code: code(outcome), fate: outcome.as_ref().err().map(|failure| failure.fate), pushback }
    }
}

impl Made {
    pub(super) const fn count(&mut self, ended: Ended, hedged: bool) {
        match ended.fate {
            Some(Fate::Unsent) => self.unsent += 1,
            Some(Fate::Refused) => self.refused += 1,
            Some(Fate::Lost) => {
                self.lost += 1;
                self.sent += 1;
            }
            _ => self.sent += 1,
        }
        if hedged {
            self.sent += 1;
        }
    }

    /// Whether another attempt is paid by nobody: nobody has had any work with the last, and it is the first that a server refuses; or
    /// it is the first that a connection took with it: all that were on it come back, once, and a budget has less than that.
    pub(super) fn is_free(&self, ended: Ended) -> bool {
        match ended.fate {
            Some(Fate::Unsent) => true,
            Some(Fate::Refused) => self.refused == 1,
            Some(Fate::Lost) => self.lost == 1,
            Some(Fate::Kept | Fate::Unknown) | None => false,
        }
    }

    /// Has counted what there was beside the first attempt.
    pub(super) fn tell(&self, call: &Call) {
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
    pub(super) fn pause(&self, ended: Ended, harmless: bool) -> Option<Duration> {
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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
    fn what_a_connection_takes_with_it_costs_nothing_the_first_time() {
        let lost = Ended { fate: Some(Fate::Lost), ..ended(Code::Unavailable) };
        assert_eq!((pauses(lost, true), pauses(lost, false)), (ATTEMPTS - 1, 0));
        let mut made = Made::default();
        for is_free in [true, false] {
            made.count(lost, false);
            assert_eq!(made.is_free(lost), is_free);
        }
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
