//! The order that is placed, twice: one unit, a card, an address. The two differ in nothing, not even in their id, for
//! they share nothing but the stock.

use contracts::tradewind::ordering::v1::Recipient;
use ordering::domain::{Command, Line, Place};
use tradewind_domain::{Error, Money};

/// The id of either order.
pub(crate) const ID: &str = "order";
/// What is ordered.
pub(crate) const SKU: &str = "TEA";
/// What it is paid in.
pub(crate) const CURRENCY: &str = "GBP";
/// What it costs, in minor units.
pub(crate) const PRICE: i64 = 450;

/// What places it.
pub(crate) fn place() -> Result<Command, Error> {
    let unit_price = Money::new(CURRENCY, PRICE).map_err(Error::internal)?;
    let line = Line { product_id: "tea".to_owned(), sku: SKU.to_owned(), name: String::new(), quantity: 1, unit_price };
    Ok(Command::Place(Box::new(Place {
        order_id: ID.to_owned(),
        customer_id: "customer".to_owned(),
        recipient: Recipient { name: "A Customer".to_owned(), ..Recipient::default() },
        lines: vec![line],
        payment_token: "token".to_owned().into(),
        ..Place::default()
    })))
}
