//! The body of an event, for people and for programs: what is sensitive is hidden, what cannot be decoded is shown as it is.

use std::sync::LazyLock;

use anyhow::{Context, Result};
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value as OptionValue,
};
use serde_json::{Map, Value, json};

/// Bytes shown of a body that cannot be decoded.
const SHOWN: usize = 256;
const REDACTED: &str = "[redacted]";

/// A body as it can be shown.
pub(crate) enum Body {
    /// In proto3's JSON form, without what is sensitive.
    Decoded(Value),
    /// Why it is no such message, and its first bytes in hexadecimal.
    Undecodable { error: String, hex: String, bytes: usize },
}

/// Decodes what the contracts call `type_name`.
///
/// # Errors
/// When the contracts cannot be read.
pub(crate) fn of(type_name: &str, payload: &[u8]) -> Result<Body> {
    static POOL: LazyLock<Option<DescriptorPool>> =
        LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTOR).ok());
    let pool = POOL.as_ref().context("the contracts cannot be read")?;
    let sensitive =
        pool.get_extension_by_name("tradewind.options.v1.sensitive").context("the contracts lack an option")?;
    let decoded = match pool.get_message_by_name(type_name) {
        None => Err(format!("the contracts have no {type_name}")),
        Some(descriptor) => DynamicMessage::decode(descriptor, payload).map_err(|error| error.to_string()),
    };
    Ok(match decoded {
        Ok(message) => {
            let mut shown = serde_json::to_value(&message)?;
            redact(&mut shown, &message.descriptor(), &sensitive);
            Body::Decoded(shown)
        }
        Err(error) => Body::Undecodable { error, hex: hex(payload), bytes: payload.len() },
    })
}

impl Body {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Decoded(message) => json!({ "message": message }),
            Self::Undecodable { error, hex, bytes } => json!({ "error": error, "hex": hex, "bytes": bytes }),
        }
    }

    /// For people, over several lines.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Decoded(message) => format!("{message:#}"),
            Self::Undecodable { error, hex, bytes } => format!("cannot be decoded: {error}\n{bytes} bytes: {hex}"),
        }
    }
}

/// Puts a mark in place of every field that the contracts call sensitive, however deep.
fn redact(shown: &mut Value, descriptor: &MessageDescriptor, sensitive: &ExtensionDescriptor) {
    // A message that has a JSON form of its own, such as a time, is no object.
    let Value::Object(fields) = shown else { return };
    for field in descriptor.fields() {
        let Some(value) = fields.get_mut(field.json_name()) else { continue };
        if field.options().get_extension(sensitive).as_ref() == &OptionValue::Bool(true) {
            *value = REDACTED.into();
        } else if let Kind::Message(inner) = field.kind() {
            match value {
                Value::Array(items) => items.iter_mut().for_each(|item| redact(item, &inner, sensitive)),
                Value::Object(entries) if field.is_map() => redact_entries(entries, &inner, sensitive),
                one => redact(one, &inner, sensitive),
            }
        }
    }
}

fn redact_entries(entries: &mut Map<String, Value>, entry: &MessageDescriptor, sensitive: &ExtensionDescriptor) {
    if let Kind::Message(inner) = entry.map_entry_value_field().kind() {
        entries.values_mut().for_each(|value| redact(value, &inner, sensitive));
    }
}

fn hex(payload: &[u8]) -> String {
    let shown: String = payload.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    if payload.len() > SHOWN { format!("{shown}…") } else { shown }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use contracts::tradewind::ordering::v1::{Address, OrderPlaced, Recipient};
    use prost::Message;

    use super::*;

    const PLACED: &str = "tradewind.ordering.v1.OrderPlaced";

    #[test]
    fn what_is_sensitive_is_hidden_and_everything_else_shown() {
        let address = Address { line1: "1 Quay".to_owned(), ..Address::default() };
        let placed = OrderPlaced {
            order_id: "o-1".to_owned(),
            payment_token: "tok_ok".to_owned(),
            recipient: Some(Recipient { name: "Ada".to_owned(), address: Some(address), ..Recipient::default() }),
            ..OrderPlaced::default()
        };
        let text = of(PLACED, &placed.encode_to_vec()).unwrap().text();
        assert!(text.contains("o-1") && text.contains(REDACTED), "{text}");
        for secret in ["tok_ok", "Ada", "Quay"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_shown_as_it_is_up_to_a_limit() {
        let Body::Undecodable { hex, bytes, .. } = of(PLACED, &[0xff; 1000]).unwrap() else { unreachable!() };
        assert_eq!((hex, bytes), (format!("{}…", "ff".repeat(SHOWN)), 1000));
        let Body::Undecodable { error, hex, .. } = of("tradewind.none.v1.Nothing", b"\x01\xab").unwrap() else {
            unreachable!()
        };
        assert_eq!((error.as_str(), hex.as_str()), ("the contracts have no tradewind.none.v1.Nothing", "01ab"));
    }
}
