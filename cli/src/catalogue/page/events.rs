//! Which events there are, who reads each, and what has to follow it.

use std::collections::BTreeSet;

use tradewind_broker::wire;
use tradewind_transcode::schema::Comments;

use super::super::facts::{Event, Reaction};
use super::super::html::Html;
use super::messages::{fields, first, tags};
use super::{entry, fact, group, link, link_to, table};

/// Every event, by its owner.
pub(super) fn section(events: &[Event]) -> Html {
    let owners: BTreeSet<&str> = events.iter().map(|event| event.owner.as_str()).collect();
    Html::all(owners.into_iter().map(|owner| {
        let of_owner: Vec<_> = events.iter().filter(|event| event.owner == owner).map(of_event).collect();
        let (stream, subjects) = (wire::public_stream(owner), wire::public_subjects(owner));
        let outside =
            [Html::text("Outside: stream "), Html::code(&stream), Html::text(", subjects "), Html::code(&subjects)];
        let outside = Html::element("p", [("class", "where")], outside);
        group(&format!("events.{owner}"), owner, [outside].into_iter().chain(of_owner))
    }))
}

fn of_event(event: &Event) -> Html {
    let said = Comments::of_message(&event.message);
    let mut facts = vec![
        fact("owner", Html::text(&event.owner)),
        fact("is about", Html::text(&event.aggregate)),
        fact("full name", Html::code(event.message.full_name())),
    ];
    if !event.any_of.is_empty() {
        let names = Html::joined(event.any_of.iter().map(|name| link_to(name)), " or ");
        let within = event.within.as_ref().map(|within| Html::text(&format!(" within {within}")));
        facts.push(fact("expects", Html::all([names].into_iter().chain(within))));
    }
    let reactions = match event.readers.as_slice() {
        [] => Html::of_text("p", "none", "No service reacts to it."),
        readers => table(["reader", "reaction", "role", "taken back by"], readers.iter().map(of_reader)),
    };
    let readers: BTreeSet<&str> = event.readers.iter().map(|reader| reader.context.as_str()).collect();
    let whose = match readers.into_iter().collect::<Vec<_>>().join(", ") {
        readers if readers.is_empty() => event.owner.clone(),
        readers => format!("{} → {readers}", event.owner),
    };
    let inside = [Html::prose(&said), Html::element("dl", [], facts), reactions, fields(&event.message)];
    entry(event.message.full_name(), event.name(), &tags(&whose, &event.message.options()), first(&said), inside)
}

fn of_reader(reaction: &Reaction) -> [Html; 4] {
    let Reaction { context, name, role, undo, .. } = reaction;
    [link(&format!("context.{context}"), context), Html::code(name), Html::text(role), Html::text(undo)]
}
