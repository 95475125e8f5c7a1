//! Steps of an order, each an event that something has to follow, by what people type.

use anyhow::{Context as _, Result, ensure};
use contracts::tables::EVENTS;
use contracts::tradewind::analytics::v1::{ListStuckFlowsRequest, ListStuckFlowsResponse};

use crate::Clients;

/// Every one that the contracts have, by its full name.
pub fn all() -> impl Iterator<Item = &'static str> {
    EVENTS.iter().filter(|event| !event.any_of.is_empty()).map(|event| event.name)
}

/// The full name of what `name` means: the last part of a full name will do. What is one is taken as it is, for orders may wait at a step
/// that the contracts have no longer.
///
/// # Errors
/// There is no such step; the message names them.
pub fn full(name: &str) -> Result<String> {
    let name = name.trim();
    if name.contains('.') {
        return Ok(name.to_owned());
    }
    let is_meant = |step: &&str| short(step) == name;
    let none = || format!("{name:?} is no step of an order: say {}", all().map(short).collect::<Vec<_>>().join(" or "));
    all().find(is_meant).map(str::to_owned).with_context(none)
}

/// What waits, as analytics tells.
///
/// # Errors
/// As it is refused; and where analytics is of a build that knows no steps, and tells of all of them whichever is asked for.
pub async fn stuck(shop: &Clients, request: ListStuckFlowsRequest) -> Result<ListStuckFlowsResponse> {
    let step = request.step.clone();
    let found = shop.flows()?.list_stuck_flows(request).await?.into_inner();
    let is_asked = step.is_empty() || found.flows.iter().flat_map(|flow| &flow.step).all(|found| found.event == step);
    ensure!(is_asked, "analytics is of a build that cannot tell one step from others: ask for all of them");
    Ok(found)
}

fn short(step: &str) -> &str {
    step.rsplit('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_step_is_known_by_the_last_part_of_its_name() {
        let names: BTreeSet<_> = all().map(short).collect();
        assert_eq!(names.len(), all().count(), "no two are called the same");
        for step in all() {
            assert_eq!((full(short(step)).unwrap(), full(step).unwrap()), (step.to_owned(), step.to_owned()));
        }
        assert_eq!(full("tradewind.ordering.v1.OrderWas").unwrap(), "tradewind.ordering.v1.OrderWas");
        for none in ["", "OrderPayed", "OrderClosed", "orderpaid"] {
            assert!(full(none).unwrap_err().to_string().contains("OrderPlaced or "), "{none}");
        }
    }
}
