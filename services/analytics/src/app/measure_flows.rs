//! What waits and what was settled, as metrics of those whose turn it was.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use opentelemetry::metrics::{Counter, Gauge};
use opentelemetry::{KeyValue, global};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_projections::{Slot, read};
use tradewind_replicas::{Members, Roster};
use tradewind_store::Store;

use super::flows::FLOWS;
use crate::domain::{Done, STEPS, Step};
use crate::store::{self, Reached};

/// How long a count stands, and how often as long as it took: where a million orders wait, counting them takes a while.
const REST: Duration = Duration::from_secs(5);
const AT_REST: u32 = 20;
/// It stands no longer than alarms that are asked for it every few minutes can do with.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// What was settled before is history, and no part of how things go now.
const RECENT: Duration = Duration::from_secs(3_600);
/// What one replica at a time counts.
const COUNTS: &str = "analytics.settled-flows";

struct Metrics {
    waiting: Gauge<u64>,
    stuck: Gauge<u64>,
    settled: Counter<u64>,
}

fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| {
        let meter = global::meter("tradewind");
        let gauge = |name, description| meter.u64_gauge(name).with_description(description).build();
        Metrics {
            waiting: gauge("tradewind_flow_waiting", "Orders that wait for what has to follow an event"),
            stuck: gauge("tradewind_flow_stuck", "Of those, the ones that wait longer than the contract allows"),
            settled: meter
                .u64_counter("tradewind_flow_settled")
                .with_description("What has followed an event, in time or not")
                .build(),
        }
    })
}

/// Shows what waits, and counts what was settled, until `stop`. Every replica says what waits, and the one whose turn it is counts; what was
/// settled while nobody ran is counted as it is read, unless it is long ago.
///
/// # Errors
/// None: what cannot be measured now is measured later.
pub async fn measure_flows(store: Store, members: Members, stop: CancellationToken) -> Result<(), Error> {
    let mut seen = members.seen();
    let mut counted = None;
    for step in STEPS.iter() {
        for service in step.services() {
            [true, false].into_iter().for_each(|in_time| count(step, service, in_time, 0));
        }
    }
    stop.run_until_cancelled(seen.wait_for(Roster::is_seated)).await;
    while !stop.is_cancelled() {
        let (is_mine, began) = (seen.borrow().is_my_turn(COUNTS), Instant::now());
        match measure(&store, counted.as_ref().filter(|_| is_mine)).await {
            Ok(reached) => counted = Some(reached),
            Err(error) => tracing::warn!(%error, "the flows cannot be measured"),
        }
        stop.run_until_cancelled(tokio::time::sleep((began.elapsed() * AT_REST).clamp(REST, LONGEST_REST))).await;
    }
    Ok(())
}

/// Shows what waits, counts what was settled since it was `counted` last, and returns how far that was.
pub(super) async fn measure(store: &Store, counted: Option<&Reached>) -> Result<Reached, Error> {
    let slot = read(store, FLOWS).await?;
    let reached = reached(store, slot).await?;
    let waiting = store::waiting(store.reader(), slot, store.now()).await?;
    for step in STEPS.iter() {
        for service in step.services() {
            let has_turn = |done| step.turns_after(Done::numbered(done)).iter().any(|turn| turn.service == service);
            let rows = waiting.iter().filter(|row| row.event == step.event && has_turn(row.done));
            let (all, late) = rows.fold((0, 0), |(all, late), row| (all + row.waiting, late + row.late));
            metrics().waiting.record(u64::try_from(all).unwrap_or_default(), &labels(step, service));
            metrics().stuck.record(u64::try_from(late).unwrap_or_default(), &labels(step, service));
        }
    }
    if let Some(counted) = counted {
        for row in store::settled_since(store.reader(), slot, counted, &reached, store.now() - RECENT).await? {
            if let Some(step) = STEPS.iter().find(|step| step.event == row.event) {
                let blamed = step.late_by(Done::numbered(row.done), row.parts_late != 0);
                for service in step.services() {
                    let is_late = row.late != 0 && blamed.iter().any(|turn| turn.service == service);
                    count(step, service, !is_late, row.settled);
                }
            }
        }
    }
    Ok(reached)
}

/// How far what is read has read the logs of others.
pub(super) async fn reached(store: &Store, slot: Slot) -> Result<Reached, Error> {
    let consumer = slot.consumer(FLOWS);
    let cursors = store.cursors().await?.into_iter();
    let own = cursors.filter(|((reader, ..), _)| *reader == consumer);
    Ok(own.map(|((_, source, partition), (position, _))| ((source, partition), position)).collect())
}

fn count(step: &Step, service: &'static str, in_time: bool, settled: i64) {
    let [service, event] = labels(step, service);
    metrics()
        .settled
        .add(u64::try_from(settled).unwrap_or_default(), &[service, event, KeyValue::new("in_time", in_time)]);
}

fn labels(step: &Step, service: &'static str) -> [KeyValue; 2] {
    let event = step.event.rsplit('.').next().unwrap_or_default();
    [KeyValue::new("service", service), KeyValue::new("event", event)]
}
