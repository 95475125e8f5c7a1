//! What is known of sales, kept from the events of others.

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{OrderConfirmed, OrderPlaced};
use contracts::tradewind::payment::v1::PaymentRefunded;
use prost::Message;
use tradewind_domain::{Error, OrderId};
use tradewind_events::Received;
use tradewind_projections::{Projection, Writer, read};
use tradewind_sql::micros;
use tradewind_store::Store;

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
}

#[expect(clippy::unnecessary_wraps, reason = "a projection lets a row fail")]
fn itemise(writer: &mut Writer<'_>, event: &Received<OrderPlaced>) -> Result<(), Error> {
    let OrderPlaced { order_id, customer_id, mut recipient, lines, .. } = event.data.clone();
    // No document shows where mail goes.
    recipient.iter_mut().for_each(|recipient| recipient.email.clear());
    let said = OrderPlaced { recipient, lines, ..OrderPlaced::default() }.encode_to_vec();
    let (customer_id, placed, said) = (Some(customer_id), Some(micros(event.time)), Some(said));
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

/// What a row says of the order as it was placed.
///
/// # Errors
/// `Internal` where it is damaged.
pub(crate) fn said(bytes: &[u8]) -> Result<OrderPlaced, Error> {
    OrderPlaced::decode(bytes).map_err(Error::internal)
}
