//! `docs/events.md` is made from the contracts, and from the functions that name streams and subjects; `UPDATE_GOLDEN=1` writes it anew.

use contracts::tables::{EVENTS, Event};
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use tradewind_broker::wire;
use tradewind_mesh::Policy;

use system_tests::project::project;

const HEAD: &str = include_str!("events_document/head.md");

#[test]
fn the_document_says_which_events_there_are_and_what_of_them_is_shown() {
    let text = document();
    let path = project("docs").join("events.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text).unwrap();
    } else {
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), text);
    }
}

fn document() -> String {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let mut text = HEAD.to_owned();
    for context in Policy::new(&contracts::CONTRACT).contexts() {
        let events: Vec<_> = EVENTS.iter().filter(|event| event.owner == context).collect();
        if events.is_empty() {
            continue;
        }
        text.push_str(&format!(
            "\n## {context}\n\nStream `{}`, subjects `{}`.\n\n| event | is about | when | fields | not shown | what must follow |\n\
             | --- | --- | --- | --- | --- | --- |\n",
            wire::public_stream(context),
            wire::public_subjects(context),
        ));
        events.into_iter().for_each(|event| text.push_str(&row(event, &pool)));
    }
    text
}

fn row(event: &Event, pool: &DescriptorPool) -> String {
    let message = pool.get_message_by_name(event.name).unwrap();
    let (mut shown, mut hidden) = (Vec::new(), Vec::new());
    fields(&message, "", &mut shown, &mut hidden);
    let follows = match event.within {
        None => String::new(),
        Some(within) => {
            let names: Vec<_> = event.any_of.iter().map(|name| short(name)).collect();
            format!("{} within {} s", names.join(" or "), within.as_secs())
        }
    };
    let cells =
        [short(event.name), event.aggregate.to_owned(), said(&message), shown.join(", "), hidden.join(", "), follows];
    format!("| {} |\n", cells.join(" | ").replace("|  |", "| |").trim_end())
}

fn short(name: &str) -> String {
    format!("`{}`", name.rsplit('.').next().unwrap_or_default())
}

/// The fields of an event, and those of what of it is shown in part.
fn fields(message: &MessageDescriptor, within: &str, shown: &mut Vec<String>, hidden: &mut Vec<String>) {
    for field in message.fields() {
        let name = format!("{within}{}", field.name());
        match field.kind() {
            _ if is_sensitive(&field) => hidden.push(format!("`{name}`")),
            Kind::Message(part) if holds_sensitive(&part) => fields(&part, &format!("{name}."), shown, hidden),
            _ => shown.push(format!("`{name}`")),
        }
    }
}

fn holds_sensitive(message: &MessageDescriptor) -> bool {
    message.fields().any(|field| {
        is_sensitive(&field)
            || matches!(field.kind(), Kind::Message(part) if part != *message && holds_sensitive(&part))
    })
}

fn is_sensitive(field: &FieldDescriptor) -> bool {
    let option = field.parent_pool().get_extension_by_name("tradewind.options.v1.sensitive").unwrap();
    field.options().get_extension(&option).as_bool() == Some(true)
}

/// The first sentence of its comment.
fn said(message: &MessageDescriptor) -> String {
    let file = message.parent_file();
    let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
    let mut above = locations.filter(|location| location.path == message.path());
    let comment = above.find_map(|location| location.leading_comments.clone()).unwrap_or_default();
    let comment = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = comment.find(". ").unwrap_or(comment.len());
    comment[..end].trim_end_matches('.').to_owned()
}
