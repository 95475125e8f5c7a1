//! What is told of an event as a part of its trace: when the broker has it, and what processes it.

use opentelemetry::{Context, KeyValue};
use tradewind_broker::wire;
use tradewind_store::Recorded;
use tradewind_telemetry::{Doing, Kind, Part, names, parent};

/// The part in which `reaction` processes an event: it goes on with the event's trace, and follows from what recorded it.
pub(crate) fn processing(consumer: &'static str, reaction: &'static str, event: &Recorded) -> Part {
    let doing = Doing::new([
        KeyValue::new(names::REACTION, reaction),
        KeyValue::new(names::CLOUDEVENTS_EVENT_TYPE, event.type_name.clone()),
        KeyValue::new(names::CLOUDEVENTS_EVENT_SUBJECT, event.stream.to_string()),
        KeyValue::new(names::POSITION, signed(event.position)),
    ]);
    let cause = parent(&event.metadata.traceparent);
    let facts = || {
        let mut facts = of_message("process", event);
        facts.push(KeyValue::new(names::MESSAGING_CONSUMER_GROUP_NAME, consumer));
        facts.extend_from_slice(doing.facts());
        facts
    };
    let name = || format!("process {}", destination(event)).into();
    let part = Part::begin(Kind::Consumer, &cause, &Context::new().with_value(doing.clone()), name, facts);
    part.follows(&cause);
    part
}

/// The part in which an event is on its way to the broker, in a message of so many; `None` where nobody collects it.
pub(crate) fn sending(event: &Recorded, together: usize) -> Option<Part> {
    let facts = || {
        let mut facts = of_message("send", event);
        facts.push(KeyValue::new(names::MESSAGING_BATCH_MESSAGE_COUNT, signed(together)));
        facts.push(KeyValue::new(names::CLOUDEVENTS_EVENT_TYPE, event.type_name.clone()));
        facts.push(KeyValue::new(names::CLOUDEVENTS_EVENT_SUBJECT, event.stream.to_string()));
        facts
    };
    let name = || format!("send {}", destination(event)).into();
    Part::collected(Kind::Producer, &parent(&event.metadata.traceparent), &Context::new(), name, facts)
}

fn of_message(operation: &'static str, event: &Recorded) -> Vec<KeyValue> {
    vec![
        KeyValue::new(names::MESSAGING_SYSTEM, "nats"),
        KeyValue::new(names::MESSAGING_OPERATION_NAME, operation),
        KeyValue::new(names::MESSAGING_OPERATION_TYPE, operation),
        KeyValue::new(names::MESSAGING_DESTINATION_NAME, destination(event)),
        KeyValue::new(names::MESSAGING_DESTINATION_PARTITION_ID, event.partition.to_string()),
        KeyValue::new(names::MESSAGING_MESSAGE_ID, event.id.to_string()),
        KeyValue::new(names::MESSAGING_MESSAGE_CONVERSATION_ID, event.metadata.correlation.clone()),
    ]
}

/// The stream at the broker.
fn destination(event: &Recorded) -> String {
    wire::stream_name(event.type_name.split('.').nth(1).unwrap_or_default())
}

fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
