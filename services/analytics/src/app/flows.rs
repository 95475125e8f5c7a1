//! The flow ledger, kept from the events of others: the one place where an event becomes what is asked, and what is answered.

use contracts::reactions::REACTIONS;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_projections::{Projection, Writer};
use tradewind_sql::micros;

use crate::domain::{Done, Step, answered_by, asked_by, owner_of, part_in};
use crate::store::{FlowRow, flow, part, put_answer, put_part, put_question};

/// What the projection is called.
pub(super) const FLOWS: &str = "analytics.flows";

/// What has to follow every event, and what did: of each event that the contract has such a reaction for.
#[must_use]
pub fn flows() -> Projection {
    let none = Projection::new(FLOWS, 1).table::<flow::Entity>().table::<part::Entity>();
    let follows = REACTIONS.iter().filter(|each| each.context == "analytics" && each.name.starts_with("follow_on_"));
    follows.fold(none, |all, each| {
        all.on_named::<()>(each.event, each.name, |writer, event| follow(writer, each.event, event))
    })
}

/// Writes what an event of that name asks, what it answers, and in what it is a part. Of what it says nothing is read.
///
/// # Errors
/// `Internal` where it has a position that no database has room for.
pub(super) fn follow(writer: &mut Writer<'_>, name: &str, event: &Received<()>) -> Result<(), Error> {
    let order_id = &event.metadata.partition_key;
    for step in answered_by(name) {
        put_answer(
            writer,
            FlowRow {
                cause: cause(step, || event.metadata.causation.clone()),
                settled: Some(micros(event.time)),
                settled_by: Some(name.to_owned()),
                source: owner_of(name).map(ToOwned::to_owned),
                partition: Some(event.partition.into()),
                position: Some(i64::try_from(event.position).map_err(Error::internal)?),
                ..of(order_id, step)
            },
        );
    }
    if let Some(service) = part_in(name).filter(|_| !event.metadata.causation.is_empty()) {
        put_part(writer, &event.metadata.causation, Done::by(service), micros(event.time));
    }
    if let Some(step) = asked_by(name) {
        put_question(
            writer,
            FlowRow {
                cause: cause(step, || event.id.to_string()),
                event_id: Some(event.id.to_string()),
                since: Some(micros(event.time)),
                due: Some(micros(event.time + step.within)),
                ..of(order_id, step)
            },
        );
    }
    Ok(())
}

fn of(order_id: &str, step: &Step) -> FlowRow {
    FlowRow { order_id: order_id.to_owned(), event: step.event.to_owned(), ..FlowRow::default() }
}

/// What tells the answers to one question from those to another of its kind: its id, where it is their cause; nothing in its own
/// stream, where the last one is answered.
fn cause(step: &Step, id: impl FnOnce() -> String) -> String {
    if step.is_answered_in_its_stream() { String::new() } else { id() }
}
