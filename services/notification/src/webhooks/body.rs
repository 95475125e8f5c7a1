//! What a request says of an event, as JSON: what whoever is outside may see of it, with what a `CloudEvent` says of itself and of its
//! trace, and what the Standard Webhooks specification recommends.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tradewind_domain::Error;

/// The contracts; read when somebody is told of something first.
static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTOR).ok());

/// An event as it was recorded.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    /// Its full name.
    pub(crate) type_name: &'a str,
    /// Its id.
    pub(crate) id: &'a str,
    /// What it is about.
    pub(crate) subject: &'a str,
    /// Where it is in its partition of the log.
    pub(crate) position: u64,
    /// When it was recorded.
    pub(crate) time: OffsetDateTime,
    /// The trace of the work that recorded it; empty where there was none.
    pub(crate) traceparent: &'a str,
    /// Its message.
    pub(crate) payload: &'a [u8],
}

impl Event<'_> {
    /// The context that has recorded it: the second part of its name.
    pub(crate) fn context(&self) -> &str {
        self.type_name.split('.').nth(1).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: &'a str,
    subject: &'a str,
    time: &'a str,
    timestamp: &'a str,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    traceparent: &'a str,
    data: DynamicMessage,
}

/// Writes what is told of an event.
///
/// # Errors
/// An event that is in no contract.
pub(crate) fn of(event: &Event<'_>) -> Result<String, Error> {
    let unknown = || Error::internal(format!("{} is in no contract", event.type_name));
    let descriptor = POOL.as_ref().and_then(|pool| pool.get_message_by_name(event.type_name)).ok_or_else(unknown)?;
    let shown = contracts::shown(event.type_name, event.payload);
    let time = event.time.format(&Rfc3339).map_err(Error::internal)?;
    let body = Body {
        specversion: "1.0",
        id: event.id,
        source: format!("/tradewind/{}", event.context()),
        r#type: event.type_name,
        subject: event.subject,
        time: &time,
        timestamp: &time,
        datacontenttype: "application/json",
        traceparent: event.traceparent,
        data: DynamicMessage::decode(descriptor, shown.as_slice()).map_err(Error::internal)?,
    };
    serde_json::to_string(&body).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use contracts::tradewind::money::v1::Money;
    use contracts::tradewind::ordering::v1::{OrderCancelled, OrderConfirmed, Recipient};
    use prost::{Message, Name};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_body_is_an_event_without_what_is_sensitive() {
        let recipient = Recipient { name: "Ada".to_owned(), email: "ada@example.org".to_owned(), address: None };
        let confirmed = OrderConfirmed {
            order_id: "o-1".to_owned(),
            recipient: Some(recipient),
            total: Some(Money { currency: "GBP".to_owned(), minor: 900 }),
            tracking: "TW1".to_owned(),
            ..OrderConfirmed::default()
        };
        let event = Event {
            type_name: &OrderConfirmed::full_name(),
            id: "e-1",
            subject: "o-1",
            position: 1,
            time: OffsetDateTime::UNIX_EPOCH,
            traceparent: "",
            payload: &confirmed.encode_to_vec(),
        };
        let body: Value = serde_json::from_str(&of(&event).unwrap()).unwrap();
        let data = json!({
            "orderId": "o-1", "recipient": {}, "total": { "currency": "GBP", "minor": "900" }, "tracking": "TW1"
        });
        assert_eq!(
            body,
            json!({
                "specversion": "1.0", "id": "e-1", "source": "/tradewind/ordering", "subject": "o-1",
                "type": "tradewind.ordering.v1.OrderConfirmed", "time": "1970-01-01T00:00:00Z",
                "timestamp": "1970-01-01T00:00:00Z", "datacontenttype": "application/json", "data": data
            })
        );
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let traced: Value = serde_json::from_str(&of(&Event { traceparent: trace, ..event }).unwrap()).unwrap();
        assert_eq!(traced["traceparent"], trace, "CloudEvents' extension for tracing");
        assert!(of(&Event { type_name: "tradewind.ordering.v1.OrderPondered", ..event }).is_err());
    }

    #[test]
    fn what_a_later_build_adds_is_left_out_and_a_value_without_a_name_is_its_number() {
        let cancelled = OrderCancelled { order_id: "o-1".to_owned(), reason: 9_999, ..OrderCancelled::default() };
        let mut payload = cancelled.encode_to_vec();
        prost::encoding::string::encode(15_000, &"of a later build".to_owned(), &mut payload);
        let event = Event {
            type_name: &OrderCancelled::full_name(),
            id: "e-1",
            subject: "o-1",
            position: 1,
            time: OffsetDateTime::UNIX_EPOCH,
            traceparent: "",
            payload: &payload,
        };
        let body: Value = serde_json::from_str(&of(&event).unwrap()).unwrap();
        assert_eq!(body["data"], json!({ "orderId": "o-1", "reason": 9_999 }));
    }
}
