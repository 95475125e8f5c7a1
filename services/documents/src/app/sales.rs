//! What is known of sales, kept from the events of others.

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{Address, OrderConfirmed, OrderErased, OrderPlaced};
use contracts::tradewind::payment::v1::PaymentRefunded;
use prost::{Message, Name};
use tradewind_domain::{Error, OrderId};
use tradewind_events::Received;
use tradewind_projections::{Projection, Slot, Writer, read};
use tradewind_sql::micros;
use tradewind_store::{Opened, Store, Tx, about};

use crate::domain::Kind;
use crate::store::{self, SaleRow, put_confirmed, put_placed, put_refunded, sale};

const DOCUMENTS: &str = "documents.documents";

/// What documents say: of each event what it adds to the sale of its order.
#[must_use]
pub fn documents() -> Projection {
    Projection::new(DOCUMENTS, 1)
        .table::<sale::Entity>()
        .on("itemise_on_order_placed", itemise)
        .on("invoice_on_order_confirmed", invoice)
        .on("credit_on_payment_refunded", credit)
        .reacting("forget_on_order_erased", forget)
}

#[expect(clippy::unnecessary_wraps, reason = "a projection lets a row fail")]
fn itemise(writer: &mut Writer<'_>, event: &Received<OrderPlaced>) -> Result<(), Error> {
    let OrderPlaced { order_id, customer_id, mut recipient, lines, country, .. } = event.data.clone();
    // No document shows where mail goes.
    recipient.iter_mut().for_each(|recipient| recipient.email.clear());
    let said = OrderPlaced { recipient, lines, country, ..OrderPlaced::default() }.encode_to_vec();
    let said = Some(about(&order_id, &shown(&said), &said));
    let (customer_id, placed) = (Some(customer_id), Some(micros(event.time)));
    put_placed(writer, SaleRow { order_id, customer_id, placed, said, ..SaleRow::default() });
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a projection lets a row fail")]
fn invoice(writer: &mut Writer<'_>, event: &Received<OrderConfirmed>) -> Result<(), Error> {
    let Money { currency, minor } = event.data.total.clone().unwrap_or_default();
    let row = SaleRow {
        order_id: event.data.order_id.clone(),
        confirmed: Some(micros(event.time)),
        charged: Some(minor),
        charged_in: Some(currency),
        ..SaleRow::default()
    };
    put_confirmed(writer, row);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a projection lets a row fail")]
fn credit(writer: &mut Writer<'_>, event: &Received<PaymentRefunded>) -> Result<(), Error> {
    let Money { currency, minor } = event.data.amount.clone().unwrap_or_default();
    let row = SaleRow {
        order_id: event.data.order_id.clone(),
        refunded: Some(micros(event.time)),
        paid_back: Some(minor),
        paid_back_in: Some(currency),
        ..SaleRow::default()
    };
    put_refunded(writer, row);
    Ok(())
}

/// Destroys the key under which it lies who receives the order. What lies there as it was before there were seals is reduced, wherever it
/// is.
async fn forget(tx: &mut Tx, event: &Received<OrderErased>) -> Result<(), Error> {
    let order_id = event.data.order_id.as_str();
    tx.erase(order_id).await?;
    for slot in [Slot::First, Slot::Second] {
        let kept = store::find(tx.conn(), slot, order_id).await?.and_then(|row| row.said);
        // What is sealed is no message.
        if let Some(plain) = kept.filter(|kept| said(kept).is_ok()) {
            store::reduce(tx.conn(), slot, order_id, shown(&plain)).await?;
        }
    }
    Ok(())
}

/// What everybody may know of what a row says: what was ordered, and the country that it went to.
fn shown(said: &[u8]) -> Vec<u8> {
    contracts::shown(&OrderPlaced::full_name(), said)
}

/// What is known of an order's sale once it has been heard that it was placed.
///
/// # Errors
/// `Unavailable` when the database is.
pub(super) async fn find(store: &Store, order: OrderId) -> Result<Option<SaleRow>, Error> {
    let slot = read(store, DOCUMENTS).await?;
    let row = store::find(store.reader(), slot, &order.to_string()).await?;
    Ok(row.filter(|row| row.placed.is_some()))
}

/// Whose an order is; nobody's where it has not been heard of.
///
/// # Errors
/// `Unavailable` when the database is.
pub(crate) async fn owner(store: &Store, order: OrderId) -> Result<Option<String>, Error> {
    Ok(find(store, order).await?.and_then(|row| row.customer_id))
}

/// When the sale has led to a document of that kind, and over how much.
pub(super) fn issued(row: &SaleRow, kind: Kind) -> Option<(i64, Money)> {
    let (time, minor, currency) = match kind {
        Kind::Invoice => (row.confirmed, row.charged, &row.charged_in),
        Kind::CreditNote => (row.refunded, row.paid_back, &row.paid_back_in),
    };
    Some((time?, Money { minor: minor?, currency: currency.clone()? }))
}

/// What a row says of the order as it was placed; of one that is erased, what everybody may know.
///
/// # Errors
/// `Unavailable` when the database is, and `Internal` where the row is damaged.
pub(super) async fn opened(store: &Store, row: &SaleRow) -> Result<OrderPlaced, Error> {
    let kept = row.said.clone().unwrap_or_default();
    let opened = store.open_sealed(vec![kept]).await?.pop().map(Opened::into_bytes);
    said(&opened.unwrap_or_default())
}

/// What a row says of the order as it was placed, opened.
///
/// # Errors
/// `Internal` where it is damaged.
pub(crate) fn said(bytes: &[u8]) -> Result<OrderPlaced, Error> {
    let mut placed = OrderPlaced::decode(bytes).map_err(Error::internal)?;
    if !placed.country.is_empty() {
        // Of an address that is erased the country is left.
        let country = placed.country.clone();
        let recipient = placed.recipient.get_or_insert_default();
        recipient.address.get_or_insert_with(|| Address { country, ..Address::default() });
    }
    Ok(placed)
}
