//! Pages for whoever operates the shop: what is stuck and why, where an order stands, how calls, quarantine, money and sales are, and
//! what can be done about it. They ask the services, keep nothing, and are made here whole: the browser shows them without a script, and
//! has them brought up to date by one.
//!
//! A page is a function of what is asked for (`pages`), what it shows is a frame around that (`frame`), and what is live of it is the
//! same function asked again (`live`). Who may look is decided before any of it (`door`). What is done is a form that is sent (`act`).

mod act;
mod arrival;
mod bulk;
mod cookies;
mod door;
mod fault;
mod frame;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod jobs;
mod kept;
mod live;
mod metrics;
mod pages;
mod patient;
mod perform;
mod places;
mod plan;
mod plot;
mod reason;
mod secret;
mod serve;
mod sign_in;
mod site;
mod staff;
mod ticket;
mod visitor;
mod words;

use std::sync::Arc;

use shop::Clients;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tradewind_edge::Proxies;

pub use crate::door::Door;
use crate::jobs::Jobs;
pub use crate::serve::{acceptor, serve};
pub use crate::site::router;
pub use crate::staff::{Accounts, Staff};
pub use crate::ticket::Ticket;
use crate::visitor::Visitor;

/// The most pages that are kept up to date at once.
const STREAMS: usize = 64;

/// What every page is made with.
#[derive(Clone)]
pub struct Desk {
    shop: Clients,
    door: Arc<Door>,
    jobs: Arc<Jobs>,
    streams: Arc<Semaphore>,
    proxies: Proxies,
    stop: CancellationToken,
}

impl Desk {
    /// For pages about that shop, behind that door. At one for staff it must be called within a tokio runtime.
    #[must_use]
    pub fn new(shop: Clients, door: Door) -> Self {
        let door = Arc::new(door);
        if door.asks_for_a_password() {
            door.attend();
        }
        let (streams, stop) = (Arc::new(Semaphore::new(STREAMS)), CancellationToken::new());
        Self { shop, door, jobs: Arc::default(), streams, proxies: Proxies::default(), stop }
    }

    /// Believes these proxies where a request comes from, and what it was sent to.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// Keeps nothing up to date any more once it is to stop.
    #[must_use]
    pub fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Clients whose calls are made for that visitor.
    fn shop_for(&self, visitor: &Visitor) -> Clients {
        visitor.user.clone().map_or_else(|| self.shop.clone(), |user| self.shop.clone().for_user(user))
    }
}
