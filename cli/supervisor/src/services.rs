//! The services there are. What each is called, listens on and is told, it declares itself.

use std::array;

use contracts::reactions::REACTIONS;
use contracts::tradewind::options::v1::Role;
use tradewind_runtime::{BROKER_INIT, Service};

/// In the order in which they are shown, and in which their ports are numbered.
const DECLARED: &[fn() -> Service] = &[
    catalog::service,
    ordering::service,
    inventory::service,
    payment::service,
    shipping::service,
    notification::service,
    identity::service,
    analytics::service,
    documents::service,
];

/// Those who have a certificate and are no service: whoever operates the shop, who makes the broker's streams, and the broker.
const OTHERS: [&str; 3] = ["operator", BROKER_INIT, "nats"];

/// Every service of a context, ready to be run.
#[must_use]
pub fn all() -> [Service; DECLARED.len()] {
    array::from_fn(|at| DECLARED[at]())
}

/// Their names, which are those of their contexts, programs and folders as well.
#[must_use]
pub fn names() -> [&'static str; DECLARED.len()] {
    all().map(|service| service.name())
}

/// The front door for whoever is outside, which belongs to no context, and stands before all of them.
#[must_use]
pub fn gateway() -> Service {
    gateway::service()
}

/// The one for staff.
#[must_use]
pub fn console() -> Service {
    console::service()
}

/// The services at the edge, where no call comes in with a certificate.
#[must_use]
pub fn edges() -> [Service; 2] {
    [gateway(), console()]
}

/// All that is run: each comes after those it calls.
pub fn all_and_edges() -> impl Iterator<Item = Service> {
    all().into_iter().chain(edges())
}

/// Their names.
#[must_use]
pub fn programs() -> Vec<&'static str> {
    all_and_edges().map(|service| service.name()).collect()
}

/// The service of that name.
#[must_use]
pub fn named(name: &str) -> Option<Service> {
    all_and_edges().find(|service| service.name() == name)
}

/// The names of those who call the outside.
#[must_use]
pub fn callers_of_the_outside() -> Vec<&'static str> {
    all().iter().filter(|service| service.takes("OUTSIDE_URL")).map(Service::name).collect()
}

/// The names of those through whose hands an order goes: whose it is, and who takes something on for it.
#[must_use]
pub fn participants() -> Vec<&'static str> {
    let takes_on = |name: &str| REACTIONS.iter().any(|each| each.context == name && each.role == Role::Forward);
    names().into_iter().filter(|name| *name == "ordering" || takes_on(name)).collect()
}

/// The names of those who follow what others say.
#[must_use]
pub fn readers() -> Vec<&'static str> {
    names().into_iter().filter(|name| REACTIONS.iter().any(|each| each.context == *name)).collect()
}

/// Whether others follow what this service says.
#[must_use]
pub fn is_followed(name: &str) -> bool {
    REACTIONS.iter().any(|each| each.event.split('.').nth(1) == Some(name))
}

/// Everybody who has a certificate.
#[must_use]
pub fn workloads() -> Vec<&'static str> {
    programs().into_iter().chain(OTHERS).collect()
}
