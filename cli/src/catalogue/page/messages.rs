//! What messages hold, field by field, and what values enums have.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use tradewind_transcode::schema::{Comments, Holds, is_deprecated};

use super::super::facts::{self, word};
use super::super::html::Html;
use super::{Places, entry, group, kind, table};
use crate::said::{self, Said, Sayings, text};

/// Every message and enum that stands for itself, by package.
pub(super) fn section(pool: &DescriptorPool, places: &Places) -> Html {
    let alone: Vec<_> = facts::messages(pool).filter(|message| is_alone(message, places)).collect();
    let packages: BTreeSet<String> = alone
        .iter()
        .map(|message| message.package_name().to_owned())
        .chain(facts::enums(pool).map(|kind| kind.package_name().to_owned()))
        .collect();
    Html::all(packages.iter().map(|package| {
        let messages = alone.iter().filter(|message| message.package_name() == package).map(of_message);
        let enums = facts::enums(pool).filter(|kind| kind.package_name() == package).map(|kind| of_enum(&kind));
        group(&format!("package.{package}"), package, messages.chain(enums).collect::<Vec<_>>())
    }))
}

/// Whether a message is neither an event nor shown with its method.
fn is_alone(message: &MessageDescriptor, places: &Places) -> bool {
    !said::sayings(&message.options()).contains_key("event") && !places.is_of_a_method(message.full_name())
}

fn of_message(message: &MessageDescriptor) -> Html {
    let said = Comments::of_message(message);
    let inside = [Html::prose(&said), fields(message)];
    entry(
        message.full_name(),
        &local(message.full_name(), message.package_name()),
        &tags("message", &message.options()),
        first(&said),
        inside,
    )
}

fn of_enum(kind: &EnumDescriptor) -> Html {
    let said = Comments::of_enum(kind);
    let values = kind.values().map(|value| {
        let said =
            Html::all([mark(is_deprecated(&value.options()), "deprecated"), Html::said(&Comments::of_value(&value))]);
        [Html::code(value.name()), Html::text(&value.number().to_string()), said]
    });
    let inside = [Html::prose(&said), table(["value", "number", "what it means"], values)];
    entry(
        kind.full_name(),
        &local(kind.full_name(), kind.package_name()),
        &tags("enum", &kind.options()),
        first(&said),
        inside,
    )
}

/// What is said beside the name of a declaration.
pub(super) fn tags(said: &str, options: &DynamicMessage) -> String {
    if is_deprecated(options) { format!("{said} · deprecated") } else { said.to_owned() }
}

/// The fields of a message as a table, or that there are none.
pub(super) fn fields(message: &MessageDescriptor) -> Html {
    if message.fields().len() == 0 {
        return Html::of_text("p", "none", "It holds nothing.");
    }
    let row = |field: FieldDescriptor| {
        let name = [Html::code(field.name()), Html::of_text("small", "", &format!(" {}", field.number()))];
        [Html::all(name), kind_of(&field), Html::all([marks(&field), Html::said(&Comments::of_field(&field))])]
    };
    table(["field", "type", "what it holds"], message.fields().map(row).collect::<Vec<_>>())
}

fn kind_of(field: &FieldDescriptor) -> Html {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
            Html::all([Html::text("map of "), kind(&key), Html::text(" to "), kind(&value)])
        }
        one if field.is_list() => Html::all([Html::text("list of "), kind(&one)]),
        one => kind(&one),
    }
}

/// What the options say of a field, before its comment.
fn marks(field: &FieldDescriptor) -> Html {
    let said = said::sayings(&field.options());
    let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let flags = [
        mark(facts::is_sensitive(field), "sensitive"),
        mark(is_deprecated(&field.options()), "deprecated"),
        mark(field.supports_presence() && field.containing_oneof().is_some() && oneof.is_none(), "optional"),
        mark(said.get("waits") == Some(&Said::Flag(true)), "waits"),
        oneof.map_or_else(Html::default, |oneof| mark(true, &format!("one of {}", oneof.name()))),
        match word(text(&said, "owner")) {
            owner if owner.is_empty() => Html::default(),
            owner => mark(true, &format!("says whose it is: {owner}")),
        },
    ];
    Html::all(flags.into_iter().chain(held(&said, &Holds::of(field))))
}

/// What it has to hold.
fn held(said: &Sayings, holds: &Holds) -> Vec<Html> {
    let mut held = vec![mark(holds.required, "required")];
    if ["max_length", "holds.min_length", "holds.max_length"].iter().any(|option| said.contains_key(*option)) {
        held.push(match holds.shortest {
            0 => mark(true, &format!("up to {} characters", holds.longest)),
            shortest => mark(true, &format!("{shortest} to {} characters", holds.longest)),
        });
    }
    held.push(mark(!holds.format.is_empty(), &holds.format));
    if !holds.pattern.is_empty() {
        held.extend([Html::of_text("code", "mark", &holds.pattern), Html::text(" ")]);
    }
    held.extend(holds.minimum.map(|least| mark(true, &format!("at least {least}"))));
    held.extend(holds.maximum.map(|most| mark(true, &format!("at most {most}"))));
    held.extend(holds.most_items.map(|most| mark(true, &format!("up to {most} items"))));
    held
}

fn mark(is_set: bool, said: &str) -> Html {
    let class = if said == "sensitive" { "mark sensitive" } else { "mark" };
    if is_set { Html::all([Html::of_text("span", class, said), Html::text(" ")]) } else { Html::default() }
}

/// The first sentence of a comment.
pub(super) fn first(said: &str) -> &str {
    Comments::first_sentence(said)
}

/// The name of a declaration within its package: of one in another, both.
fn local(full_name: &str, package: &str) -> String {
    full_name.strip_prefix(package).unwrap_or(full_name).trim_start_matches('.').to_owned()
}
