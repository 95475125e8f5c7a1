//! What this context does: keep what orders wait for, tell it, measure it.

mod flows;
mod list_stuck_flows;
mod measure_flows;
#[cfg(test)]
mod tests;

pub use flows::flows;
pub(crate) use list_stuck_flows::{Asked, list_stuck_flows};
pub use measure_flows::measure_flows;
