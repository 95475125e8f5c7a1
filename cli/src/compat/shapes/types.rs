//! What changes in messages and enums.

use std::collections::BTreeSet;

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use super::changed;
use crate::compat::finding::{Finding, GONE, Hurt, Place};
use crate::compat::users::Users;
use crate::said::others;

/// What is held back of numbers and names: `8`, `9 to 11`, `"old"`.
type Reserved = BTreeSet<String>;

/// The most numbers of a reserved range that are looked at one by one.
const RANGE: u32 = 1_000;

pub(super) fn of_message(old: &MessageDescriptor, new: Option<&MessageDescriptor>, users: &Users) -> Vec<Finding> {
    let at = users.place(&old.parent_file(), old.full_name());
    let everybody = || users.of_type(old.full_name());
    let Some(new) = new else {
        return vec![at.breaks("message", ["there", GONE], "what holds it cannot be read", everybody())];
    };
    let mut findings = moved(&at, [&old.parent_file(), &new.parent_file()], everybody);
    for field in old.fields() {
        findings.extend(of_field(old, &field, new, users));
    }
    let numbers =
        |message: &MessageDescriptor| message.reserved_ranges().map(|range| (range.start, range.end)).collect();
    let names = |message: &MessageDescriptor| message.reserved_names().map(str::to_owned).collect();
    let (before, now) = (reserved(numbers(old), names(old)), reserved(numbers(new), names(new)));
    for held in before.difference(&now) {
        let used =
            new.fields().find(|field| *held == field.number().to_string() || *held == format!("{:?}", field.name()));
        let is = used.map_or_else(|| "free".to_owned(), |field| format!("field {}", field.name()));
        let was = format!("{held} held back");
        findings.push(at.breaks(
            "reserved",
            [&was, &is],
            "what was written under it before is read as that",
            everybody(),
        ));
    }
    findings
}

/// That something is in another file than before.
fn moved(at: &Place, [old, new]: [&FileDescriptor; 2], everybody: impl FnOnce() -> Hurt) -> Vec<Finding> {
    let has_moved = old.name() != new.name();
    let finding = || at.breaks("moved", [old.name(), new.name()], "stubs import it from where it was", everybody());
    has_moved.then(finding).into_iter().collect()
}

fn reserved(ranges: Vec<(u32, u32)>, names: Vec<String>) -> Reserved {
    let mut held: Reserved = names.iter().map(|name| format!("{name:?}")).collect();
    for (start, end) in ranges {
        if end.saturating_sub(start) <= RANGE {
            held.extend((start..end).map(|number| number.to_string()));
        } else {
            held.insert(format!("{start} to {}", end - 1));
        }
    }
    held
}

fn of_field(
    message: &MessageDescriptor,
    old: &FieldDescriptor,
    within: &MessageDescriptor,
    users: &Users,
) -> Vec<Finding> {
    let at = users.place(&old.parent_file(), old.full_name());
    let hurt = || users.of_field(message.full_name(), old.full_name());
    let number = |field: &FieldDescriptor| format!("number {}", field.number());
    let Some(new) = within.get_field(old.number()) else {
        let moved = within.get_field_by_name(old.name());
        let is = moved.map_or_else(|| GONE.to_owned(), |moved| number(&moved));
        return vec![at.breaks("field", [&number(old), &is], "what is written under its number is not read", hurt())];
    };
    let mut findings = Vec::new();
    let mut unlike = |rule: &'static str, was: String, is: String, why: &'static str| {
        if was != is {
            findings.push(at.breaks(rule, [&was, &is], why, hurt()));
        }
    };
    let name = |field: &FieldDescriptor| field.name().to_owned();
    unlike(
        "field name",
        name(old),
        name(&new),
        "JSON, queries and stubs have its name; or another field has its number",
    );
    if old.name() == new.name() {
        let name = |field: &FieldDescriptor| field.json_name().to_owned();
        unlike("JSON name", name(old), name(&new), "JSON is read and written under it");
    }
    unlike("field type", spelled(&old.kind()), spelled(&new.kind()), "its bytes are read as something else");
    unlike("cardinality", times(old), times(&new), "its bytes are read as something else");
    unlike("presence", presence(old), presence(&new), "that it is not there cannot be told, or is told of by chance");
    unlike("oneof", oneof(old), oneof(&new), "setting it clears others, or no longer does");
    let why = "it is written or spelled in another way";
    findings.extend(
        changed(&others(&old.options()), &others(&new.options()), |_| true)
            .map(|(option, was, is)| at.breaks("field option", [&format!("{option} {was}"), &is], why, hurt())),
    );
    findings
}

/// How a type is spelled in a contract.
pub(super) fn spelled(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) if message.is_map_entry() => {
            let (key, value) = (message.map_entry_key_field(), message.map_entry_value_field());
            format!("map<{}, {}>", spelled(&key.kind()), spelled(&value.kind()))
        }
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        kind => format!("{kind:?}").to_lowercase(),
    }
}

fn times(field: &FieldDescriptor) -> String {
    let times = if field.is_map() {
        "a map"
    } else if field.is_list() {
        "a list"
    } else {
        "one"
    };
    times.to_owned()
}

fn presence(field: &FieldDescriptor) -> String {
    // Of messages, lists and members of a oneof it follows from what they are.
    let is_plain = !field.is_list() && !matches!(field.kind(), Kind::Message(_)) && oneof(field) == "none";
    if is_plain && field.supports_presence() { "optional" } else { "implied" }.to_owned()
}

fn oneof(field: &FieldDescriptor) -> String {
    let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    oneof.map_or_else(|| "none".to_owned(), |oneof| oneof.name().to_owned())
}

pub(super) fn of_enum(old: &EnumDescriptor, new: Option<&EnumDescriptor>, users: &Users) -> Vec<Finding> {
    let at = users.place(&old.parent_file(), old.full_name());
    let everybody = || -> Hurt { users.of_type(old.full_name()) };
    let Some(new) = new else {
        return vec![at.breaks("enum", ["there", GONE], "what holds it cannot be read", everybody())];
    };
    let mut findings = moved(&at, [&old.parent_file(), &new.parent_file()], everybody);
    for value in old.values() {
        let at = users.place(&old.parent_file(), &format!("{}.{}", old.full_name(), value.name()));
        let (was, now) = (format!("{} = {}", value.name(), value.number()), new.get_value_by_name(value.name()));
        let of_number = || new.get_value(value.number()).map(|now| format!("{} = {}", now.name(), now.number()));
        let is = now.map(|now| format!("{} = {}", now.name(), now.number())).or_else(of_number);
        let is = is.unwrap_or_else(|| GONE.to_owned());
        if was != is {
            findings.push(at.breaks("enum value", [&was, &is], "it is read as another, or as none", everybody()));
        }
    }
    let numbers = |kind: &EnumDescriptor| {
        let range = |end: i32| u32::try_from(end).unwrap_or_default();
        kind.reserved_ranges().map(|held| (range(*held.start()), range(*held.end()).saturating_add(1))).collect()
    };
    let names = |kind: &EnumDescriptor| kind.reserved_names().map(str::to_owned).collect();
    for held in reserved(numbers(old), names(old)).difference(&reserved(numbers(new), names(new))) {
        let used =
            new.values().find(|value| *held == value.number().to_string() || *held == format!("{:?}", value.name()));
        let is = used.map_or_else(|| "free".to_owned(), |value| value.name().to_owned());
        let was = format!("{held} held back");
        findings.push(at.breaks(
            "reserved",
            [&was, &is],
            "what was written under it before is read as that",
            everybody(),
        ));
    }
    findings
}
