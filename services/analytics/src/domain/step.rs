//! The steps of the saga, as the contracts have them: an event, what has to follow it, and whose turn it is until then.

use std::sync::LazyLock;
use std::time::Duration;

use contracts::reactions::REACTIONS;
use contracts::tables::{EVENTS, Event};
use contracts::tradewind::options::v1::Role;

/// Every event that says what it expects.
pub static STEPS: LazyLock<Vec<Step>> = LazyLock::new(|| EVENTS.iter().filter_map(step).collect());

/// An event and what has to follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The event's full name.
    pub event: &'static str,
    /// The full names of the events of which one has to follow.
    pub any_of: &'static [&'static str],
    /// The longest that it may take.
    pub within: Duration,
    /// Whose turn it is: everybody who has to react to the event; where nobody has, whoever has to say what follows.
    pub turns: Vec<Turn>,
}

/// Somebody whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The service.
    pub service: &'static str,
    /// Its reaction; none where it goes on by itself.
    pub reaction: Option<&'static str>,
}

impl Step {
    /// Whether what has to follow belongs to the stream of the event: there it is known by its place. Of another stream it is known by
    /// its cause.
    #[must_use]
    pub fn is_answered_in_its_stream(&self) -> bool {
        let of =
            |name: &str| EVENTS.iter().find(|event| event.name == name).map(|event| (event.owner, event.aggregate));
        self.any_of.iter().all(|answer| of(answer) == of(self.event))
    }
}

/// The step that an event begins.
#[must_use]
pub fn asked_by(event: &str) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.event == event)
}

/// The steps that an event ends.
pub fn answered_by(event: &str) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| step.any_of.contains(&event))
}

/// The steps in which it is a service's turn.
pub fn in_which_it_is_the_turn_of(service: &str) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| step.turns.iter().any(|turn| turn.service == service))
}

/// The context that says an event: the second segment of its full name.
#[must_use]
pub fn owner_of(event: &str) -> Option<&str> {
    event.split('.').nth(1)
}

fn step(event: &'static Event) -> Option<Step> {
    let within = event.within.filter(|_| !event.any_of.is_empty())?;
    let reacts = REACTIONS.iter().filter(|reaction| reaction.event == event.name && reaction.role != Role::Observe);
    let mut turns: Vec<_> =
        reacts.map(|reaction| Turn { service: reaction.context, reaction: Some(reaction.name) }).collect();
    if turns.is_empty() {
        let mut owners: Vec<_> = event.any_of.iter().filter_map(|name| owner_of(name)).collect();
        owners.dedup();
        turns.extend(owners.into_iter().map(|service| Turn { service, reaction: None }));
    }
    Some(Step { event: event.name, any_of: event.any_of, within, turns })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(event: &str) -> Vec<(&'static str, Option<&'static str>)> {
        asked_by(event).unwrap().turns.iter().map(|turn| (turn.service, turn.reaction)).collect()
    }

    #[test]
    fn it_is_the_turn_of_whoever_has_to_react() {
        assert_eq!(turns("tradewind.ordering.v1.OrderPaid"), [("shipping", Some("book_on_order_paid"))]);
        let services = turns("tradewind.ordering.v1.OrderCancelled");
        assert_eq!(
            services.iter().map(|(service, _)| *service).collect::<Vec<_>>(),
            ["inventory", "payment", "shipping"]
        );
        assert!(asked_by("tradewind.ordering.v1.OrderClosed").is_none());
    }

    #[test]
    fn where_nobody_has_to_it_is_that_of_whoever_says_what_follows() {
        assert_eq!(turns("tradewind.payment.v1.PaymentRequested"), [("payment", None)]);
    }

    #[test]
    fn an_event_may_end_several_steps() {
        let ended: Vec<_> = answered_by("tradewind.ordering.v1.OrderCancelled").map(|step| step.event).collect();
        let steps =
            ["OrderPlaced", "OrderStockConfirmed", "OrderPaid"].map(|name| format!("tradewind.ordering.v1.{name}"));
        assert_eq!(ended, steps);
        assert_eq!(answered_by("tradewind.ordering.v1.OrderPlaced").count(), 0);
    }

    #[test]
    fn what_shipping_says_to_ordering_is_known_by_its_cause() {
        let asked = |event| asked_by(event).unwrap().is_answered_in_its_stream();
        assert!(asked("tradewind.ordering.v1.OrderPaid") && asked("tradewind.shipping.v1.ShipmentRequested"));
        assert!(!asked("tradewind.ordering.v1.OrderCancellationRequested"));
    }
}
