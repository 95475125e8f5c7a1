//! What can be done with orders: one command or query a file, and the reactions by the context that causes
//! them. Each is a transaction or a read; the rules are the domain's, and the transport is nobody's business here.

mod cancel_order;
mod changes;
mod decide;
mod erase_customer;
mod expire_on_deadline;
mod get_order;
mod get_order_history;
mod list_order_events;
mod list_orders;
mod offers;
mod place_order;
mod reactions;
mod view;
mod watch_order;

use std::time::Duration;

pub(crate) use cancel_order::cancel_order;
pub(crate) use changes::OrderChanges;
pub(crate) use decide::begin_to_count;
pub(crate) use erase_customer::{EraseCustomer, erase_customer};
pub(crate) use expire_on_deadline::ExpireOnDeadline;
pub(crate) use get_order::get_order;
pub(crate) use get_order_history::get_order_history;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use list_order_events::said;
pub(crate) use list_order_events::{EventsPage, list_order_events};
pub use list_orders::order_list;
pub(crate) use list_orders::{FILTERED, Filter, MOST_LOOKS, Page, Place, SORTED, list_orders, looks_at_lines, ordered};
pub(crate) use offers::Offers;
pub(crate) use place_order::{PlaceOrder, SETTLE_WITHIN, place_order};
pub use reactions::reactions;
pub(crate) use view::owner;
pub(crate) use watch_order::watch_order;

/// The reader of the other contexts' events.
const CONSUMER: &str = "ordering";
/// How long a request may wait for what it says it must see.
const PATIENCE: Duration = Duration::from_secs(3);
