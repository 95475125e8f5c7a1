use contracts::tradewind::documents::v1::{Document, DocumentKind};
use contracts::tradewind::ordering::v1::Order;
use tradewind_domain::{Error, OrderId};
use tradewind_sql::{from_micros, timestamp};
use tradewind_store::Store;

use super::sales::{find, issued};
use crate::domain::{Kind, Number};

/// The documents that an order has, the invoice first.
///
/// # Errors
/// `NotFound` when the order has not been heard of.
pub(crate) async fn list_documents(store: &Store, order: OrderId) -> Result<Vec<Document>, Error> {
    let row = find(store, order).await?.ok_or_else(|| no_order(order))?;
    let document = |kind: Kind| {
        let (time, total) = issued(&row, kind)?;
        Some(Document {
            number: Number { kind, order }.to_string(),
            kind: resource(kind).into(),
            order_id: order.to_string(),
            issue_time: Some(timestamp(from_micros(time))),
            total: Some(total),
        })
    };
    Ok(Kind::ALL.into_iter().filter_map(document).collect())
}

/// What is said of an order that has not been heard of.
pub(crate) fn no_order(order: OrderId) -> Error {
    let text = "there is no such order, or it has not been heard of yet";
    Error::not_found::<Order>(order.to_string(), "ORDER_NOT_FOUND", text)
}

const fn resource(kind: Kind) -> DocumentKind {
    match kind {
        Kind::Invoice => DocumentKind::Invoice,
        Kind::CreditNote => DocumentKind::CreditNote,
    }
}
