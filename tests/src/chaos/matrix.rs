//! The cells: which service has which boundary, and what else may happen.

use supervisor::services;
use tradewind_fault::Point;

use super::fault::{Fault, Mangling, Misbehaviour};

/// Cells are numbered within so many; a seed is a round times this, plus the cell's number.
const ROUND: u64 = 1_000;

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    pub(super) number: u64,
    /// A service, or what else suffers.
    pub(super) row: &'static str,
    /// A boundary, or what happens.
    pub(super) column: &'static str,
    pub(super) fault: Fault,
}

impl Cell {
    /// Its name, e.g. `payment/intent.calling`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.row, self.column)
    }
}

/// The seed of a cell in a round.
#[must_use]
pub const fn seed(cell: &Cell, round: u64) -> u64 {
    round * ROUND + cell.number
}

/// The cell of a seed, if there is one.
#[must_use]
pub fn of_seed(seed: u64) -> Option<Cell> {
    cells().into_iter().find(|cell| cell.number == seed % ROUND)
}

const REQUESTS: &[Point] = &[Point::RequestUncommitted, Point::RequestCommitted];
const READING: &[Point] = &[Point::BatchUncommitted, Point::BatchCommitted, Point::AckBefore, Point::AckAfter];
const PUBLISHING: &[Point] = &[Point::PublishBefore, Point::PublishSent, Point::PublishAcknowledged];
const INTENTS: &[Point] = &[Point::IntentClaimed, Point::IntentCalling, Point::IntentAnswered, Point::IntentSettled];
const TIMERS: &[Point] = &[Point::TimerFired];

/// What each service does, and so where it may die.
const BOUNDARIES: [(&str, &[&[Point]]); 6] = [
    ("catalog", &[REQUESTS, PUBLISHING]),
    ("ordering", &[REQUESTS, READING, PUBLISHING, TIMERS]),
    ("inventory", &[REQUESTS, READING, PUBLISHING]),
    ("payment", &[READING, PUBLISHING, INTENTS]),
    ("shipping", &[REQUESTS, READING, PUBLISHING, INTENTS]),
    ("notification", &[READING, INTENTS]),
];

/// The reactions to which the contract gives the role of a compensation.
const COMPENSATIONS: [(&str, &str, &[&str]); 4] = [
    ("inventory", "release", &["release_on_order_cancelled"]),
    ("payment", "give back", &["give_back_on_order_cancelled"]),
    ("shipping", "answer", &["answer_on_order_cancellation_requested"]),
    ("shipping", "cancel", &["cancel_on_order_cancelled"]),
];

/// Every cell, in the order of the matrix.
#[must_use]
pub fn cells() -> Vec<Cell> {
    let kill = |service, column, point, among| (service, column, Fault::Kill { service, point, among });
    let mut all = Vec::new();
    for (service, groups) in BOUNDARIES {
        all.extend(groups.iter().copied().flatten().map(|point| kill(service, point.name(), *point, &[])));
        for (_, column, among) in COMPENSATIONS.iter().filter(|(of, ..)| *of == service) {
            all.push(kill(service, column, Point::Reacted, among));
        }
    }
    for (wave, moment) in ["at the start", "in the middle", "near the end"].into_iter().enumerate() {
        all.push(("broker, killed", moment, Fault::Broker { wave, wiped: false }));
    }
    for (wave, moment) in ["at the start", "in the middle", "near the end"].into_iter().enumerate() {
        all.push(("broker, wiped", moment, Fault::Broker { wave, wiped: true }));
    }
    for service in ["ordering", "inventory", "payment"] {
        all.push(("database, locked", service, Fault::Locked { service }));
    }
    all.push(("database", "paused", Fault::Paused));
    all.push(("database", "crashed", Fault::Crashed));
    all.push(("messages", "deleted", Fault::Deleted));
    let none = Mangling::default();
    for (column, mangling) in [
        ("doubled", Mangling { doubled: 60, ..none }),
        ("late", Mangling { late: 40, late_by_ms: 3_000, ..none }),
        ("reordered", Mangling { late: 60, late_by_ms: 30, ..none }),
        ("lost", Mangling { lost: 40, ..none }),
        ("all of it", Mangling { lost: 20, doubled: 20, late: 40, late_by_ms: 500, ..none }),
    ] {
        all.push(("messages", column, Fault::Messages(mangling)));
    }
    for service in services::participants() {
        all.push(("messages, the last lost", service, Fault::Silence { service }));
    }
    for service in services::readers() {
        let read_by_others = services::is_followed(service);
        all.push(("database, went back", service, Fault::WentBack { service, read_by_others }));
    }
    all.push(("database", "stalled before COMMIT", Fault::Stalled));
    let fails = Misbehaviour { percent: 30, latency_ms: 0, abort: "UNAVAILABLE" };
    all.push(("calls", "fail", Fault::Calls(fails)));
    all.push(("calls", "take long", Fault::Calls(Misbehaviour { percent: 50, latency_ms: 700, abort: "" })));
    all.push(("calls", "take long and fail", Fault::Calls(Misbehaviour { latency_ms: 300, ..fails })));
    // What comes anew comes last: the seeds of the others stay as they are.
    let numbered = (1..).zip(all);
    numbered.map(|(number, (row, column, fault))| Cell { number, row, column, fault }).collect()
}
