//! What follows every event that somebody may be told of: a row for each endpoint that wants it, in the transaction that reads it.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use contracts::reactions::REACTIONS;
use prost::{Message, Name};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received};
use tradewind_store::Tx;

use super::body::{self, Event};
use super::endpoints::Endpoints;
use super::queue;

/// The types of events that somebody may be told of: those that the contract has such a reaction for.
pub(crate) static OFFERED: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let own = REACTIONS.iter().filter(|reaction| reaction.context == "notification");
    own.filter(|reaction| reaction.name.starts_with("offer_on_")).map(|reaction| reaction.event).collect()
});

/// Offers an event to whoever wants it.
#[derive(Clone)]
pub(crate) struct Offer(Option<Arc<Endpoints>>);

impl Offer {
    /// Offers to those of `endpoints`; to nobody where there are none.
    pub(crate) const fn to(endpoints: Option<Arc<Endpoints>>) -> Self {
        Self(endpoints)
    }
}

impl<E: Message + Name + Default + 'static> Reaction<E> for Offer {
    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        let Some(endpoints) = &self.0 else { return Ok(()) };
        let type_name = E::full_name();
        let wanting = endpoints.wanting(&tx.reading(), &type_name).await?;
        if wanting.is_empty() {
            return Ok(());
        }
        let (id, payload) = (event.id.to_string(), event.data.encode_to_vec());
        let subject = &event.metadata.partition_key;
        let said = Event { type_name: &type_name, id: &id, subject, time: event.time, payload: &payload };
        let body = body::of(&said)?;
        let place = endpoints.next_place(tx.now());
        for endpoint in &wanting {
            queue::put(tx, &endpoint.id, &said, &body, place);
        }
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
