//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::documents::v1::{GetDocumentRequest, ListDocumentsRequest};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::Recipient;
use prost::Message;
use time::OffsetDateTime;
use tradewind_domain::OrderId;
use tradewind_domain::request::order_id;

use crate::app::sales;
use crate::domain::{Document, Item, Kind, Number};
use crate::render;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] =
    &[("document-requests", document_requests), ("rendered-documents", rendered), ("stored-sales", stored_sales)];

/// Which request, and its bytes. A number is shown as it was read.
fn document_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 2 {
        0 => _ = ListDocumentsRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        _ => {
            let Ok(GetDocumentRequest { number }) = GetDocumentRequest::decode(bytes) else { return };
            let Ok(read) = number.parse::<Number>() else { return };
            assert_eq!(read.to_string(), number);
        }
    }
}

/// What a row says of a sale.
fn stored_sales(bytes: &[u8]) {
    _ = sales::said(bytes);
}

/// A number, and texts by line: the name, parts of the address, the currency, then what things are called.
fn rendered(bytes: &[u8]) {
    let Some((figure, texts)) = bytes.split_first_chunk::<8>() else { return };
    let text = String::from_utf8_lossy(texts);
    let mut texts = text.split('\n').map(ToOwned::to_owned);
    let mut next = || texts.next().unwrap_or_default();
    let minor = i64::from_be_bytes(*figure);
    let mut document = document();
    document.recipient.name = next();
    let address = document.recipient.address.get_or_insert_default();
    (address.line1, address.city) = (next(), next());
    document.total = Money { currency: next(), minor };
    let unit_price = document.total.clone();
    let item = |name: String| Item { sku: name.clone(), name, quantity: i32::MAX, unit_price: unit_price.clone() };
    document.items = texts.map(item).collect();
    let bytes = render(&document);
    assert!(bytes.starts_with(b"%PDF-"));
    assert!(bytes == render(&document), "the same document is the same bytes");
}

fn document() -> Document {
    let order = "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap_or_else(|_| OrderId::generate());
    let time = OffsetDateTime::UNIX_EPOCH;
    Document {
        number: Number { kind: Kind::Invoice, order },
        placed: time,
        issued: time,
        invoice: None,
        recipient: Recipient::default(),
        items: Vec::new(),
        total: Money::default(),
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
