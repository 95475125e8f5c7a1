//! What orders wait for.

use contracts::tradewind::analytics::v1::{AgeClass, Flow, FlowStep, FlowSum, FlowTurn, ListStuckFlowsResponse};
use prost_types::Duration;
use tradewind_domain::{Error, request};
use tradewind_projections::read;
use tradewind_sql::{from_micros, micros, timestamp};
use tradewind_store::Store;

use super::flows::FLOWS;
use crate::domain::{Done, Step, Turn, asked_by};
use crate::store::{self, FlowRow, Place, SUMMED, Sum, Wanted};

/// Which flows are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) wanted: Wanted,
    pub(crate) after: Option<Place>,
    pub(crate) size: usize,
}

/// Up to as many of the flows as were asked for, by since when they wait; with the first page, the sums of those that have waited longest.
///
/// They are read from a projection, which is a moment behind the orders themselves.
///
/// # Errors
/// `Unavailable` when the database is.
pub(crate) async fn list_stuck_flows(store: &Store, asked: Asked) -> Result<ListStuckFlowsResponse, Error> {
    let Asked { wanted, after, size } = asked;
    let (now, slot, reader) = (store.now(), read(store, FLOWS).await?, store.reader());
    let sums = match after {
        None => store::sums(reader, slot, &wanted, now, SUMMED).await?,
        Some(_) => Vec::new(),
    };
    let summed: i64 = sums.iter().map(|sum| sum.count).sum();
    let sums_limited = usize::try_from(summed).is_ok_and(|summed| summed >= SUMMED);
    let sums = sums.into_iter().map(sum).collect();
    let rows = store::page(reader, slot, &wanted, now, after, size + 1).await?;
    let places: Vec<_> = rows.iter().map(store::place).collect();
    let parts = store::parts(reader, slot, rows.iter().filter_map(|row| row.event_id.as_deref())).await?;
    let done = |row: &FlowRow| row.event_id.as_ref().and_then(|id| parts.get(id)).copied().unwrap_or_default();
    let mut flows: Vec<_> = rows.into_iter().map(|row| flow(done(&row), row, micros(now))).collect();
    // With what the contracts say they have more bytes than their rows.
    let fit = request::fit(&flows).min(size);
    let next_page_token = if fit < flows.len() { places[fit - 1].to_string() } else { String::new() };
    flows.truncate(fit);
    Ok(ListStuckFlowsResponse { flows, next_page_token, sums, sums_limited })
}

fn flow(done: Done, row: FlowRow, now: i64) -> Flow {
    let FlowRow { order_id, event, event_id, since, due, settled, settled_by, .. } = row;
    let age = settled.unwrap_or(now).saturating_sub(since.unwrap_or(now)).max(0);
    let time = |at: Option<i64>| at.map(|at| timestamp(from_micros(at)));
    let turns = if settled.is_none() { turns(&event, done) } else { Vec::new() };
    Flow {
        order_id,
        step: Some(step(&event)),
        event_id: event_id.unwrap_or_default(),
        since_time: time(since),
        due_time: time(due),
        age: Some(Duration {
            seconds: age / 1_000_000,
            nanos: i32::try_from(age % 1_000_000 * 1_000).unwrap_or_default(),
        }),
        settle_time: time(settled),
        settled_by: settled_by.unwrap_or_default(),
        turns,
    }
}

fn sum(sum: Sum) -> FlowSum {
    let Sum { event, done, class, count, oldest } = sum;
    let turns = turns(&event, Done::numbered(done));
    let age_class = i32::try_from(class).unwrap_or(AgeClass::Unspecified.into());
    FlowSum { step: Some(step(&event)), age_class, count, oldest_time: Some(timestamp(from_micros(oldest))), turns }
}

/// What the contracts say of an event; of one that they no longer expect anything of, its name alone.
fn step(event: &str) -> FlowStep {
    let Some(Step { any_of, turns, within, .. }) = asked_by(event) else {
        return FlowStep { event: event.to_owned(), ..FlowStep::default() };
    };
    FlowStep {
        event: event.to_owned(),
        any_of: any_of.iter().map(|name| (*name).to_owned()).collect(),
        turns: turns.iter().map(resource).collect(),
        within: Duration::try_from(*within).ok(),
    }
}

/// Whose turn it is once these have done their part.
fn turns(event: &str, done: Done) -> Vec<FlowTurn> {
    asked_by(event).map(|step| step.turns_after(done).iter().map(resource).collect()).unwrap_or_default()
}

fn resource(turn: &Turn) -> FlowTurn {
    FlowTurn { service: turn.service.to_owned(), reaction: turn.reaction.unwrap_or_default().to_owned() }
}
