use contracts::tradewind::ordering::v1::OrderStatus;
use proptest::prelude::*;
use tradewind_domain::{Aggregate, EventSet};

use super::*;
use crate::domain::Order;

/// What may be asked of an order that was placed; forward replies are likelier, so that all statuses are reached.
fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => Just(Command::ConfirmStock),
        3 => Just(Command::RecordPayment),
        1 => Just(Command::RefusePayment),
        3 => Just(Command::ConfirmShipment { tracking: "T-1".to_owned() }),
        2 => Just(Command::RecordRelease),
        2 => Just(refund()),
        2 => Just(Command::RecordShipmentCancelled),
        1 => Just(Command::RejectStock { short_lines: Vec::new(), reason: String::new() }),
        1 => Just(Command::DeclinePayment { reason: String::new() }),
        1 => Just(Command::RecordVoid),
        1 => Just(Command::RejectShipment { reason: String::new() }),
        1 => Just(Command::RefuseCancellation),
        1 => Just(Command::Ship { tracking: "T-1".to_owned() }),
        1 => Just(Command::Deliver),
        1 => Just(Command::Cancel),
        1 => Just(Command::Expire),
        1 => Just(Command::Place(Box::new(place()))),
    ]
}

/// An order, the commands it did not refuse, and what it led to.
#[derive(Default)]
struct Story {
    order: Order,
    heard: Vec<Command>,
    events: Vec<OrderEvent>,
}

impl Story {
    fn told(commands: Vec<Command>) -> Self {
        let mut story = Self::default();
        story.hear(Command::Place(Box::new(place())));
        for command in commands {
            story.hear(command);
        }
        story
    }

    fn hear(&mut self, command: Command) -> Vec<OrderEvent> {
        let Ok(events) = self.order.decide(command.clone()) else { return Vec::new() };
        for event in &events {
            self.order.evolve(event);
        }
        self.heard.push(command);
        self.events.extend(events.iter().cloned());
        events
    }

    fn count(&self, is: fn(&OrderEvent) -> bool) -> usize {
        self.events.iter().filter(|event| is(event)).count()
    }

    fn place_of(&self, is: fn(&OrderEvent) -> bool) -> Option<usize> {
        self.events.iter().position(is)
    }

    fn heard(&self, is: fn(&Command) -> bool) -> bool {
        self.heard.iter().any(is)
    }

    /// Everything the order ever asked for was given back or never taken, judged by what was heard.
    fn is_square(&self) -> bool {
        let stock = self.heard(|c| matches!(c, Command::RejectStock { .. } | Command::RecordRelease));
        let payment = self.heard(|c| {
            matches!(c, Command::DeclinePayment { .. } | Command::RecordVoid | Command::RecordRefund { .. })
        });
        let shipment = self.heard(|c| matches!(c, Command::RejectShipment { .. } | Command::RecordShipmentCancelled));
        stock
            && (payment || self.count(|e| matches!(e, OrderEvent::StockConfirmed(_))) == 0)
            && (shipment || self.count(|e| matches!(e, OrderEvent::Paid(_))) == 0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_event_happens_at_most_once_and_every_debt_is_settled_once(commands in prop::collection::vec(any_command(), 0..60)) {
        let story = Story::told(commands);
        let mut seen = std::collections::HashSet::new();
        for event in &story.events {
            let name = match event {
                OrderEvent::Compensated(event) => format!("{:?}", event.compensation()),
                other => other.type_name(),
            };
            prop_assert!(seen.insert(name), "twice in {:?}", story.events);
        }
    }

    #[test]
    fn an_order_is_never_both_fulfilled_and_cancelled(commands in prop::collection::vec(any_command(), 0..60)) {
        let story = Story::told(commands);
        let cancelled = story.place_of(|e| matches!(e, OrderEvent::Cancelled(_)));
        let shipped = story.place_of(|e| matches!(e, OrderEvent::Shipped(_)));
        prop_assert!(cancelled.is_none() || shipped.is_none());
        let confirmed = story.place_of(|e| matches!(e, OrderEvent::Confirmed(_)));
        if let (Some(confirmed), Some(cancelled)) = (confirmed, cancelled) {
            // Only because the customer asked, and shipping agreed.
            let asked = story.place_of(|e| matches!(e, OrderEvent::CancellationRequested(_)));
            prop_assert!(asked.is_some_and(|asked| confirmed < asked && asked < cancelled));
            prop_assert!(story.heard(|c| matches!(c, Command::RecordShipmentCancelled)));
            prop_assert_eq!(story.order.reason, i32::from(CancellationReason::Customer));
        }
    }

    #[test]
    fn a_cancelled_order_closes_exactly_when_it_is_owed_nothing(commands in prop::collection::vec(any_command(), 0..60)) {
        let story = Story::told(commands);
        let closed = story.place_of(|e| matches!(e, OrderEvent::Closed(_)));
        let cancelled = story.place_of(|e| matches!(e, OrderEvent::Cancelled(_)));
        match (cancelled, closed) {
            (None, closed) => prop_assert!(closed.is_none()),
            (Some(cancelled), Some(closed)) => prop_assert!(cancelled < closed && story.is_square()),
            (Some(_), None) => prop_assert!(!story.is_square()),
        }
        prop_assert_eq!(closed.is_some(), story.order.status() == OrderStatus::Cancelled);
    }

    #[test]
    fn a_cancelled_order_can_always_be_closed(commands in prop::collection::vec(any_command(), 0..60)) {
        let mut story = Story::told(commands);
        if story.count(|e| matches!(e, OrderEvent::Cancelled(_))) == 1 {
            for command in [Command::RecordShipmentCancelled, refund(), Command::RecordRelease] {
                story.hear(command);
            }
            prop_assert_eq!(story.order.status(), OrderStatus::Cancelled);
        }
    }

    #[test]
    fn nothing_happens_after_the_end(commands in prop::collection::vec(any_command(), 0..60)) {
        let story = Story::told(commands);
        let end = story.place_of(|e| matches!(e, OrderEvent::Closed(_) | OrderEvent::Delivered(_)));
        prop_assert!(end.is_none_or(|end| end + 1 == story.events.len()));
    }

    #[test]
    fn a_command_repeated_at_once_changes_nothing(commands in prop::collection::vec(any_command(), 0..60)) {
        let mut story = Story::default();
        story.hear(Command::Place(Box::new(place())));
        for command in commands {
            story.hear(command.clone());
            prop_assert_eq!(story.hear(command), Vec::new());
        }
    }

    #[test]
    fn the_state_is_total_over_any_events(picks in prop::collection::vec(0_usize..11, 0..40)) {
        let all = [
            placed(), stock_confirmed(), paid(), confirmed(), cancellation_requested(), cancellation_refused(),
            cancelled(CancellationReason::Customer), compensated(Compensation::Stock, None),
            closed(CancellationReason::Customer, None), shipped(), delivered(),
        ];
        let mut order = Order::default();
        for pick in picks {
            order.evolve(&all[pick]);
        }
    }
}
