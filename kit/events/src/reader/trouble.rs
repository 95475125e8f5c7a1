//! Notices that a reader cannot get past its position, whatever keeps it, shows it, and takes that back when it moves.

use std::time::Duration;

use opentelemetry::KeyValue;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use tradewind_domain::{Error, ErrorKind};

use super::Reader;
use super::stuck::{self, Stuck};
use crate::metrics::metrics;

/// After so long in vain a reader is stuck.
const IN_VAIN: Duration = Duration::from_secs(10);
/// How long telling the other replicas may take.
const TELLING: Duration = Duration::from_secs(2);

/// A time in which nothing has succeeded.
pub(super) struct Trouble {
    since: OffsetDateTime,
    began: Instant,
    /// The reason that is shown.
    shown: Option<&'static str>,
}

impl Reader {
    /// Something failed that the reader needs to go on. That an owner is away keeps nobody who has nothing to read.
    pub(super) async fn fails(&mut self, error: &Error) {
        let now = self.store.now();
        let trouble = self.trouble.get_or_insert_with(|| Trouble { since: now, began: Instant::now(), shown: None });
        let has_read_all = self.progress.lag() == 0 && self.progress.incarnation().is_some();
        let waits = error.kind == ErrorKind::Unavailable && has_read_all;
        if !waits && trouble.began.elapsed() >= IN_VAIN && (trouble.shown != Some(error.reason) || !self.told) {
            self.show(error.reason, &error.message).await;
        }
    }

    /// The reader has moved, or there is nothing to move to.
    pub(super) async fn moves(&mut self) {
        if self.trouble.is_some() {
            self.hide();
        }
        if self.told {
            let forgotten = stuck::forget(&self.store, self.consumer(), &self.context, self.partition).await;
            self.told = forgotten.is_err();
        }
    }

    /// Shows what keeps the reader, until it moves or is another process's.
    pub(super) async fn show(&mut self, reason: &'static str, error: &str) {
        let since = self.trouble.as_ref().map_or_else(|| self.store.now(), |trouble| trouble.since);
        self.hide();
        self.trouble = Some(Trouble { since, began: Instant::now(), shown: Some(reason) });
        metrics().reader_stuck.record(1, &self.because(reason));
        let stuck = Stuck {
            consumer: self.consumer().to_owned(),
            source: self.context.clone(),
            partition: self.partition,
            position: self.progress.position(),
            reason: reason.to_owned(),
            error: error.to_owned(),
            since,
        };
        tracing::error!(
            consumer = stuck.consumer,
            source = stuck.source,
            partition = stuck.partition,
            position = stuck.position,
            reason,
            error,
            runbook = "docs/runbook.md#a-reader-is-stuck",
            "a reader cannot get past its position"
        );
        self.stuck.add(stuck.clone());
        self.told = matches!(timeout(TELLING, stuck::note(&self.store, &stuck)).await, Ok(Ok(())));
    }

    /// Shows nothing of this reader in this process any more.
    pub(super) fn hide(&mut self) {
        if let Some(Trouble { shown: Some(reason), .. }) = self.trouble.take() {
            metrics().reader_stuck.record(0, &self.because(reason));
            self.stuck.remove(self.consumer(), &self.context, self.partition);
        }
    }

    fn because(&self, reason: &'static str) -> Vec<KeyValue> {
        self.attributes.iter().cloned().chain([KeyValue::new("reason", reason)]).collect()
    }
}
