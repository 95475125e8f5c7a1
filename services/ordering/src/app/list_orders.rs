use contracts::tradewind::ordering::v1::{ListOrdersResponse, OrderStatus};
use tradewind_domain::{Error, OrderId, request};
use tradewind_projections::{Projection, seen};
use tradewind_store::Store;

use super::{PATIENCE, view::resource};
use crate::store::listed_order::Entity;
use crate::store::order_list::{self as table, Filter};

/// The list.
const ORDER_LIST: &str = "ordering.orders";

/// The list of orders, kept from their own events.
#[must_use]
pub fn order_list() -> Projection {
    Projection::new(ORDER_LIST, 1).table::<Entity>().showing(|writer, _, order| table::put(writer, resource(order)))
}

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
    let slot = seen(store, ORDER_LIST, &page.after, PATIENCE).await?;
    let Page { size, before, customer_id, status, .. } = page;
    let wanted = Filter { customer_id: customer_id.as_deref(), status, before };
    // One more tells that there is a next page.
    let found = table::page(store.reader(), slot, wanted, size + 1).await?;
    let (orders, next_page_token) = request::page(found, size, |last| last.order_id.clone());
    Ok(ListOrdersResponse { orders, next_page_token })
}
