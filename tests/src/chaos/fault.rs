//! What a cell does to a shop, and what a service process is told on its standard input.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_events::fault;
use tradewind_fault::Point;

/// What a service process is told to do: one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Instruction {
    Kill(Kill),
    Mangle(Mangling),
}

/// A death at the so-manyeth hit of a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kill {
    pub(super) point: String,
    pub(super) among: Vec<String>,
    pub(super) hit: u32,
    pub(super) after_ms: u64,
}

/// What happens to messages, in per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mangling {
    pub(super) seed: u64,
    pub(super) lost: u8,
    pub(super) doubled: u8,
    pub(super) late: u8,
    pub(super) late_by_ms: u64,
}

impl Instruction {
    /// Carries it out in this process.
    pub(super) fn obey(self) {
        match self {
            Self::Kill(Kill { point, among, hit, after_ms }) => tradewind_fault::arm(tradewind_fault::Kill {
                point: Point::named(&point).expect("a point of that name"),
                among,
                hit,
                after: Duration::from_millis(after_ms),
            }),
            Self::Mangle(Mangling { seed, lost, doubled, late, late_by_ms }) => {
                let late_by = Duration::from_millis(late_by_ms);
                fault::mangle(fault::Mangling { seed, lost, doubled, late, late_by });
            }
        }
    }
}

/// What happens to calls, and to how many of a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Misbehaviour {
    pub(super) percent: u32,
    /// For how long they wait first.
    pub(super) latency_ms: u64,
    /// What they end with; empty where they go on.
    pub(super) abort: &'static str,
}

/// What a cell is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A service kills itself at a point, in the course of one of these reactions or calls where some are named.
    Kill { service: &'static str, point: Point, among: &'static [&'static str] },
    /// The broker is killed, before the wave of orders with that number; its data may be gone with it.
    Broker { wave: usize, wiped: bool },
    /// Single messages are deleted from every stream, the last ones among them.
    Deleted,
    /// Nobody can write a service's database for some seconds.
    Locked { service: &'static str },
    /// The server of all databases stands still for some seconds.
    Paused,
    /// The server of all databases is killed.
    Crashed,
    /// The database of a service, on a server of its own, loses the commits of a while, as when an asynchronous standby takes
    /// over. A service that others read stops until somebody has found a better copy.
    WentBack { service: &'static str, read_by_others: bool },
    /// Some events of every service are overtaken by many later ones before their transaction commits.
    Stalled,
    /// Messages of every service suffer this.
    Messages(Mangling),
    /// From some moment on no message of a service arrives any more.
    Silence { service: &'static str },
    /// Calls of every service misbehave for some seconds.
    Calls(Misbehaviour),
}
