//! Recording answers, and giving back what has none.

use std::time::Duration;

use opentelemetry::KeyValue;
use tradewind_domain::{Error, ErrorKind};
use tradewind_fault::{Point, hit};
use tradewind_sql::Backoff;
use tradewind_store::{Metadata, Tx};
use tradewind_telemetry::{Part, trace_id};

use super::worker::{Called, Worker};
use super::{IntentHandler, Unknown};
use crate::metrics::metrics;
use crate::queue::Intent;
use crate::{attempts, owed};

/// Waits between calls that had no answer.
pub(super) const CALL: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
/// Waits between attempts to record an answer.
const RECORD: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
const RECORD_ATTEMPTS: u32 = 8;
/// Waits between attempts to record what could not be recorded for another reason.
const FAULT: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(300));

/// What a call was answered.
type Answered<H> = (Intent, <H as IntentHandler>::Outcome, Part);

impl<H: IntentHandler> Worker<H> {
    /// Settles the answers in one transaction, or where that fails one by one, and gives the rest back.
    pub(super) async fn settle(&mut self, ended: Vec<Called<H::Outcome>>) {
        let mut answered = Vec::with_capacity(ended.len());
        for Called { intent, result, part } in ended {
            match result {
                Ok(outcome) => answered.push((intent, outcome, part)),
                Err(unknown) => self.no_answer(&intent, &unknown).await,
            }
        }
        if answered.len() > 1 && self.record_all(&answered).await.is_ok() {
            return answered.iter().for_each(|(intent, ..)| self.held.forget(intent));
        }
        for one in answered {
            self.settle_one(one).await;
        }
    }

    async fn settle_one(&mut self, one: Answered<H>) {
        let mut attempt = 0;
        while let Err(error) = self.record(&one).await {
            if !error.kind.is_transient() || attempt >= RECORD_ATTEMPTS {
                return self.not_recorded(&one.0, &error).await;
            }
            if error.kind != ErrorKind::Conflict {
                tokio::time::sleep(RECORD.wait(attempt)).await;
            }
            attempt += 1;
        }
        self.held.forget(&one.0);
    }

    /// Deletes the intents and records their answers, in the hope that none was replaced or withdrawn.
    async fn record_all(&self, answered: &[Answered<H>]) -> Result<(), Error> {
        hit(Point::IntentAnswered, H::KIND);
        let mut tx = self.store.begin().await?;
        tx.hope();
        owed::settle(&mut tx, H::KIND, answered.iter().map(|(intent, ..)| intent));
        for (intent, outcome, part) in answered {
            self.record_in(&mut tx, intent, outcome, part).await?;
        }
        tx.commit().await?;
        hit(Point::IntentSettled, H::KIND);
        count::<H>("answered", answered.len());
        Ok(())
    }

    /// Deletes the intent and records its answer, unless it was replaced or withdrawn.
    async fn record(&self, (intent, outcome, part): &Answered<H>) -> Result<(), Error> {
        hit(Point::IntentAnswered, H::KIND);
        let mut tx = self.store.begin().await?;
        let is_open = owed::delete_intent(&tx, H::KIND, intent).await?;
        if is_open {
            self.record_in(&mut tx, intent, outcome, part).await?;
        }
        tx.commit().await?;
        hit(Point::IntentSettled, H::KIND);
        if !is_open {
            tracing::info!(kind = H::KIND, key = intent.key, "an answer is dropped: its intent is no longer");
        }
        count::<H>(if is_open { "answered" } else { "dropped" }, 1);
        Ok(())
    }

    async fn record_in(&self, tx: &mut Tx, intent: &Intent, outcome: &H::Outcome, part: &Part) -> Result<(), Error> {
        let traceparent = part.traceparent(&intent.cause.traceparent);
        tx.set_cause(Metadata { traceparent, ..intent.cause.clone() });
        part.within(self.handler.settle(tx, intent, outcome)).await
    }

    async fn no_answer(&mut self, intent: &Intent, unknown: &Unknown) {
        tracing::warn!(
            kind = H::KIND,
            action = intent.action,
            key = intent.key,
            attempt = intent.attempt,
            error = unknown.0,
            trace_id = trace_id(&intent.cause.traceparent),
            "a call had no answer and is made again"
        );
        count::<H>("unknown", 1);
        self.give_back(intent, CALL.wait(intent.attempt), &unknown.0).await;
    }

    async fn not_recorded(&mut self, intent: &Intent, error: &Error) {
        tracing::error!(
            kind = H::KIND, action = intent.action, key = intent.key, attempt = intent.attempt, reason = error.reason,
            trace_id = trace_id(&intent.cause.traceparent), %error, "an answer could not be recorded"
        );
        metrics().intent_settle_failures.add(1, &[KeyValue::new("kind", H::KIND)]);
        self.give_back(intent, FAULT.wait(intent.attempt), &error.message).await;
    }

    async fn give_back(&mut self, intent: &Intent, wait: Duration, error: &str) {
        let due = self.store.now() + wait;
        match attempts::release_intent(&self.store, H::KIND, intent, due, error).await {
            Ok(true) => self.held.give_back(intent, due),
            Ok(false) => self.held.forget(intent),
            Err(error) => {
                tracing::warn!(kind = H::KIND, key = intent.key, %error, "an intent was not given back; its claim lapses");
                self.held.keep(intent);
            }
        }
    }
}

fn count<H: IntentHandler>(result: &'static str, count: usize) {
    let count = u64::try_from(count).unwrap_or_default();
    metrics().intent_attempts.add(count, &[KeyValue::new("kind", H::KIND), KeyValue::new("result", result)]);
}
