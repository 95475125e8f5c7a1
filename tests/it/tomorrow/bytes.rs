//! Every event that was ever released, as a later build may write it.

use contracts::tables::EVENTS;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, Value};
use system_tests::tomorrow::{TEXT, VALUE, rewritten};

use crate::programs::project;
use crate::released::golden;

/// Whether a message holds the value that no enum has.
fn has_value(message: &DynamicMessage) -> bool {
    message.fields().any(|(_, value)| is_of_a_later_build(value))
}

fn is_of_a_later_build(value: &Value) -> bool {
    match value {
        Value::EnumNumber(number) => *number == VALUE,
        Value::Message(message) => has_value(message),
        Value::List(values) => values.iter().any(is_of_a_later_build),
        _ => false,
    }
}

/// What a field is that nobody here knows may be anybody's secret. A value of an enum is told as the number that it is.
#[test]
fn whoever_is_outside_is_shown_no_field_that_only_a_later_build_knows() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let (mut seen, mut valued) = (0, 0);
    for (name, bytes) in golden() {
        if !EVENTS.iter().any(|event| event.name == name) {
            continue;
        }
        let later = rewritten(&name, &bytes);
        assert!(text_in(&later), "{name} is not rewritten");
        let shown = contracts::shown(&name, &later);
        assert!(!text_in(&shown), "{name} shows what a later build added");
        let read = |bytes: &[u8]| DynamicMessage::decode(pool.get_message_by_name(&name).unwrap(), bytes).unwrap();
        assert_eq!(has_value(&read(&shown)), has_value(&read(&later)), "{name}");
        seen += 1;
        valued += usize::from(has_value(&read(&later)));
    }
    assert!(seen > 30 && valued > 3, "{seen} events, {valued} with an enum");
}

fn text_in(bytes: &[u8]) -> bool {
    bytes.windows(TEXT.len()).any(|window| window == TEXT.as_bytes())
}

#[test]
fn what_is_in_no_contract_is_left_as_it_is_and_shown_to_nobody() {
    let name = "tradewind.ordering.v1.OrderPondered";
    assert_eq!(rewritten(name, b"anything"), b"anything");
    assert!(contracts::shown(name, b"anything").is_empty());
}

/// The enums of events that a service may read, as its source is read word by word. What a value does that it has no name for is
/// decided for each, and told in docs/compatibility.md.
const DECIDED: [&str; 10] = [
    // It is counted by its number, whatever it is called.
    "analytics reads tradewind.ordering.v1.OrderCancelled.reason",
    "analytics reads tradewind.ordering.v1.OrderClosed.reason",
    // What is set aside goes back, whyever.
    "inventory reads tradewind.ordering.v1.OrderCancelled.reason",
    // Webhooks are told the number.
    "notification reads tradewind.ordering.v1.OrderCancelled.reason",
    // The letter leaves out why.
    "notification reads tradewind.ordering.v1.OrderClosed.reason",
    // Whatever is not zero is a mismatch.
    "ordering reads tradewind.payment.v1.PaymentCaptured.mismatch",
    "ordering reads tradewind.payment.v1.PaymentDeclined.mismatch",
    // What came back is told by its amount, and these give back whatever the reason is.
    "ordering reads tradewind.payment.v1.PaymentRefunded.mismatch",
    "payment reads tradewind.ordering.v1.OrderCancelled.reason",
    "shipping reads tradewind.ordering.v1.OrderCancelled.reason",
];

#[test]
fn what_an_enum_of_a_later_build_does_is_decided_wherever_one_is_read() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let is_enum = |line: &&str| {
        let (message, field) = line.rsplit(' ').next().unwrap().rsplit_once('.').unwrap();
        let message = pool.get_message_by_name(message).unwrap();
        matches!(message.get_field_by_name(field).unwrap().kind(), Kind::Enum(_))
    };
    let reads = std::fs::read_to_string(project("cli/src/compat/reads.txt")).unwrap();
    // A person reads what the console shows; and it takes no role for staff that it has no name for.
    let by_programs = reads.lines().filter(|line| !line.starts_with("console calls "));
    assert_eq!(by_programs.filter(is_enum).collect::<Vec<_>>(), DECIDED);
}
