//! What of an event is shown to whoever is outside: what the contract names and does not call `sensitive`. What this build does not
//! know may be either, so it is left out.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};

use crate::tables::{EVENTS, Part, Shown};

/// Returns what is shown of an event: its bytes without those of any field that is sensitive or not in the contract. Nothing is shown
/// of an event that is in no contract, or cannot be read.
#[must_use]
pub fn shown(event: &str, payload: &[u8]) -> Vec<u8> {
    let known = EVENTS.iter().find(|known| known.name == event);
    known.and_then(|known| copied(known.shown, payload)).unwrap_or_default()
}

fn copied(shown: &Shown, mut from: &[u8]) -> Option<Vec<u8>> {
    let mut to = Vec::with_capacity(from.len());
    while !from.is_empty() {
        let (tag, wire) = decode_key(&mut from).ok()?;
        let rest = from;
        skip_field(wire, tag, &mut from, DecodeContext::default()).ok()?;
        let mut value = &rest[..rest.len() - from.len()];
        let part = shown.fields.iter().find(|(known, _)| *known == tag).map(|(_, part)| part);
        match (part, wire) {
            (Some(Part::Whole), _) => {
                encode_key(tag, wire, &mut to);
                to.extend_from_slice(value);
            }
            (Some(Part::Message(shown)), WireType::LengthDelimited) => {
                decode_varint(&mut value).ok()?;
                let message = copied(shown, value)?;
                encode_key(tag, wire, &mut to);
                encode_varint(u64::try_from(message.len()).ok()?, &mut to);
                to.extend(message);
            }
            _ => {}
        }
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use prost::{Message, Name};
    use protox::prost_reflect::{self, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, Value};

    use super::*;
    use crate::tradewind::money::v1::Money;
    use crate::tradewind::ordering::v1::{OrderConfirmed, OrderStockConfirmed, Recipient};

    const SECRET: &str = "s3cret";

    #[test]
    fn what_is_not_sensitive_is_shown_as_it_is() {
        let total = Some(Money { currency: "GBP".to_owned(), minor: 900 });
        let event = OrderStockConfirmed { order_id: "o-1".to_owned(), total, payment_token: SECRET.to_owned() };
        let seen = shown(&OrderStockConfirmed::full_name(), &event.encode_to_vec());
        let expected = OrderStockConfirmed { payment_token: String::new(), ..event };
        assert_eq!(OrderStockConfirmed::decode(seen.as_slice()).unwrap(), expected);
    }

    #[test]
    fn of_somebody_no_more_is_shown_than_that_there_is_one() {
        let recipient = Some(Recipient { name: SECRET.to_owned(), email: SECRET.to_owned(), address: None });
        let event = OrderConfirmed { order_id: "o-1".to_owned(), recipient, ..OrderConfirmed::default() };
        let seen = shown(&OrderConfirmed::full_name(), &event.encode_to_vec());
        let expected = OrderConfirmed { recipient: Some(Recipient::default()), ..event };
        assert_eq!(OrderConfirmed::decode(seen.as_slice()).unwrap(), expected);
    }

    #[test]
    fn what_is_in_no_contract_is_not_shown() {
        let mut bytes = OrderConfirmed { order_id: "o-1".to_owned(), ..OrderConfirmed::default() }.encode_to_vec();
        let known = bytes.clone();
        prost::encoding::string::encode(900, &SECRET.to_owned(), &mut bytes);
        assert_eq!(shown(&OrderConfirmed::full_name(), &bytes), known);
        assert!(shown("tradewind.ordering.v1.OrderPondered", &bytes).is_empty());
        assert!(shown(&OrderConfirmed::full_name(), &[0xff]).is_empty());
    }

    /// Every text of every event says the same, so one that is shown is found whichever field it is in.
    #[test]
    fn no_sensitive_field_of_any_event_is_shown() {
        let pool = DescriptorPool::decode(crate::DESCRIPTOR).unwrap();
        let mut hidden = 0;
        for event in EVENTS {
            let full = filled(DynamicMessage::new(pool.get_message_by_name(event.name).unwrap()), false);
            let bytes = full.encode_to_vec();
            hidden += usize::from(contains(&bytes, SECRET));
            let seen = shown(event.name, &bytes);
            assert!(!contains(&seen, SECRET), "{} shows what is sensitive", event.name);
            assert_eq!(contains(&bytes, "plain"), contains(&seen, "plain"), "{} shows what is not", event.name);
        }
        assert!(hidden >= 10, "only {hidden} events hold anything sensitive");
    }

    fn contains(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }

    fn filled(mut message: DynamicMessage, sensitive: bool) -> DynamicMessage {
        for field in prost_reflect::ReflectMessage::descriptor(&message).fields() {
            let sensitive = sensitive || is_sensitive(&field);
            let value = value(&field, sensitive);
            let value = if field.is_list() {
                Value::List(vec![value])
            } else if field.is_map() {
                Value::Map([(MapKey::String(text(sensitive)), value)].into())
            } else {
                value
            };
            message.set_field(&field, value);
        }
        message
    }

    fn value(field: &FieldDescriptor, sensitive: bool) -> Value {
        match field.kind() {
            Kind::String => Value::String(text(sensitive)),
            Kind::Bytes => Value::Bytes(text(sensitive).into()),
            Kind::Message(message) => Value::Message(filled(DynamicMessage::new(message), sensitive)),
            kind => Value::default_value(&kind),
        }
    }

    fn text(sensitive: bool) -> String {
        if sensitive { SECRET } else { "plain" }.to_owned()
    }

    fn is_sensitive(field: &FieldDescriptor) -> bool {
        let option = field.parent_pool().get_extension_by_name("tradewind.options.v1.sensitive").unwrap();
        field.options().get_extension(&option).as_bool() == Some(true)
    }
}
