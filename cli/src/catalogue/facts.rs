//! What the options say of services and events, put together: who owns an event, who reads it, what has to follow it.

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, ServiceDescriptor};

use crate::said::{self, Said, Sayings, text};

/// A domain event.
pub(super) struct Event {
    pub(super) message: MessageDescriptor,
    /// The context that publishes it.
    pub(super) owner: String,
    /// What it is about.
    pub(super) aggregate: String,
    /// Full names of the events of which one has to follow it.
    pub(super) any_of: Vec<String>,
    /// Within which time, for people.
    pub(super) within: Option<String>,
    /// Who reacts to it.
    pub(super) readers: Vec<Reaction>,
}

/// What a context does about an event.
#[derive(Clone)]
pub(super) struct Reaction {
    pub(super) context: String,
    /// Full name of the event.
    pub(super) event: String,
    pub(super) name: String,
    /// What it is within the saga: forward, compensation, progress or observe.
    pub(super) role: String,
    /// The reaction that takes it back; empty where there is nothing to take back.
    pub(super) undo: String,
}

impl Event {
    /// Its name without its package.
    pub(super) fn name(&self) -> &str {
        self.message.name()
    }
}

/// Every event, by owner and then as declared.
pub(super) fn events(pool: &DescriptorPool) -> Vec<Event> {
    let reactions: Vec<_> = pool.services().flat_map(|service| reactions(&service)).collect();
    let event = |message: MessageDescriptor| {
        let said = said::sayings(&message.options());
        said.contains_key("event").then(|| Event {
            owner: text(&said, "event.owner").to_owned(),
            aggregate: text(&said, "event.aggregate").to_owned(),
            any_of: said.get("event.expects.any_of").map(|said| said.words().to_vec()).unwrap_or_default(),
            within: said.get("event.expects.within").map(Said::to_string),
            readers: reactions.iter().filter(|each| each.event == message.full_name()).cloned().collect(),
            message,
        })
    };
    let mut events: Vec<_> = pool.all_messages().filter_map(event).collect();
    events.sort_by(|one, other| one.owner.cmp(&other.owner));
    events
}

/// What a service does about events, by its name.
pub(super) fn reactions(service: &ServiceDescriptor) -> Vec<Reaction> {
    let context = context(service);
    let reaction = |(name, said): (String, Sayings)| Reaction {
        context: context.clone(),
        event: text(&said, "service.reacts.event").to_owned(),
        name,
        role: word(text(&said, "service.reacts.role")),
        undo: text(&said, "service.reacts.undo").to_owned(),
    };
    said::reactions(&service.options()).into_iter().map(reaction).collect()
}

/// The context that a service belongs to, which it or another of its package names; empty where every service serves it.
pub(super) fn context(service: &ServiceDescriptor) -> String {
    let is_beside = |other: &ServiceDescriptor| other.package_name() == service.package_name();
    let beside = service.parent_pool().services().filter(is_beside).collect::<Vec<_>>();
    let names = |service: &ServiceDescriptor| text(&said::sayings(&service.options()), "service.context").to_owned();
    let named = [service].into_iter().chain(&beside).map(names).find(|name| !name.is_empty());
    named.unwrap_or_default()
}

/// Whether a field is kept from logs, and from whoever is outside.
pub(super) fn is_sensitive(field: &FieldDescriptor) -> bool {
    said::sayings(&field.options()).get("sensitive") == Some(&Said::Flag(true))
}

/// Whether a declaration is one of the contracts' own, and none that they take from elsewhere.
pub(super) fn is_own(package: &str) -> bool {
    package != "google" && !package.starts_with("google.")
}

/// The messages that the contracts declare, but for what maps are made of.
pub(super) fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages().filter(|message| is_own(message.package_name()) && !message.is_map_entry())
}

/// The enums that they declare.
pub(super) fn enums(pool: &DescriptorPool) -> impl Iterator<Item = EnumDescriptor> {
    pool.all_enums().filter(|kind| is_own(kind.package_name()))
}

/// The message or enum that a kind names.
pub(super) fn named(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Message(message) => Some(message.full_name().to_owned()),
        Kind::Enum(kind) => Some(kind.full_name().to_owned()),
        _ => None,
    }
}

/// A value of an option for people: `RETRY_CLASS_WITH_REQUEST_ID` is `with request id`.
pub(super) fn word(value: &str) -> String {
    let prefixes = ["AUDIENCE_", "CRITICALITY_", "RETRY_CLASS_", "ROLE_", "OWNER_"];
    let value = prefixes.iter().find_map(|prefix| value.strip_prefix(prefix)).unwrap_or(value);
    value.to_lowercase().replace('_', " ")
}

/// `OrderPlaced` of `tradewind.ordering.v1.OrderPlaced`.
pub(super) fn last(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}
