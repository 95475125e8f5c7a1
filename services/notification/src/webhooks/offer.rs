//! What follows every event that somebody may be told of: a row for each endpoint that wants it, in the transaction that reads it.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use contracts::reactions::REACTIONS;
use prost::{Message, Name};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received};
use tradewind_sql::micros;
use tradewind_store::Tx;

use super::body::{self, Event};
use super::endpoints::Endpoints;
use super::queue;

/// The types of events that somebody may be told of: those that the contract has such a reaction for.
pub(crate) static OFFERED: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let own = REACTIONS.iter().filter(|reaction| reaction.context == "notification");
    own.filter(|reaction| offers(reaction.name)).map(|reaction| reaction.event).collect()
});

/// Whether it is such a reaction that has this name.
pub(crate) fn offers(name: &str) -> bool {
    name.starts_with("offer_on_")
}

/// Offers an event to whoever wants it.
#[derive(Clone)]
pub(crate) struct Offer(Arc<Endpoints>);

impl Offer {
    /// Offers to those of `endpoints`.
    pub(crate) const fn to(endpoints: Arc<Endpoints>) -> Self {
        Self(endpoints)
    }
}

impl<E: Message + Name + Default + 'static> Reaction<E> for Offer {
    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        let (type_name, recorded) = (E::full_name(), micros(event.time));
        let mut wanting = self.0.wanting(&tx.reading(), &type_name).await?;
        // What was recorded before somebody registered is history to them, whenever it is read.
        wanting.retain(|endpoint| endpoint.row.created <= recorded);
        if wanting.is_empty() {
            return Ok(());
        }
        let (id, payload) = (event.id.to_string(), event.data.encode_to_vec());
        let said = Event {
            type_name: &type_name,
            id: &id,
            subject: &event.metadata.partition_key,
            position: event.position,
            time: event.time,
            traceparent: &event.metadata.traceparent,
            payload: &payload,
        };
        let (body, place) = (body::of(&said)?, self.0.next_place(tx.now()));
        queue::put(tx, wanting.iter().map(|endpoint| endpoint.id()), &said, body, place);
        tx.after(move || wanting.iter().for_each(|endpoint| endpoint.due.notify_one()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_what_the_contract_says() {
        assert!(OFFERED.contains("tradewind.ordering.v1.OrderPlaced") && OFFERED.len() == 13, "{OFFERED:?}");
        assert!(!OFFERED.contains("tradewind.identity.v1.PasswordChanged"), "it is told to its owner alone");
    }
}
