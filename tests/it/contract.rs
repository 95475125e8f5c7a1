//! The contracts' own view of the system: who calls whom, who reacts to what.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, MessageDescriptor, Value};

/// A reaction as a service declares it.
#[derive(Debug)]
pub(crate) struct Reaction {
    pub(crate) event: String,
    pub(crate) name: String,
    pub(crate) role: i32,
    pub(crate) undo: String,
}

/// Numbers of `tradewind.options.v1.Role`.
pub(crate) const FORWARD: i32 = 1;
pub(crate) const COMPENSATION: i32 = 2;

pub(crate) fn pool() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTOR).expect("the descriptor set is readable")
}

fn extension(pool: &DescriptorPool, name: &str) -> ExtensionDescriptor {
    pool.get_extension_by_name(&format!("tradewind.options.v1.{name}")).expect("the options are declared")
}

/// The value of one of our options, where it is set.
pub(crate) fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension = extension(pool, name);
    options.has_extension(&extension).then(|| {
        let value = options.get_extension(&extension);
        value.as_message().expect("the option is a message").clone()
    })
}

pub(crate) fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field).expect("the field exists");
    value.as_list().expect("a list").iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The context of `tradewind.<context>.v1.X`.
pub(crate) fn context_of(full_name: &str) -> &str {
    full_name.split('.').nth(1).unwrap_or_default()
}

/// Every event message with its options.
pub(crate) fn events(pool: &DescriptorPool) -> Vec<(MessageDescriptor, DynamicMessage)> {
    pool.all_messages()
        .filter_map(|message| option(pool, &message.options(), "event").map(|event| (message, event)))
        .collect()
}

/// Each context's declared reactions.
pub(crate) fn reactions(pool: &DescriptorPool) -> BTreeMap<String, Vec<Reaction>> {
    let declared = pool.services().filter_map(|service| option(pool, &service.options(), "service"));
    declared
        .map(|options| {
            let reacts = options.get_field_by_name("reacts").expect("reacts exists");
            let reactions = reacts.as_list().expect("a list").iter().filter_map(Value::as_message);
            let reactions = reactions.map(|reaction| Reaction {
                event: text(reaction, "event"),
                name: text(reaction, "reaction"),
                role: reaction.get_field_by_name("role").and_then(|role| role.as_enum_number()).unwrap_or_default(),
                undo: text(reaction, "undo"),
            });
            (text(&options, "context"), reactions.collect())
        })
        .collect()
}

/// Each rpc of our packages with the workloads that may call it.
pub(crate) fn callers(pool: &DescriptorPool) -> BTreeMap<String, Vec<String>> {
    let ours = pool.services().filter(|service| service.package_name().starts_with("tradewind."));
    ours.flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| {
            let options = option(pool, &method.options(), "method");
            (method.full_name().to_owned(), options.map(|options| texts(&options, "callers")).unwrap_or_default())
        })
        .collect()
}

/// The whole graph as text, one edge a line.
pub(crate) fn graph(pool: &DescriptorPool) -> String {
    let mut edges = BTreeSet::new();
    for (method, callers) in callers(pool) {
        for caller in callers {
            edges.insert(format!("{caller} calls {method}"));
        }
    }
    for (context, reactions) in reactions(pool) {
        for Reaction { event, name, undo, .. } in reactions {
            let undone = if undo.is_empty() { String::new() } else { format!(", undone by {undo}") };
            edges.insert(format!("{context} reacts to {event}: {name}{undone}"));
            let owner = context_of(&event);
            edges.insert(format!("{context} reads the log of {owner}"));
        }
    }
    edges.into_iter().map(|edge| edge + "\n").collect()
}
