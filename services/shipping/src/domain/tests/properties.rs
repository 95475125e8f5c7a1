use contracts::tradewind::shipping::v1::ShipmentStatus;
use proptest::prelude::*;
use tradewind_domain::Aggregate;

use super::*;
use crate::domain::Shipment;

/// Anything, also what contradicts itself.
fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => Just(book()),
        1 => Just(book_of(3)),
        2 => Just(Command::Clear),
        1 => Just(Command::RequestCancellation),
        1 => Just(cancel()),
        2 => Just(Command::Dispatch),
        1 => Just(Command::Deliver),
        3 => ("(TW[12])?", any::<bool>()).prop_map(|(tracking, is_anothers)| Command::RecordBooked {
            tracking: Reference::read(&tracking),
            is_anothers,
        }),
        1 => Just(record_rejected()),
        1 => Just(Command::RecordCancelled),
    ]
}

fn any_commands() -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(any_command(), 0..32)
}

/// A shipment, what it led to, and how it stood after each event.
#[derive(Default)]
struct Story {
    shipment: Shipment,
    events: Vec<ShipmentEvent>,
    statuses: Vec<ShipmentStatus>,
}

impl Story {
    fn told(commands: Vec<Command>) -> Self {
        let mut story = Self::default();
        for command in commands {
            story.hear(command);
        }
        story
    }

    fn hear(&mut self, command: Command) -> Vec<ShipmentEvent> {
        let events = self.shipment.decide(command).unwrap_or_default();
        for event in &events {
            self.shipment.evolve(event);
            self.statuses.push(self.shipment.status());
        }
        self.events.extend(events.iter().cloned());
        events
    }

    fn count(&self, is: fn(&ShipmentEvent) -> bool) -> usize {
        self.events.iter().filter(|event| is(event)).count()
    }
}

fn is_cancellation(event: &ShipmentEvent) -> bool {
    matches!(event, ShipmentEvent::CancellationRequested(_))
}

fn is_dispatch(event: &ShipmentEvent) -> bool {
    matches!(event, ShipmentEvent::Dispatched(_))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_parcel_never_both_leaves_and_is_cancelled(commands in any_commands()) {
        let story = Story::told(commands);
        prop_assert!(story.count(is_cancellation) + story.count(is_dispatch) <= 1, "{:?}", story.events);
        let ends = |event: &ShipmentEvent| matches!(event, ShipmentEvent::Cancelled(_) | ShipmentEvent::Rejected(_));
        prop_assert!(story.count(ends) + story.count(is_dispatch) <= 1, "{:?}", story.events);
    }

    #[test]
    fn a_parcel_leaves_only_after_it_was_booked_and_cleared(commands in any_commands()) {
        let story = Story::told(commands);
        if let Some(place) = story.events.iter().position(is_dispatch) {
            prop_assert_eq!(&story.statuses[..place], [
                ShipmentStatus::Pending, ShipmentStatus::Booked, ShipmentStatus::Cleared,
            ]);
        }
    }

    #[test]
    fn every_request_of_a_confirmed_order_gets_exactly_one_answer(
        before in any_commands(),
        after in prop::collection::vec(any_command(), 0..12),
    ) {
        let mut story = Story::default();
        for command in [book(), record_booked(), Command::Clear] {
            story.hear(command);
        }
        for command in before {
            story.hear(command);
        }
        let status = story.shipment.status();
        let answer = story.hear(Command::RequestCancellation);
        for command in after.into_iter().filter(|command| *command != Command::RequestCancellation) {
            story.hear(command);
        }
        match status {
            ShipmentStatus::Dispatched | ShipmentStatus::Delivered => {
                prop_assert_eq!(answer, vec![cancellation_refused()]);
                prop_assert_eq!(story.count(is_cancellation), 0);
            }
            _ => {
                story.hear(Command::RecordCancelled);
                prop_assert_eq!(story.count(|event| matches!(event, ShipmentEvent::Cancelled(_))), 1);
                prop_assert_eq!(story.count(|event| matches!(event, ShipmentEvent::CancellationRefused(_))), 0);
            }
        }
    }

    #[test]
    fn the_end_is_the_end(commands in any_commands()) {
        let story = Story::told(commands);
        let is_end = |status: &ShipmentStatus| {
            matches!(status, ShipmentStatus::Rejected | ShipmentStatus::Cancelled | ShipmentStatus::Delivered)
        };
        if let Some(end) = story.statuses.iter().position(is_end) {
            // A request is still answered after the delivery, and changes nothing.
            let same = story.statuses[end..].iter().all(|status| *status == story.statuses[end]);
            prop_assert!(same, "{:?}", story.events);
            let answers = |event: &ShipmentEvent| matches!(event, ShipmentEvent::CancellationRefused(_));
            prop_assert!(story.events[end + 1..].iter().all(answers), "{:?}", story.events);
        }
    }

    #[test]
    fn a_command_repeated_at_once_changes_nothing(commands in any_commands()) {
        let mut story = Story::default();
        for command in commands.into_iter().filter(|command| *command != Command::RequestCancellation) {
            story.hear(command.clone());
            prop_assert_eq!(story.hear(command), Vec::new());
        }
    }

    #[test]
    fn what_is_cancelled_cannot_leave(commands in any_commands(), after in any_commands()) {
        let mut story = Story::told(commands);
        if story.count(is_dispatch) == 0 {
            story.hear(cancel());
            let asked = story.count(is_cancellation) > 0;
            for command in after {
                story.hear(command);
            }
            prop_assert!(!asked || story.count(is_dispatch) == 0, "{:?}", story.events);
        }
    }

    #[test]
    fn the_state_is_total_over_any_events(picks in prop::collection::vec(0_usize..9, 0..20)) {
        let all = [
            requested(), booked(), rejected(), cleared(), cancellation_requested(), cancelled(),
            cancellation_refused(), dispatched(), delivered(),
        ];
        let mut shipment = Shipment::default();
        for pick in picks {
            shipment.evolve(&all[pick]);
        }
    }
}
