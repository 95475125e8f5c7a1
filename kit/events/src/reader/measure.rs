//! What operators see of a reader: how far it is behind, and for how long.

use tradewind_store::Recorded;

use crate::metrics::metrics;

use super::Reader;

impl Reader {
    /// The cursor has moved: what was behind is no longer, and something else may be.
    pub(super) fn moved(&mut self) {
        self.behind_since = None;
        self.measure();
    }

    /// An event is about to be handled, which may take many attempts.
    pub(super) fn begins(&mut self, event: &Recorded) {
        self.behind_since = Some(event.time);
    }

    /// Looks how far the reader is behind and records it. Where the oldest event is not here yet, its age counts from when it
    /// was heard of.
    pub(super) fn measure(&mut self) {
        if self.head > self.position {
            let now = self.store.now();
            let known = self.inbox.oldest().map_or(now, |event| event.time.min(now));
            self.behind_since = Some(self.behind_since.map_or(known, |since| since.min(known)));
        } else {
            self.behind_since = None;
        }
        self.record();
    }

    /// Records how far the reader is known to be behind.
    pub(super) fn record(&self) {
        let age = self.behind_since.map_or(0.0, |since| (self.store.now() - since).as_seconds_f64().max(0.0));
        metrics().reader_age.record(age, &self.attributes);
        metrics().reader_lag.record(self.head.saturating_sub(self.position), &self.attributes);
    }

    /// Records how long ago events were recorded whose effects are committed now.
    pub(super) fn record_delays(&self, events: &[Recorded]) {
        let (log, _partition) = self.attributes.split_at(2);
        let now = self.store.now();
        for event in events {
            metrics().reader_delay.record((now - event.time).as_seconds_f64().max(0.0), log);
        }
    }

    /// It no longer reads here: whoever does tells how far it is.
    pub(super) fn record_end(&self) {
        metrics().reader_age.record(0.0, &self.attributes);
        metrics().reader_lag.record(0, &self.attributes);
    }
}
