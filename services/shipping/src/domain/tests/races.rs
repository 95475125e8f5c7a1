//! A cancellation and a dispatch meet in every order there is.

use tradewind_domain::Aggregate;

use super::*;
use crate::domain::Shipment;

/// What may be asked of a confirmed order's shipment at one moment, each by somebody else.
fn asked_at_once() -> Vec<Command> {
    vec![Command::RequestCancellation, Command::Dispatch, Command::Deliver, Command::RecordCancelled, Command::Clear]
}

/// Every order of these commands.
fn orders(commands: &[Command]) -> Vec<Vec<Command>> {
    if commands.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for (index, first) in commands.iter().enumerate() {
        let rest: Vec<Command> = [&commands[..index], &commands[index + 1..]].concat();
        all.extend(orders(&rest).into_iter().map(|order| [vec![first.clone()], order].concat()));
    }
    all
}

#[test]
fn whoever_asks_first_decides_in_every_order() {
    let orders = orders(&asked_at_once());
    assert_eq!(orders.len(), 120);
    for order in orders {
        let mut shipment = Shipment::default();
        for event in [requested(), booked(), cleared()] {
            shipment.evolve(&event);
        }
        let mut events = Vec::new();
        for command in &order {
            // A refusal is an answer; nothing follows from it.
            let decided = shipment.decide(command.clone()).unwrap_or_default();
            for event in decided {
                shipment.evolve(&event);
                events.push(event);
            }
        }
        let place = |wanted: &Command| order.iter().position(|command| command == wanted);
        let cancels_first = place(&Command::RequestCancellation) < place(&Command::Dispatch);
        assert_eq!(events.contains(&dispatched()), !cancels_first, "{order:?} led to {events:?}");
        assert_eq!(events.contains(&cancellation_requested()), cancels_first, "{order:?} led to {events:?}");
        assert_eq!(events.contains(&cancellation_refused()), !cancels_first, "{order:?} led to {events:?}");
        assert!(cancels_first || !events.contains(&cancelled()), "{order:?} led to {events:?}");
    }
}

#[test]
fn a_cancelled_order_and_an_open_booking_meet_in_every_order() {
    let commands = [cancel(), record_booked(), record_rejected(), Command::RecordCancelled];
    for order in orders(&commands) {
        let mut shipment = Shipment::default();
        shipment.evolve(&requested());
        let mut events = Vec::new();
        for command in &order {
            for event in shipment.decide(command.clone()).unwrap_or_default() {
                shipment.evolve(&event);
                events.push(event);
            }
        }
        let ends = events.iter().filter(|event| [cancelled(), rejected()].contains(event)).count();
        assert!(ends <= 1, "{order:?} led to {events:?}");
        assert!(shipment.decide(Command::Dispatch).is_err(), "{order:?} led to {events:?}");
    }
}
