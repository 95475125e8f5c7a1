//! What can be done with orders: one command, query or read model a file, and the reactions by the context that causes
//! them. Each is a transaction or a read; the rules are the domain's, and the transport is nobody's business here.

mod cancel_order;
mod changes;
mod expire_on_deadline;
mod get_order;
mod get_order_history;
mod keep_order_list;
mod list_orders;
mod place_order;
mod reactions;
mod view;
mod watch_order;

use std::time::Duration;

use tokio::time::Instant;
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::Store;

pub(crate) use cancel_order::cancel_order;
pub(crate) use changes::OrderChanges;
pub(crate) use expire_on_deadline::ExpireOnDeadline;
pub(crate) use get_order::get_order;
pub(crate) use get_order_history::get_order_history;
pub(crate) use keep_order_list::order_list;
pub(crate) use list_orders::{Page, list_orders};
pub(crate) use place_order::{PlaceOrder, SETTLE_WITHIN, place_order};
pub use reactions::reactions;
pub(crate) use watch_order::watch_order;

/// The reader of the other contexts' events.
const CONSUMER: &str = "ordering";
/// The reader that keeps the list of orders.
const ORDER_LIST: &str = "ordering.orders";
/// How long a request may wait for what it says it must see.
const PATIENCE: Duration = Duration::from_secs(3);

/// Waits until `consumer` has seen the writes that those of the tokens `after` stand for that concern it.
///
/// # Errors
/// `Invalid` names a malformed token; `Unavailable` when the writes have not arrived in time.
async fn wait_for(store: &Store, consumer: &str, after: &[String], concerns: fn(&str) -> bool) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    for (place, token) in after.iter().enumerate().filter(|(_, token)| concerns(token)) {
        let left = deadline.saturating_duration_since(Instant::now());
        store.wait_for(consumer, token, left).await.map_err(|error| match error.kind {
            ErrorKind::Invalid => {
                Error::invalid(format!("after[{place}]"), error.reason, "is not a token that a write returned")
            }
            _ => error,
        })?;
    }
    Ok(())
}

/// The context whose write a token stands for, if it is well-formed.
fn context_of(token: &str) -> Option<&str> {
    token.split_once(':').map(|(context, _)| context)
}
