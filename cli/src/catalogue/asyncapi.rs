//! The events as whoever is outside reads them, as AsyncAPI 3.1 has it: each subject is a channel, on which the owner sends and
//! a reader receives. Subjects, headers and what of an event is shown are those of the broker's wire and of the contracts.

use std::collections::BTreeMap;

use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};
use tradewind_broker::wire;
use tradewind_transcode::schema::{Comments, Place, Schemas};

use super::facts::{self, Event, Reaction};

const PROTOBUF: &str = "application/protobuf";

/// The headers of every message: what CloudEvents asks for, and the place of the event in its log.
const HEADERS: [(&str, Presence, &str); 13] = [
    ("ce-specversion", Presence::Always, "The version of CloudEvents: 1.0."),
    ("ce-id", Presence::Always, "The event's id, a UUID: two messages with one id are one event."),
    ("ce-type", Presence::Always, "The full name of the event's message."),
    ("ce-source", Presence::Always, "The owner of the event."),
    ("ce-subject", Presence::Always, "What the event is about: of all that happens to an order, the order's id."),
    ("ce-time", Presence::Always, "When it was recorded, as RFC 3339 writes it."),
    ("ce-datacontenttype", Presence::Always, "What the body is."),
    ("content-type", Presence::Always, "The same, as HTTP calls it."),
    ("ce-partition", Presence::Always, "The partition of the log: all about one subject is in one, in order."),
    ("ce-position", Presence::Always, "The position in the partition: every one is taken, from 1 on."),
    ("ce-log", Presence::Always, "The id of the log: positions of two logs have nothing to do with each other."),
    ("ce-after", Presence::Mostly, "The id of the event at the position before; absent at the first."),
    ("ce-traceparent", Presence::Mostly, "The W3C trace context that it was recorded in; absent where there was none."),
];

/// Whether a message has a header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Always,
    Mostly,
}

/// The document.
pub(crate) fn document(pool: &DescriptorPool) -> Value {
    let events = facts::events(pool);
    let (mut schemas, mut messages) = (Schemas::default(), Map::new());
    let mut channels: BTreeMap<String, Channel<'_>> = BTreeMap::new();
    for event in &events {
        messages.insert(event.message.full_name().to_owned(), message(event, &mut schemas));
        let key = format!("{}.{}", event.owner, event.name());
        channels.entry(key).or_insert_with(|| Channel { owner: &event.owner, events: Vec::new() }).events.push(event);
    }
    let mut owners: Vec<_> = events.iter().map(|event| event.owner.as_str()).collect();
    owners.dedup();
    let mut operations = Map::new();
    let mut subjects = Map::new();
    for (key, channel) in &channels {
        subjects.insert(key.clone(), channel.subject());
        operations.extend(channel.operations(key));
    }
    for owner in &owners {
        let key = format!("{owner}.head");
        subjects.insert(key.clone(), head_subject(owner));
        operations.extend(head_operations(&key, owner));
    }
    let mut components = json!({
        "schemas": schemas.all(),
        "messages": messages,
        "securitySchemes": { "reader": {
            "type": "X509",
            "description": "A certificate of the shop's authority that names the contexts that its holder reads.",
        } },
    });
    components["schemas"]["Headers"] = headers();
    components["messages"]["Head"] = head();
    json!({
        "asyncapi": "3.1.0",
        "id": "urn:tradewind:events",
        "info": {
            "title": "Tradewind: events",
            "version": tradewind_runtime::VERSION,
            "description": "What happens in the shop, as programs read it that are no part of it. Nothing in it is sensitive. \
                 A body is the protobuf message that ce-type names; its schema here is the message's JSON form. Types and \
                 fields come to be, and none goes away: whoever does not know one passes over it.",
            "license": { "name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
            "tags": owners.iter().map(|owner| tag(owner)).collect::<Vec<_>>(),
        },
        "defaultContentType": PROTOBUF,
        "servers": { "broker": {
            "host": "localhost:7422",
            "protocol": "nats",
            "description": "NATS with JetStream over TLS. Each context has a stream, on which a reader has a durable pull consumer of its own name.",
            "security": [{ "$ref": "#/components/securitySchemes/reader" }],
        } },
        "channels": subjects,
        "operations": operations,
        "components": components,
    })
}

/// A subject with the events that are sent on it: one, but where an event has come to be in two versions.
struct Channel<'a> {
    owner: &'a str,
    events: Vec<&'a Event>,
}

impl Channel<'_> {
    fn name(&self) -> &str {
        self.events.first().map_or("", |event| event.name())
    }

    fn subject(&self) -> Value {
        let all = wire::public_subjects(self.owner);
        let address = format!("{}{{partition}}.{}", all.trim_end_matches('>'), wire::token(self.name()));
        let name = |event: &&Event| event.message.full_name().to_owned();
        let messages: Map<_, _> =
            self.events.iter().map(|event| (name(event), component("messages", &name(event)))).collect();
        json!({
            "address": address,
            "title": self.name(),
            "description": format!("In the stream {}.", wire::public_stream(self.owner)),
            "messages": messages,
            "parameters": { "partition": {
                "description": "A partition of the log: a number from 0 on.",
                "examples": ["0"],
            } },
            "servers": [{ "$ref": "#/servers/broker" }],
            "tags": [tag(self.owner)],
        })
    }

    fn operations(&self, key: &str) -> [(String, Value); 2] {
        let (owner, name) = (self.owner, self.name());
        let messages: Vec<_> = self
            .events
            .iter()
            .map(|event| format!("#/channels/{key}/messages/{}", event.message.full_name()))
            .collect();
        let readers = self.events.iter().flat_map(|event| &event.readers).map(reads).collect::<Vec<_>>();
        let mut sent = operation("send", key, owner, &messages);
        sent["title"] = format!("{owner} publishes {name}").into();
        sent["description"] = "After it is committed. What NATS has lost is read of the owner, by ReadLog.".into();
        sent["x-services-that-react"] = readers.into();
        let mut received = operation("receive", key, owner, &messages);
        received["title"] = format!("A reader of {owner} receives {name}").into();
        received["description"] =
            "By its durable consumer. A message may come twice, and some may be missing: ce-position tells.".into();
        [(format!("{key}.publish"), sent), (format!("{key}.read"), received)]
    }
}

fn operation(action: &str, channel: &str, owner: &str, messages: &[String]) -> Value {
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "messages": messages.iter().map(|message| json!({ "$ref": message })).collect::<Vec<_>>(),
        "tags": [tag(owner)],
    })
}

fn reads(reaction: &Reaction) -> Value {
    let Reaction { context, event, name, role, undo } = reaction;
    json!({ "service": context, "event": event, "reaction": name, "role": role, "undo": undo })
}

fn message(event: &Event, schemas: &mut Schemas) -> Value {
    let name = event.message.full_name();
    let said = Comments::of_message(&event.message);
    let mut message = json!({
        "name": name,
        "title": event.name(),
        "summary": Comments::first_sentence(&said),
        "description": said,
        "contentType": PROTOBUF,
        "headers": { "allOf": [
            component("schemas", "Headers"),
            { "type": "object", "properties": {
                "ce-type": { "type": "string", "const": name },
                "ce-source": { "type": "string", "const": format!("/tradewind/{}", wire::token(&event.owner)) },
            } },
        ] },
        "payload": schemas.refer(&event.message, Place::Event),
        "tags": [tag(&event.owner)],
        "x-about": event.aggregate,
    });
    if !event.any_of.is_empty() {
        message["x-expects"] = json!({ "any_of": event.any_of, "within": event.within });
    }
    message
}

fn headers() -> Value {
    let header = |(name, _, description): (&str, Presence, &str)| {
        (name.to_owned(), json!({ "type": "string", "description": description }))
    };
    let always = HEADERS.iter().filter(|(_, presence, _)| *presence == Presence::Always).map(|(name, ..)| *name);
    json!({
        "type": "object",
        "description": "CloudEvents 1.0 in NATS' binary mode.",
        "properties": HEADERS.map(header).into_iter().collect::<Map<_, _>>(),
        "required": always.collect::<Vec<_>>(),
    })
}

fn head() -> Value {
    json!({
        "name": "Head",
        "title": "Head of a log",
        "summary": "How far the log reaches: its id, then the last position of each partition, with blanks between.",
        "contentType": "text/plain",
        "payload": { "type": "string", "pattern": "^[0-9a-f-]{36}( [0-9]+)*$" },
    })
}

fn head_subject(owner: &str) -> Value {
    json!({
        "address": wire::head_subject(owner),
        "title": format!("Head of {owner}"),
        "description": "Every second, and in no stream.",
        "messages": { "Head": component("messages", "Head") },
        "servers": [{ "$ref": "#/servers/broker" }],
        "tags": [tag(owner)],
    })
}

fn head_operations(key: &str, owner: &str) -> [(String, Value); 2] {
    let messages = [format!("#/channels/{key}/messages/Head")];
    let [mut sent, mut received] = ["send", "receive"].map(|action| operation(action, key, owner, &messages));
    sent["title"] = format!("{owner} tells how far its log reaches").into();
    received["title"] = format!("A reader of {owner} hears how far its log reaches").into();
    received["description"] =
        "Beyond what it has for more than a moment, it asks the owner for what is missing.".into();
    [(format!("{key}.publish"), sent), (format!("{key}.read"), received)]
}

fn component(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn tag(owner: &str) -> Value {
    json!({ "name": owner })
}
