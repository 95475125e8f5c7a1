//! The events of an order and what has to follow each, drawn from the contracts: an event stands to the right of those that it follows.

use std::collections::BTreeMap;

use contracts::tables::{EVENTS, Event};
use maud::{Markup, html};

use crate::plot::number;
use crate::words::{count, query, short};

/// How many orders wait after an event, and how many of them are late.
pub(super) struct Waiting {
    pub(super) event: String,
    pub(super) waiting: i64,
    pub(super) late: i64,
}

const COLUMN: f64 = 247.0;
const ROW: f64 = 56.0;
const WIDE: f64 = 211.0;
const HIGH: f64 = 36.0;

struct Node {
    event: &'static Event,
    column: usize,
    row: usize,
}

impl Node {
    fn x(&self) -> f64 {
        coordinate(self.column) * COLUMN + 4.0
    }

    fn y(&self) -> f64 {
        coordinate(self.row) * ROW + 4.0
    }
}

/// The drawing, with how many wait where.
pub(super) fn graph(waiting: &[Waiting]) -> Markup {
    let nodes = nodes();
    let columns = nodes.iter().map(|node| node.column + 1).max().unwrap_or_default();
    let rows = nodes.iter().map(|node| node.row + 1).max().unwrap_or_default();
    let (width, height) = (coordinate(columns) * COLUMN, coordinate(rows) * ROW);
    let at = |name: &str| nodes.iter().find(|node| node.event.name == name);
    let of = |event: &Event| waiting.iter().find(|waiting| waiting.event == event.name);
    html! {
        div.wide tabindex="0" role="region" aria-label="The drawing; the list below says the same" {
            svg.graph viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="img" aria-label="What has to follow what" {
                defs { marker id="head" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7" orient="auto" { path d="M0 0 L6 3 L0 6 Z" {} } }
                @for node in &nodes {
                    @for next in node.event.any_of.iter().filter_map(|name| at(name)) {
                        path.arc.late[of(node.event).is_some_and(|waiting| waiting.late > 0)] d=(arc(node, next)) marker-end="url(#head)" {}
                    }
                }
                @for node in &nodes {
                    @let waits = of(node.event);
                    g.node.late[waits.is_some_and(|waiting| waiting.late > 0)] {
                        title { (node.event.name) }
                        rect x=(number(node.x())) y=(number(node.y())) width=(number(WIDE)) height=(number(HIGH)) rx="6" {}
                        text x=(number(node.x() + 8.0)) y=(number(node.y() + 15.0)) { (short(node.event.name)) }
                        text.soft x=(number(node.x() + 8.0)) y=(number(node.y() + 29.0)) { (node.event.owner) }
                        @if let Some(Waiting { waiting, .. }) = waits {
                            text.many x=(number(node.x() + WIDE - 8.0)) y=(number(node.y() + 30.0)) { (count(*waiting)) }
                        }
                    }
                }
            }
        }
        ul.waiting {
            @for Waiting { event, waiting, late } in waiting {
                li {
                    a href=(link(event)) { (count(*waiting)) " wait after " (short(event)) }
                    @if *late > 0 { ", " b.bad { (count(*late)) " late" } }
                }
            }
        }
    }
}

/// Events that something has to follow, and those that have to follow, each in the column behind the last event that it follows.
fn nodes() -> Vec<Node> {
    let is_awaited = |event: &Event| EVENTS.iter().any(|other| other.any_of.contains(&event.name));
    let all: Vec<&'static Event> =
        EVENTS.iter().filter(|event| !event.any_of.is_empty() || is_awaited(event)).collect();
    let mut columns: BTreeMap<&str, usize> = all.iter().map(|event| (event.name, 0)).collect();
    // What follows itself in the end is put no further than there are events.
    for _ in 0..all.len().min(12) {
        for event in &all {
            let column = columns.get(event.name).copied().unwrap_or_default();
            for next in event.any_of {
                if let Some(behind) = columns.get_mut(next)
                    && *behind <= column
                    && column < 6
                {
                    *behind = column + 1;
                }
            }
        }
    }
    let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
    let node = |event: &&'static Event| {
        let column = columns.get(event.name).copied().unwrap_or_default();
        let row = rows.entry(column).or_default();
        *row += 1;
        Node { event, column, row: *row - 1 }
    };
    all.iter().map(node).collect()
}

fn arc(from: &Node, to: &Node) -> String {
    let (x1, y1) = (from.x() + WIDE, from.y() + HIGH / 2.0);
    let (x2, y2) = (to.x(), to.y() + HIGH / 2.0);
    if to.column > from.column {
        let bend = (x2 - x1) / 2.0;
        return format!("M{x1:.1} {y1:.1} C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}", x1 + bend, x2 - bend);
    }
    // Back, or beside it: around.
    format!("M{x1:.1} {y1:.1} C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}", x1 + 50.0, x2 - 50.0)
}

fn coordinate(at: usize) -> f64 {
    f64::from(u32::try_from(at).unwrap_or_default())
}

/// Where the orders are shown that wait at an event.
fn link(event: &str) -> String {
    format!("/console{}", query(&[("state", "waiting"), ("step", short(event))]))
}
