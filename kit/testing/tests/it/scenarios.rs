use tradewind_domain::{Aggregate, DecodeError, DomainError, ErrorKind, EventSet};
use tradewind_testing::scenario;

#[derive(Clone, Debug, Default)]
struct Lamp {
    lit: bool,
    broken: bool,
}

#[derive(Clone, Debug)]
enum LampEvent {
    Lit,
    Broke { secret: Secret },
}

#[derive(Clone)]
struct Secret(u8);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl EventSet for LampEvent {
    fn type_names() -> Vec<String> {
        vec!["Lit".to_owned(), "Broke".to_owned()]
    }

    fn type_name(&self) -> String {
        match self {
            Self::Lit => "Lit".to_owned(),
            Self::Broke { .. } => "Broke".to_owned(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Lit => Vec::new(),
            Self::Broke { secret } => vec![secret.0],
        }
    }

    fn decode(type_name: &str, _bytes: &[u8]) -> Result<Self, DecodeError> {
        Err(DecodeError::UnknownType(type_name.to_owned()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the lamp is broken")]
struct Broken;

impl DomainError for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Rejected
    }

    fn reason(&self) -> &'static str {
        "LAMP_BROKEN"
    }
}

enum Command {
    Light,
    Break,
}

impl Aggregate for Lamp {
    const NAME: &'static str = "lamp";
    type Command = Command;
    type Event = LampEvent;
    type Error = Broken;

    fn decide(&self, command: Command) -> Result<Vec<LampEvent>, Broken> {
        match command {
            Command::Light if self.broken => Err(Broken),
            Command::Light if self.lit => Ok(vec![]),
            Command::Light => Ok(vec![LampEvent::Lit]),
            Command::Break => Ok(vec![broke(1)]),
        }
    }

    fn evolve(&mut self, event: &LampEvent) {
        match event {
            LampEvent::Lit => self.lit = true,
            LampEvent::Broke { .. } => (self.lit, self.broken) = (false, true),
        }
    }
}

fn broke(secret: u8) -> LampEvent {
    LampEvent::Broke { secret: Secret(secret) }
}

#[test]
fn a_scenario_goes_on_from_what_was_decided() {
    let lamp = scenario::given::<Lamp>([])
        .when(Command::Light)
        .then([LampEvent::Lit])
        .when(Command::Light)
        .then([])
        .when(Command::Break)
        .then([broke(1)]);
    assert!(lamp.state().broken);
}

#[test]
fn a_refusal_is_known_by_its_reason() {
    scenario::given::<Lamp>([broke(1)]).when(Command::Light).then_refused("LAMP_BROKEN");
}

#[test]
#[should_panic(expected = "expected 1 event:\n    Lit\nbut the command led to no events")]
fn other_events_fail_with_both() {
    scenario::given::<Lamp>([LampEvent::Lit]).when(Command::Light).then([LampEvent::Lit]);
}

#[test]
#[should_panic(expected = "differ in a field that Debug does not show")]
fn a_difference_that_debug_hides_is_a_difference() {
    scenario::given::<Lamp>([]).when(Command::Break).then([broke(2)]);
}

#[test]
#[should_panic(expected = "but the command was refused: LAMP_BROKEN (the lamp is broken)")]
fn an_unexpected_refusal_fails_with_its_reason() {
    scenario::given::<Lamp>([broke(1)]).when(Command::Light).then([LampEvent::Lit]);
}

#[test]
#[should_panic(expected = "expected the refusal LAMP_LOST, but the command was refused: LAMP_BROKEN")]
fn another_refusal_fails_with_both() {
    scenario::given::<Lamp>([broke(1)]).when(Command::Light).then_refused("LAMP_LOST");
}

#[test]
#[should_panic(expected = "expected the refusal LAMP_BROKEN, but the command led to 1 event:\n    Lit")]
fn a_missing_refusal_fails_with_the_events() {
    scenario::given::<Lamp>([]).when(Command::Light).then_refused("LAMP_BROKEN");
}
