use contracts::tradewind::payment::v1::PaymentStatus;
use proptest::prelude::*;
use tradewind_domain::Aggregate;

use super::*;
use crate::domain::Payment;

/// Anything, also what contradicts itself.
fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(charge()),
        Just(charge_of(1)),
        Just(charge_of(0)),
        Just(give_back()),
        (any_minor(), "(ch_[12])?").prop_map(|(minor, id)| Command::RecordCaptured(moved(minor, &id))),
        Just(record_declined()),
        Just(Command::RecordVoided),
        (any_minor(), "(re_[12])?").prop_map(|(minor, id)| Command::RecordRefunded(moved(minor, &id))),
    ]
}

/// Mostly what was asked for.
fn any_minor() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(2_000), 1 => -1_i64..3]
}

pub(super) fn any_commands() -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(any_command(), 0..24)
}

/// A payment, what it led to, and how it stood after each event.
#[derive(Default)]
pub(super) struct Story {
    payment: Payment,
    pub(super) events: Vec<PaymentEvent>,
    statuses: Vec<PaymentStatus>,
}

impl Story {
    pub(super) fn told(commands: Vec<Command>) -> Self {
        let mut story = Self::default();
        for command in commands {
            story.hear(command);
        }
        story
    }

    fn hear(&mut self, command: Command) -> Vec<PaymentEvent> {
        let events = self.payment.decide(command).unwrap_or_default();
        for event in &events {
            self.payment.evolve(event);
            self.statuses.push(self.payment.status());
        }
        self.events.extend(events.iter().cloned());
        events
    }

    fn places_of(&self, is: fn(&PaymentEvent) -> bool) -> Vec<usize> {
        (0..self.events.len()).filter(|place| is(&self.events[*place])).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn money_is_taken_at_most_once(commands in any_commands()) {
        let story = Story::told(commands);
        prop_assert!(story.places_of(|e| matches!(e, PaymentEvent::Requested(_))).len() <= 1);
        prop_assert!(story.places_of(|e| matches!(e, PaymentEvent::Captured(_))).len() <= 1);
    }

    #[test]
    fn money_is_given_back_at_most_once_and_only_after_it_was_taken(commands in any_commands()) {
        let story = Story::told(commands);
        let captured = story.places_of(|e| matches!(e, PaymentEvent::Captured(_)));
        let requested = story.places_of(|e| matches!(e, PaymentEvent::RefundRequested(_)));
        let refunded = story.places_of(|e| matches!(e, PaymentEvent::Refunded(_)));
        prop_assert!(requested.len() <= 1 && refunded.len() <= 1);
        for (cause, effect) in [(&captured, &requested), (&requested, &refunded)] {
            if let Some(effect) = effect.first() {
                prop_assert!(cause.first().is_some_and(|cause| cause < effect), "{:?}", story.events);
            }
        }
    }

    #[test]
    fn what_is_asked_back_is_what_was_taken(commands in any_commands()) {
        let story = Story::told(commands);
        let taken = story.events.iter().find_map(|event| match event {
            PaymentEvent::Captured(event) => Some(&event.amount),
            _ => None,
        });
        for event in &story.events {
            if let PaymentEvent::RefundRequested(event) = event {
                prop_assert_eq!(Some(&event.amount), taken);
            }
        }
    }

    #[test]
    fn what_was_not_asked_for_is_not_kept(commands in any_commands()) {
        let story = Story::told(commands);
        let mismatched = |event: &PaymentEvent| matches!(event, PaymentEvent::Captured(event) if event.mismatch != 0);
        if story.events.iter().any(mismatched) {
            prop_assert!(story.places_of(|e| matches!(e, PaymentEvent::RefundRequested(_))).len() == 1);
        }
    }

    #[test]
    fn the_end_is_the_end(commands in any_commands()) {
        let story = Story::told(commands);
        let is_end = |status: &PaymentStatus| {
            matches!(status, PaymentStatus::Declined | PaymentStatus::Voided | PaymentStatus::Refunded)
        };
        let end = story.statuses.iter().position(is_end);
        prop_assert!(end.is_none_or(|end| end + 1 == story.statuses.len()), "{:?}", story.events);
    }

    #[test]
    fn a_cancelled_payment_keeps_nothing_once_the_provider_has_answered(
        commands in any_commands(),
        answers in prop::collection::vec(any_command(), 0..12),
    ) {
        let mut story = Story::told(commands);
        story.hear(charge());
        story.hear(give_back());
        for answer in answers {
            story.hear(answer);
            prop_assert_ne!(story.payment.status(), PaymentStatus::Captured);
        }
    }

    #[test]
    fn a_command_repeated_at_once_changes_nothing(commands in any_commands()) {
        let mut story = Story::default();
        for command in commands {
            story.hear(command.clone());
            prop_assert_eq!(story.hear(command), Vec::new());
        }
    }

    #[test]
    fn the_state_is_total_over_any_events(picks in prop::collection::vec(0_usize..7, 0..20)) {
        let all =
            [requested(), captured(), declined(), void_requested(), voided(), refund_requested(), refunded()];
        let mut payment = Payment::default();
        for pick in picks {
            payment.evolve(&all[pick]);
        }
    }
}
