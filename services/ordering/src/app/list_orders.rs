use contracts::tradewind::ordering::v1::{ListOrdersResponse, OrderStatus};
use tradewind_domain::{Error, OrderId, request};
use tradewind_events::Store;

use super::{ORDER_LIST, context_of, wait_for};
use crate::store::order_list as table;

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// The most to return; more than 0.
    pub(crate) size: usize,
    /// The last order of the page before.
    pub(crate) before: Option<OrderId>,
    pub(crate) customer_id: Option<String>,
    pub(crate) status: Option<OrderStatus>,
    /// Tokens of writes that the list must see.
    pub(crate) after: Vec<String>,
}

/// A page of orders, newest first.
///
/// # Errors
/// `Unavailable` when the writes it must see have not arrived.
pub(crate) async fn list_orders(store: &Store, page: Page) -> Result<ListOrdersResponse, Error> {
    // The list is made of this context's events: other contexts' writes do not show in it.
    wait_for(store, ORDER_LIST, &page.after, |token| context_of(token).is_none_or(|context| context == "ordering"))
        .await?;
    let found = table::page(store.reader(), &page).await?;
    let (orders, next_page_token) = request::page(found, page.size, |last| last.order_id.clone());
    Ok(ListOrdersResponse { orders, next_page_token })
}
