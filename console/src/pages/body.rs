//! What an event says, without what the contracts call sensitive.

use std::sync::LazyLock;

use anyhow::{Context, Result};
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::Value as Json;

/// Its JSON over several lines, or why it has none.
pub(super) fn text(name: &str, payload: &[u8]) -> String {
    shown(name, payload)
        .map_or_else(|error| format!("cannot be read by this build: {error:#}"), |said| format!("{said:#}"))
}

fn shown(name: &str, payload: &[u8]) -> Result<Json> {
    static POOL: LazyLock<Option<DescriptorPool>> =
        LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTOR).ok());
    let pool = POOL.as_ref().context("the contracts cannot be read")?;
    let sensitive = pool.get_extension_by_name("tradewind.options.v1.sensitive");
    let sensitive = sensitive.context("the contracts lack an option")?;
    let descriptor = pool.get_message_by_name(name).with_context(|| format!("the contracts have no {name}"))?;
    let message = DynamicMessage::decode(descriptor, payload)?;
    let mut said = serde_json::to_value(&message)?;
    hide(&mut said, &message.descriptor(), &sensitive);
    Ok(said)
}

/// Puts a mark in place of every sensitive field, however deep.
fn hide(said: &mut Json, descriptor: &MessageDescriptor, sensitive: &ExtensionDescriptor) {
    // A message that has a JSON form of its own, such as a time, is no object.
    let Json::Object(fields) = said else { return };
    for field in descriptor.fields() {
        let Some(value) = fields.get_mut(field.json_name()) else { continue };
        if field.options().get_extension(sensitive).as_ref() == &Value::Bool(true) {
            *value = "[redacted]".into();
            continue;
        }
        let Kind::Message(inner) = field.kind() else { continue };
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| hide(item, &inner, sensitive)),
            Json::Object(entries) if field.is_map() => {
                if let Kind::Message(inner) = inner.map_entry_value_field().kind() {
                    entries.values_mut().for_each(|item| hide(item, &inner, sensitive));
                }
            }
            one => hide(one, &inner, sensitive),
        }
    }
}
