use contracts::tradewind::ordering::v1::{ListOrdersResponse, Order as Resource, OrderPlaced};
use tradewind_domain::{Error, ErrorKind, request};
use tradewind_filter::sealed;
use tradewind_projections::{Projection, seen, standings};
use tradewind_store::Store;

use super::{PATIENCE, view::resource};
use crate::store::order_list::{self as table, Found};
use crate::store::{listed_line, listed_order};

pub(crate) use crate::store::order_fields::{FILTERED, MOST_LOOKS, SORTED, looks_at_lines, ordered};
pub(crate) use crate::store::order_list::{Filter, Place};

/// The list.
pub(super) const ORDER_LIST: &str = "ordering.orders";
/// From which version on it has all that can be filtered and sorted by.
const COMPLETE: u32 = 2;

/// The list of orders, kept from their own events.
#[must_use]
pub fn order_list() -> Projection {
    Projection::new(ORDER_LIST, COMPLETE)
        .table::<listed_order::Entity>()
        .table::<listed_line::Entity>()
        .showing(|writer, _, order| table::put(writer, resource(order)))
        .on::<OrderPlaced>("list_lines_on_order_placed", |writer, placed| {
            table::put_lines(writer, &placed.data);
            Ok(())
        })
}

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// The most to return; more than 0.
    pub(crate) size: usize,
    pub(crate) filter: Filter,
    /// What a page token is good for: all that was asked by, but how much and from where on.
    pub(crate) about: [String; 4],
    /// Tokens of writes that the list must see.
    pub(crate) after: Vec<String>,
}

impl Page {
    /// The token of the page behind a place.
    pub(crate) fn token(&self, store: &Store, Place(numbers, id): &Place) -> String {
        let place: String = numbers.iter().map(|number| format!("{number}/")).chain([id.to_string()]).collect();
        sealed(store.incarnation(), &self.about.each_ref().map(String::as_str), &place)
    }
}

/// A page of orders.
///
/// # Errors
/// `Unavailable` when the writes it must see have not arrived; `Rejected` where the list does not have yet what is asked for.
pub(crate) async fn list_orders(store: &Store, page: Page) -> Result<ListOrdersResponse, Error> {
    // Before it is asked which slot is read: that may be another by then, and has everything, too.
    if page.filter.wanted.is_some() || !page.filter.order.is_empty() {
        complete(store).await?;
    }
    // The list is made of this context's events: other contexts' writes do not show in it.
    let slot = seen(store, ORDER_LIST, &page.after, PATIENCE).await?;
    // One more tells that there is a next page.
    let Found { orders, looked } = table::page(store, slot, &page.filter, page.size + 1).await?;
    let (orders, places): (Vec<Resource>, Vec<Place>) = orders.into_iter().unzip();
    let (orders, more) = request::page(orders, page.size, |_| "more".to_owned());
    let last = if more.is_empty() { looked.as_ref() } else { places.get(orders.len().saturating_sub(1)) };
    let next_page_token = last.map(|last| page.token(store, last)).unwrap_or_default();
    Ok(ListOrdersResponse { orders, next_page_token })
}

/// Whether what is read of the list was made with all that can be filtered and sorted by.
async fn complete(store: &Store) -> Result<(), Error> {
    let standings = standings(store).await?;
    let version = standings.iter().find(|standing| standing.name == ORDER_LIST).map(|standing| standing.version);
    if version.is_none_or(|version| version >= COMPLETE) {
        return Ok(());
    }
    let text = "the list is being built with what it can be filtered and sorted by; it is there without until then";
    // Not that it is away: whoever hears that of a service asks it for nothing else.
    Err(Error::new(ErrorKind::Rejected, "ORDER_LIST_OUTDATED", text))
}
