//! Pages for whoever operates the shop: what is stuck and why, where an order stands, how calls, quarantine, money and sales are, and
//! what can be done about it. They ask the services, keep nothing, and are made here whole: the browser shows them without a script, and
//! has them brought up to date by one.
//!
//! A page is a function of what is asked for (`pages`), what it shows is a frame around that (`frame`), and what is live of it is the
//! same function asked again (`live`). Who may look is decided before any of it (`door`). What is done is a form that is sent (`act`).

mod act;
mod bulk;
mod door;
mod fault;
mod frame;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod jobs;
mod live;
mod pages;
mod plot;
mod serve;
mod site;
mod words;

use std::sync::Arc;

use shop::Clients;
use tokio::sync::Semaphore;

pub use crate::door::{Door, Ticket};
use crate::jobs::Jobs;
pub use crate::serve::serve;
pub use crate::site::router;

/// The most pages that are kept up to date at once.
const STREAMS: usize = 64;

/// What every page is made with.
#[derive(Clone)]
pub struct Desk {
    shop: Clients,
    door: Arc<Door>,
    jobs: Arc<Jobs>,
    streams: Arc<Semaphore>,
}

impl Desk {
    /// For pages about that shop, behind that door.
    #[must_use]
    pub fn new(shop: Clients, door: Door) -> Self {
        Self { shop, door: Arc::new(door), jobs: Arc::default(), streams: Arc::new(Semaphore::new(STREAMS)) }
    }
}
