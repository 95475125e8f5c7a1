//! Recording answers, and giving back what has none.

use std::time::Duration;

use opentelemetry::KeyValue;
use tracing::Instrument;
use tradewind_domain::{Error, ErrorKind};
use tradewind_fault::{Point, hit};
use tradewind_sql::Backoff;
use tradewind_store::{Metadata, Tx, trace};

use super::worker::{Called, Worker};
use super::{Intent, IntentHandler, Unknown};
use crate::metrics::metrics;
use crate::{owed, queue};

/// Waits between calls that had no answer.
pub(super) const CALL: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
/// Waits between attempts to record an answer.
const RECORD: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
const RECORD_ATTEMPTS: u32 = 8;
/// Waits between attempts to record what could not be recorded for another reason.
const FAULT: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(300));

impl<H: IntentHandler> Worker<H> {
    /// Settles the answers in one transaction, or where that fails one by one, and gives the rest back.
    pub(super) async fn settle(&self, ended: Vec<Called<H::Outcome>>) {
        let mut answered = Vec::with_capacity(ended.len());
        for Called { intent, result, span } in ended {
            match result {
                Ok(outcome) => answered.push((intent, outcome, span)),
                Err(unknown) => self.no_answer(&intent, &unknown).await,
            }
        }
        if answered.len() > 1 && self.record(&answered, true).await.is_ok() {
            return;
        }
        for one in answered {
            self.settle_one(one).await;
        }
    }

    async fn settle_one(&self, one: (Intent, H::Outcome, tracing::Span)) {
        let one = std::slice::from_ref(&one);
        let mut attempt = 0;
        while let Err(error) = self.record(one, false).await {
            if !error.kind.is_transient() || attempt >= RECORD_ATTEMPTS {
                if let [(intent, ..)] = one {
                    self.not_recorded(intent, &error).await;
                }
                return;
            }
            if error.kind != ErrorKind::Conflict {
                tokio::time::sleep(RECORD.wait(attempt)).await;
            }
            attempt += 1;
        }
    }

    /// Deletes the intents and records their answers; what was replaced or withdrawn is passed over, where it does not hope that
    /// there is no such.
    async fn record(&self, answered: &[(Intent, H::Outcome, tracing::Span)], hopes: bool) -> Result<(), Error> {
        hit(Point::IntentAnswered, H::KIND);
        let mut tx = self.store.begin().await?;
        if hopes {
            tx.hope();
        }
        let mut dropped = 0;
        let acted_upon: Vec<_> = answered.iter().map(|(intent, ..)| (intent.key.as_str(), intent.generation)).collect();
        let open = owed::delete_intents(&mut tx, H::KIND, &acted_upon).await?;
        for (intent, outcome, span) in answered {
            if open.contains(&intent.key) {
                self.record_in(&mut tx, intent, outcome, span).await?;
            } else {
                dropped += 1;
                tracing::info!(kind = H::KIND, key = intent.key, "an answer is dropped: its intent is no longer");
            }
        }
        tx.commit().await?;
        hit(Point::IntentSettled, H::KIND);
        let total = u64::try_from(answered.len()).unwrap_or_default();
        count::<H>("dropped", dropped);
        count::<H>("answered", total.saturating_sub(dropped));
        Ok(())
    }

    async fn record_in(
        &self,
        tx: &mut Tx,
        intent: &Intent,
        outcome: &H::Outcome,
        span: &tracing::Span,
    ) -> Result<(), Error> {
        let traceparent = trace::traceparent(span, &intent.cause.traceparent);
        tx.set_cause(Metadata { traceparent, ..intent.cause.clone() });
        self.handler.settle(tx, intent, outcome).instrument(span.clone()).await
    }

    async fn no_answer(&self, intent: &Intent, unknown: &Unknown) {
        tracing::warn!(
            kind = H::KIND,
            action = intent.action,
            key = intent.key,
            attempt = intent.attempt,
            error = unknown.0,
            trace_id = trace::trace_id(&intent.cause.traceparent),
            "a call had no answer and is made again"
        );
        count::<H>("unknown", 1);
        self.give_back(intent, CALL.wait(intent.attempt), &unknown.0).await;
    }

    async fn not_recorded(&self, intent: &Intent, error: &Error) {
        tracing::error!(
            kind = H::KIND, action = intent.action, key = intent.key, attempt = intent.attempt, reason = error.reason,
            trace_id = trace::trace_id(&intent.cause.traceparent), %error, "an answer could not be recorded"
        );
        metrics().intent_settle_failures.add(1, &[KeyValue::new("kind", H::KIND)]);
        self.give_back(intent, FAULT.wait(intent.attempt), &error.message).await;
    }

    async fn give_back(&self, intent: &Intent, wait: Duration, error: &str) {
        let (due, attempt) = (self.store.now() + wait, intent.attempt.saturating_add(1));
        let given =
            queue::release_intent(&self.store, H::KIND, &intent.key, intent.generation, attempt, due, error).await;
        if let Err(error) = given {
            tracing::warn!(kind = H::KIND, key = intent.key, %error, "an intent was not given back; its claim lapses");
        }
    }
}

fn count<H: IntentHandler>(result: &'static str, count: u64) {
    if count > 0 {
        metrics().intent_attempts.add(count, &[KeyValue::new("kind", H::KIND), KeyValue::new("result", result)]);
    }
}
