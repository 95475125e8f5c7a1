//! An aggregate's rules as sentences: given these events, when this command, then those events, or
//! a refusal.
//!
//! ```ignore
//! scenario::given::<Order>([placed.into()])
//!     .when(Command::ConfirmStock { allocation })
//!     .then([stock_confirmed.into()]);
//! ```

use std::fmt::Write as _;

use tradewind_domain::{Aggregate, DomainError, EventSet};

/// An aggregate to which some events have happened.
pub struct Given<A: Aggregate> {
    state: A,
}

/// What an aggregate decided.
#[must_use = "a scenario checks nothing before `then` or `then_refused`"]
pub struct Decided<A: Aggregate> {
    state: A,
    outcome: Result<Vec<A::Event>, A::Error>,
}

/// An aggregate to which `events` have happened, in that order; none for a new one.
#[must_use = "a scenario checks nothing before `then` or `then_refused`"]
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        state.evolve(&event);
    }
    Given { state }
}

impl<A: Aggregate> Given<A> {
    /// Asks the aggregate to decide on `command`.
    pub fn when(self, command: A::Command) -> Decided<A> {
        let outcome = self.state.decide(command);
        Decided { state: self.state, outcome }
    }

    /// Returns the state the events led to.
    #[must_use]
    pub fn state(self) -> A {
        self.state
    }
}

impl<A: Aggregate> Decided<A> {
    /// Expects exactly `events`, none for a command with nothing left to do, and returns the
    /// aggregate they lead to, so that a scenario can go on.
    ///
    /// # Panics
    /// When the command was refused or led to other events; the message shows both.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let expected: Vec<A::Event> = events.into_iter().collect();
        let actual = match self.outcome {
            Ok(actual) => actual,
            Err(error) => {
                panic!("expected {}but the command was refused: {} ({error})\n", listed(&expected), error.reason(),)
            }
        };
        let same = expected.len() == actual.len()
            && expected.iter().zip(&actual).all(|(left, right)| identity(left) == identity(right));
        assert!(
            same,
            "expected {}but the command led to {}{}",
            listed(&expected),
            listed(&actual),
            hidden_difference(&expected, &actual),
        );
        let mut state = self.state;
        for event in &actual {
            state.evolve(event);
        }
        Given { state }
    }

    /// Expects a refusal with the stable `reason`.
    ///
    /// # Panics
    /// When the command led to events, or was refused for another reason; the message shows both.
    #[track_caller]
    pub fn then_refused(self, reason: &str) {
        match self.outcome {
            Ok(actual) => panic!("expected the refusal {reason}, but the command led to {}", listed(&actual)),
            Err(error) => assert!(
                error.reason() == reason,
                "expected the refusal {reason}, but the command was refused: {} ({error})",
                error.reason(),
            ),
        }
    }
}

/// Events are compared as readers would see them.
fn identity<E: EventSet>(event: &E) -> (String, Vec<u8>) {
    (event.type_name(), event.encode())
}

fn listed<E: EventSet>(events: &[E]) -> String {
    let mut text = match events.len() {
        0 => return "no events\n".to_owned(),
        1 => "1 event:\n".to_owned(),
        several => format!("{several} events:\n"),
    };
    for event in events {
        let debug = format!("{event:#?}").replace('\n', "\n    ");
        let _ = writeln!(text, "    {debug}");
    }
    text
}

/// Sensitive fields look alike in `Debug`, so two different events can print the same.
fn hidden_difference<E: EventSet>(expected: &[E], actual: &[E]) -> &'static str {
    if listed(expected) == listed(actual) { "they differ in a field that Debug does not show\n" } else { "" }
}
