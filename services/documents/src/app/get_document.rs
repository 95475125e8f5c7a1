use contracts::tradewind::ordering::v1::PricedLine;
use tradewind_domain::Error;
use tradewind_sql::from_micros;
use tradewind_store::Store;

use super::sales::{find, issued, opened};
use crate::domain::{Document, Item, Kind, Number};

/// What the document of that number says.
///
/// # Errors
/// `NotFound` when there is none, or none yet.
pub(crate) async fn get_document(store: &Store, number: Number) -> Result<Document, Error> {
    let row = find(store, number.order).await?.ok_or_else(|| no_document(number))?;
    let (time, total) = issued(&row, number.kind).ok_or_else(|| no_document(number))?;
    let order = opened(store, &row).await?;
    let (invoice, items) = match number.kind {
        Kind::Invoice => (None, order.lines.into_iter().map(item).collect()),
        Kind::CreditNote => {
            let invoice = Number { kind: Kind::Invoice, ..number };
            (row.confirmed.map(|_| invoice), Vec::new())
        }
    };
    Ok(Document {
        number,
        placed: from_micros(row.placed.unwrap_or_default()),
        issued: from_micros(time),
        invoice,
        recipient: order.recipient.unwrap_or_default(),
        items,
        total,
    })
}

/// What is said of a document that is not there.
pub(crate) fn no_document(number: Number) -> Error {
    let text = match number.kind {
        Kind::Invoice => "there is no such invoice: an order has one once it is confirmed, and that has been heard of",
        Kind::CreditNote => {
            "there is no such credit note: an order has one once money is paid back, and that has been heard of"
        }
    };
    let missing = number.to_string();
    Error::not_found::<contracts::tradewind::documents::v1::Document>(missing, "DOCUMENT_NOT_FOUND", text)
}

fn item(line: PricedLine) -> Item {
    let PricedLine { sku, quantity, unit_price, name, .. } = line;
    // Orders of before lines had names have the SKU.
    Item {
        name: if name.is_empty() { sku.clone() } else { name },
        sku,
        quantity,
        unit_price: unit_price.unwrap_or_default(),
    }
}
