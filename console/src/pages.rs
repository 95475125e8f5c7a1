//! The pages, each a function of what is asked for.

mod consumers;
mod faults;
mod flow;
mod graph;
mod mesh;
pub(crate) mod money;
mod order;
pub(crate) mod orders;
pub(crate) mod quarantine;
pub(crate) mod sales;
mod stuck;
mod waterfall;

pub(crate) use consumers::consumers;
pub(crate) use faults::faults;
pub(crate) use flow::flow;
pub(crate) use mesh::mesh;
pub(crate) use money::money;
pub(crate) use order::order;
pub(crate) use orders::orders;
pub(crate) use quarantine::{parked, quarantine};
pub(crate) use sales::sales;
pub(crate) use stuck::{Filter, stuck};
