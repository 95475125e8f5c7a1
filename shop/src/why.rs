//! Why things wait, as the services say of one order of each kind.

use std::collections::BTreeMap;

use contracts::tradewind::analytics::v1::Flow;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::explain::{Held, held};
use crate::{Clients, explain_error};

/// What is known of why a kind of flow waits.
pub struct Reason {
    /// The full name of the event that waits.
    pub event: String,
    /// The order that was asked about.
    pub order_id: String,
    /// What keeps it, of each service that does; or why that cannot be told.
    pub held: Result<Vec<Held>, String>,
}

impl Reason {
    /// The same for programs.
    pub fn json(&self) -> Value {
        let Self { event, order_id, held } = self;
        let one = |Held { from, why, remedy }: &Held| json!({ "service": from, "why": why, "command": remedy.as_ref().map(ToString::to_string) });
        match held {
            Ok(held) => {
                json!({ "event": event, "order_id": order_id, "held": held.iter().map(one).collect::<Vec<_>>() })
            }
            Err(error) => json!({ "event": event, "order_id": order_id, "error": error }),
        }
    }
}

/// Why the first flow of each kind waits. There are no more kinds than events in the contracts.
pub async fn reasons(shop: &Clients, flows: &[Flow]) -> Vec<Reason> {
    let mut first = BTreeMap::new();
    for Flow { order_id, step, .. } in flows {
        first.entry(step.as_ref().map_or("", |step| step.event.as_str())).or_insert(order_id);
    }
    let asked = first.into_iter().map(|(event, order_id)| async move {
        let held = held(shop, order_id, event).await.map_err(|error| explain_error(&error));
        Reason { event: event.to_owned(), order_id: order_id.clone(), held }
    });
    join_all(asked).await
}
