//! The steps of the saga, as the contracts have them: an event, what has to follow it, and whose turn it is until then.

use std::sync::LazyLock;
use std::time::Duration;

use contracts::reactions::REACTIONS;
use contracts::tables::{EVENTS, Event};
use contracts::tradewind::options::v1::Role;

use super::Done;

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
    /// The service that says what follows.
    pub owner: &'static str,
    /// Whose turn it is first: everybody who has to react to the event; where nobody has, the owner.
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
    /// Whose turn it is once these have done their part: the others', and in the end the owner's.
    #[must_use]
    pub fn turns_after(&self, done: Done) -> Vec<Turn> {
        let left: Vec<_> = self.turns.iter().filter(|turn| !done.has(turn.service)).cloned().collect();
        if left.is_empty() { vec![Turn { service: self.owner, reaction: None }] } else { left }
    }

    /// Who is to blame where it was late: whoever had the turn; of parts that came late nobody knows whose it was.
    #[must_use]
    pub fn late_by(&self, done: Done, parts_were_late: bool) -> Vec<Turn> {
        if parts_were_late { self.turns.clone() } else { self.turns_after(done) }
    }

    /// Everybody whose turn it may be, the owner last.
    #[must_use]
    pub fn services(&self) -> Vec<&'static str> {
        let others = self.turns.iter().map(|turn| turn.service).filter(|service| *service != self.owner);
        others.chain([self.owner]).collect()
    }

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

/// The steps in which it may be a service's turn, each with who has done its part when it is.
pub fn turns_of(service: &str) -> impl Iterator<Item = (&'static Step, Vec<Done>)> {
    let is_turn = move |step: &Step, done: Done| step.turns_after(done).iter().any(|turn| turn.service == service);
    let of = move |step: &'static Step| (step, Done::all().filter(|done| is_turn(step, *done)).collect::<Vec<_>>());
    STEPS.iter().map(of).filter(|(_, when)| !when.is_empty())
}

/// The service that has done its part in a step when it says this event: one whose turn it was, to whoever waits for it.
#[must_use]
pub fn part_in(event: &str) -> Option<&str> {
    let service = owner_of(event)?;
    let hears = |owner: &str| {
        REACTIONS.iter().any(|each| each.context == owner && each.event == event && each.role != Role::Observe)
    };
    let has_turn = |step: &Step| step.owner != service && step.turns.iter().any(|turn| turn.service == service);
    STEPS.iter().any(|step| has_turn(step) && hears(step.owner)).then_some(service)
}

/// The context that says an event: the second segment of its full name.
#[must_use]
pub fn owner_of(event: &str) -> Option<&str> {
    event.split('.').nth(1)
}

fn step(event: &'static Event) -> Option<Step> {
    let within = event.within.filter(|_| !event.any_of.is_empty())?;
    let reacts = REACTIONS.iter().filter(|reaction| reaction.event == event.name && reaction.role != Role::Observe);
    let owner = owner_of(event.any_of.first()?)?;
    let mut turns: Vec<_> =
        reacts.map(|reaction| Turn { service: reaction.context, reaction: Some(reaction.name) }).collect();
    if turns.is_empty() {
        turns.push(Turn { service: owner, reaction: None });
    }
    Some(Step { event: event.name, any_of: event.any_of, within, owner, turns })
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
    fn who_has_done_its_part_hands_over_and_the_owner_is_last() {
        let cancelled = asked_by("tradewind.ordering.v1.OrderCancelled").unwrap();
        let after =
            |done| cancelled.turns_after(Done::numbered(done)).iter().map(|turn| turn.service).collect::<Vec<_>>();
        assert_eq!((after(1), after(7)), (vec!["payment", "shipping"], vec!["ordering"]));
        assert_eq!(cancelled.services(), ["inventory", "payment", "shipping", "ordering"]);
        let requested = asked_by("tradewind.payment.v1.PaymentRequested").unwrap();
        assert_eq!(requested.services(), ["payment"]);
        let blamed = |late| cancelled.late_by(Done::numbered(7), late).len();
        assert_eq!((blamed(false), blamed(true)), (1, 3));
        let paid = |service| turns_of(service).any(|(step, _)| step.event == "tradewind.ordering.v1.OrderPaid");
        assert!(paid("shipping") && paid("ordering") && !paid("payment"));
    }

    #[test]
    fn a_part_is_what_is_said_to_whoever_waits() {
        assert_eq!(part_in("tradewind.inventory.v1.StockReserved"), Some("inventory"));
        assert_eq!(part_in("tradewind.shipping.v1.ShipmentBooked"), Some("shipping"));
        assert_eq!(
            (part_in("tradewind.payment.v1.PaymentRequested"), part_in("tradewind.ordering.v1.OrderPaid")),
            (None, None)
        );
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
