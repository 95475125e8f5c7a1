use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::Recipient;
use time::OffsetDateTime;

use super::Number;

/// Everything that a document says. It names its reader: it must never have `Debug`.
#[derive(Clone)]
pub struct Document {
    /// What it is called.
    pub number: Number,
    /// When the order was placed.
    pub placed: OffsetDateTime,
    /// When the order was confirmed, or the money paid back.
    pub issued: OffsetDateTime,
    /// Of a credit note, the invoice that the order has; none where it was cancelled before it had one.
    pub invoice: Option<Number>,
    /// Who receives the order; without a name where that is erased.
    pub recipient: Recipient,
    /// What was ordered; a credit note lists none of it.
    pub items: Vec<Item>,
    /// What was charged, or paid back.
    pub total: Money,
}

/// One line of an order.
#[derive(Clone)]
pub struct Item {
    /// What the shop calls it.
    pub name: String,
    /// What the warehouse calls it.
    pub sku: String,
    /// Units.
    pub quantity: i32,
    /// Price of one unit as it was when the order was placed.
    pub unit_price: Money,
}

impl Item {
    /// What all units cost; none where that is more than there is room for.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        let minor = self.unit_price.minor.checked_mul(self.quantity.into())?;
        Some(Money { minor, ..self.unit_price.clone() })
    }
}

/// An amount for people, as `GBP 12.34`; in minor units where the currency is unknown here.
#[must_use]
pub fn amount(money: &Money) -> String {
    let known = tradewind_domain::Money::new(&money.currency, money.minor);
    known.map_or_else(|_| format!("{} {} (minor units)", money.currency, money.minor), |known| known.to_string())
}
