//! One page for people: what services there are and what each method asks of its callers, which events there are and who reads
//! them, what messages hold, and what follows what. It is whole without a script; the script searches.

mod events;
mod messages;
mod services;

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, Kind};

use super::facts;
use super::flow;
use super::html::Html;

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The page.
pub(crate) fn page(pool: &DescriptorPool) -> String {
    let places = Places::of(pool);
    let events = facts::events(pool);
    let sections = [
        ("flow", "What follows what", flow::drawn(&events)),
        ("services", "Services", services::section(pool, &places)),
        ("events", "Events", events::section(&events)),
        ("messages", "Messages", messages::section(pool, &places)),
    ];
    let links = sections.iter().map(|(id, title, _)| link(id, title));
    let contents = Html::all(links).into_markup();
    let body = sections
        .into_iter()
        .map(|(id, title, inside)| Html::element("section", [("id", id)], [Html::of_text("h2", "", title), inside]));
    let body = Html::all(body).into_markup();
    // What comes from the contracts is put in last: nothing in it is taken for a place of the template.
    let filled = [
        ("{{style}}", STYLE),
        ("{{script}}", SCRIPT),
        ("{{contents}}", contents.as_str()),
        ("{{body}}", body.as_str()),
    ];
    filled.iter().fold(TEMPLATE.to_owned(), |page, (place, text)| page.replacen(place, text, 1))
}

/// Where each message is shown: one that is the request or the answer of a single method, and nothing else, with it.
struct Places {
    /// Full name of a message → how many fields and methods name it.
    named: BTreeMap<String, usize>,
    /// The messages that methods take or give.
    of_methods: BTreeMap<String, usize>,
}

impl Places {
    fn of(pool: &DescriptorPool) -> Self {
        let [mut named, mut of_methods] = [const { BTreeMap::new() }; 2];
        let fields = pool.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>());
        for name in fields.filter_map(|field| facts::named(&field.kind())) {
            *named.entry(name).or_default() += 1;
        }
        for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            for message in [method.input(), method.output()] {
                *of_methods.entry(message.full_name().to_owned()).or_default() += 1;
            }
        }
        Self { named, of_methods }
    }

    /// Whether a message is shown with the method that takes or gives it.
    fn is_of_a_method(&self, message: &str) -> bool {
        self.of_methods.get(message) == Some(&1) && !self.named.contains_key(message)
    }
}

/// A link to what is on the page.
fn link(id: &str, text: &str) -> Html {
    Html::element("a", [("href", &format!("#{id}"))], [Html::text(text)])
}

/// A link to a declaration, by its last name.
fn link_to(full_name: &str) -> Html {
    link(full_name, facts::last(full_name))
}

/// The name of a kind, which leads to what it names.
fn kind(kind: &Kind) -> Html {
    let name = match kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        scalar => return Html::text(&format!("{scalar:?}").to_lowercase()),
    };
    let package = name.rsplit_once('.').map_or("", |(package, _)| package);
    if facts::is_own(package) { link_to(&name) } else { Html::text(&name) }
}

/// An entry that is searched for, shut until somebody opens it.
fn entry(id: &str, name: &str, tags: &str, said: &str, inside: impl IntoIterator<Item = Html>) -> Html {
    let summary = [
        Html::code(name),
        Html::of_text("span", "tags", tags),
        Html::element("span", [("class", "says")], [Html::line(said)]),
    ];
    let inside = [Html::element("summary", [], summary)].into_iter().chain(inside);
    Html::element("details", [("class", "entry"), ("id", id)], inside)
}

/// A group of entries under a heading.
fn group(id: &str, title: &str, inside: impl IntoIterator<Item = Html>) -> Html {
    let inside = [Html::of_text("h3", "", title)].into_iter().chain(inside);
    Html::element("section", [("class", "group"), ("id", id)], inside)
}

/// A row of facts, where there is something to tell.
fn fact(name: &str, said: Html) -> Html {
    Html::all([Html::of_text("dt", "", name), Html::element("dd", [], [said])])
}

/// A table with a head.
fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [Html; N]>) -> Html {
    let head = head.map(|name| Html::element("th", [("scope", "col")], [Html::text(name)]));
    let rows = rows.into_iter().map(|row| Html::element("tr", [], row.map(|cell| Html::element("td", [], [cell]))));
    let head = Html::element("thead", [], [Html::element("tr", [], head)]);
    let table = Html::element("table", [], [head, Html::element("tbody", [], rows)]);
    Html::element("div", [("class", "wide")], [table])
}
