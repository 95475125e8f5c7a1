//! What operators see of a reader: how far it is behind, and for how long.

use tradewind_store::Recorded;
use tradewind_telemetry::{exemplar, parent};

use crate::metrics::{READER_DELAY, metrics};

use super::Reader;

impl Reader {
    /// Looks how far the reader is behind and records it.
    pub(super) fn measure(&mut self) {
        self.progress.look(self.store.now());
        self.record();
    }

    /// Records how far the reader is known to be behind.
    pub(super) fn record(&self) {
        let behind = self.progress.behind_since();
        let age = behind.map_or(0.0, |since| (self.store.now() - since).as_seconds_f64().max(0.0));
        metrics().reader_age.record(age, &self.attributes);
        metrics().reader_lag.record(self.progress.lag(), &self.attributes);
    }

    /// Records how long ago events were recorded whose effects are committed now.
    pub(super) fn record_delays(&self, events: &[Recorded]) {
        let (log, _partition) = self.attributes.split_at(2);
        let now = self.store.now();
        for event in events {
            let delay = (now - event.time).as_seconds_f64().max(0.0);
            metrics().reader_delay.record(delay, log);
            exemplar(READER_DELAY, log, delay, &parent(&event.metadata.traceparent));
        }
    }

    /// It no longer reads here: whoever does tells how far it is.
    pub(super) fn record_end(&self) {
        metrics().reader_age.record(0.0, &self.attributes);
        metrics().reader_lag.record(0, &self.attributes);
    }
}
