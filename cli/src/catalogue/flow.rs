//! The flow of events as a drawing: a row for each event and a column for each context. In a row the dot is the owner, and a
//! letter in a ring stands in the column of each context that reacts. Arcs beside the rows lead from an event to those of which
//! one has to follow it.

use std::collections::BTreeMap;

use super::facts::{Event, Reaction, last};
use super::html::Html;

/// Where the first column begins: before it stand the names.
const NAMES: usize = 262;
const COLUMN: usize = 96;
const ROW: usize = 22;
const HEAD: usize = 30;
/// Of the arcs.
const ARCS: usize = 190;
/// Between two letters in one cell.
const BESIDE: usize = 20;

/// The roles with the letters that stand for them.
const ROLES: [(&str, &str, &str); 4] = [
    ("forward", "F", "takes something on"),
    ("compensation", "C", "takes it back"),
    ("progress", "P", "moves the saga on"),
    ("observe", "O", "only records or tells"),
];

/// The drawing with its legend.
pub(super) fn drawn(events: &[Event]) -> Html {
    let mut columns: Vec<&str> = Vec::new();
    for event in events {
        columns.push(&event.owner);
        columns.extend(event.readers.iter().map(|reader| reader.context.as_str()));
    }
    columns.sort_unstable();
    columns.dedup();
    let rows: BTreeMap<&str, usize> =
        events.iter().enumerate().map(|(at, event)| (event.message.full_name(), at)).collect();
    let grid = Grid { columns, rows };
    let (width, height) = (grid.right() + ARCS, HEAD + ROW * events.len() + ROW / 2);
    let bands = grid.bands(events);
    let heads = grid.columns.iter().enumerate().map(|(at, name)| grid.head(at, name, height));
    let rows = events.iter().enumerate().map(|(at, event)| grid.row(at, event));
    let drawing = Html::element(
        "svg",
        [
            ("viewBox", &format!("0 0 {width} {height}")),
            ("width", &width.to_string()),
            ("height", &height.to_string()),
            ("role", "group"),
            ("aria-label", "Which event is read by whom, and what has to follow it. The lists below say the same."),
        ],
        [arrow()].into_iter().chain(bands).chain(heads).chain(rows),
    );
    Html::all([
        legend(),
        Html::element(
            "div",
            [("class", "wide"), ("tabindex", "0"), ("role", "region"), ("aria-label", "The drawing")],
            [drawing],
        ),
    ])
}

fn legend() -> Html {
    let text = "Each row is an event: the dot is its owner, a letter stands below each service that reacts. An arc leads to the \
                events of which one has to follow within the time that the event says.";
    let roles = ROLES.map(|(role, letter, does)| {
        let letter = Html::of_text("span", &format!("role {role}"), letter);
        Html::element("li", [], [letter, Html::text(&format!(" {role}: {does}"))])
    });
    Html::all([Html::of_text("p", "", text), Html::element("ul", [("class", "legend")], roles)])
}

/// The head of every arc.
fn arrow() -> Html {
    let head = Html::element("path", [("d", "M0 0 L6 3 L0 6 Z")], []);
    let attributes = [
        ("id", "arrow"),
        ("viewBox", "0 0 6 6"),
        ("refX", "6"),
        ("refY", "3"),
        ("markerWidth", "6"),
        ("markerHeight", "6"),
        ("orient", "auto"),
    ];
    Html::element("defs", [], [Html::element("marker", attributes, [head])])
}

struct Grid<'a> {
    columns: Vec<&'a str>,
    /// Full name of an event → its row.
    rows: BTreeMap<&'a str, usize>,
}

impl Grid<'_> {
    fn right(&self) -> usize {
        NAMES + COLUMN * self.columns.len()
    }

    fn x(&self, context: &str) -> usize {
        let at = self.columns.iter().position(|column| *column == context).unwrap_or_default();
        NAMES + COLUMN * at + COLUMN / 2
    }

    fn y(row: usize) -> usize {
        HEAD + ROW * row + ROW / 2
    }

    /// What lies behind the rows of every second owner.
    fn bands(&self, events: &[Event]) -> Vec<Html> {
        let mut owners: Vec<(&str, usize)> = Vec::new();
        for event in events {
            match owners.last_mut() {
                Some((owner, rows)) if *owner == event.owner => *rows += 1,
                _ => owners.push((&event.owner, 1)),
            }
        }
        let (mut first, mut bands) = (0, Vec::new());
        for (at, (_, rows)) in owners.into_iter().enumerate() {
            let (y, height, width) = (HEAD + ROW * first, ROW * rows, self.right());
            first += rows;
            if at % 2 == 0 {
                let places = [y, height, width].map(|place| place.to_string());
                let [y, height, width] = places.each_ref().map(String::as_str);
                let attributes = [("class", "band"), ("x", "0"), ("y", y), ("width", width), ("height", height)];
                bands.push(Html::element("rect", attributes, []));
            }
        }
        bands
    }

    fn head(&self, at: usize, name: &str, height: usize) -> Html {
        let x = NAMES + COLUMN * at + COLUMN / 2;
        let line = Html::element("path", [("class", "lane"), ("d", &format!("M{x} {HEAD} V{height}"))], []);
        let name =
            Html::element("text", [("class", "lane-name"), ("x", &x.to_string()), ("y", "18")], [Html::text(name)]);
        Html::all([line, name])
    }

    fn row(&self, at: usize, event: &Event) -> Html {
        let y = Self::y(at);
        let owner = self.x(&event.owner);
        let name = Html::element("text", [("x", "8"), ("y", &(y + 4).to_string())], [Html::text(event.name())]);
        let name = Html::element("a", [("href", &format!("#{}", event.message.full_name()))], [name]);
        let mut cells: BTreeMap<&str, Vec<&Reaction>> = BTreeMap::new();
        for reader in &event.readers {
            cells.entry(&reader.context).or_default().push(reader);
        }
        let ends: Vec<usize> = cells.keys().map(|context| self.x(context)).chain([owner]).collect();
        let (from, to) = (ends.iter().min().unwrap_or(&owner), ends.iter().max().unwrap_or(&owner));
        let line = Html::element("path", [("class", "reach"), ("d", &format!("M{from} {y} H{to}"))], []);
        let dot = Html::element(
            "circle",
            [("class", "owner"), ("cx", &owner.to_string()), ("cy", &y.to_string()), ("r", "5")],
            [],
        );
        let readers = cells.iter().flat_map(|(context, readers)| {
            // What an owner does about its own event stands beside its dot.
            let first = self.x(context) + if *context == event.owner { BESIDE } else { 0 };
            readers.iter().enumerate().map(move |(at, reader)| ring(first + at * BESIDE, y, reader))
        });
        let arcs =
            event.any_of.iter().filter_map(|next| Some(self.arc(at, *self.rows.get(next.as_str())?, event, next)));
        Html::element("g", [("class", "row")], [line, dot, name].into_iter().chain(readers).chain(arcs))
    }

    fn arc(&self, from: usize, to: usize, event: &Event, next: &str) -> Html {
        let x = self.right() + 4;
        let (begin, end) = (Self::y(from), Self::y(to));
        let out = x + (24 + begin.abs_diff(end) / 3).min(ARCS - 20) * 4 / 3;
        let within = event.within.as_ref().map(|within| format!(" within {within}")).unwrap_or_default();
        let title = format!("{}: {}{within}", event.name(), last(next));
        let path = format!("M{x} {begin} C{out} {begin} {out} {end} {x} {end}");
        let attributes = [("class", "arc"), ("d", path.as_str()), ("marker-end", "url(#arrow)")];
        Html::element("path", attributes, [Html::of_text("title", "", &title)])
    }
}

fn ring(x: usize, y: usize, reaction: &Reaction) -> Html {
    let letter = ROLES.iter().find(|(role, ..)| *role == reaction.role).map_or("?", |(_, letter, _)| *letter);
    let back = if reaction.undo.is_empty() { String::new() } else { format!("; {} takes it back", reaction.undo) };
    let title = format!("{}: {} ({}){back}", reaction.context, reaction.name, reaction.role);
    let (cx, cy, base) = (x.to_string(), y.to_string(), (y + 4).to_string());
    let circle = Html::element("circle", [("cx", cx.as_str()), ("cy", cy.as_str()), ("r", "8")], []);
    let letter = Html::element("text", [("x", cx.as_str()), ("y", base.as_str())], [Html::text(letter)]);
    Html::element(
        "g",
        [("class", &format!("ring {}", reaction.role))],
        [Html::of_text("title", "", &title), circle, letter],
    )
}
