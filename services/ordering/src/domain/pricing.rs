use contracts::tradewind::ordering::v1::PricedLine;
use tradewind_domain::{Money, MoneyError};

use super::OrderError;

/// What is ordered of one product, and what a unit costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product as the shop sells it.
    pub product_id: String,
    /// The same thing as the warehouse calls it.
    pub sku: String,
    /// What it is called now; empty where that is not known.
    pub name: String,
    /// Units; more than 0.
    pub quantity: i32,
    /// Price of one unit.
    pub unit_price: Money,
}

/// What all the lines cost together.
///
/// # Errors
/// When there is no line, when the lines are of different currencies, or when the sum is beyond 64 bits of minor units.
pub(super) fn total(lines: &[Line]) -> Result<Money, OrderError> {
    let currency = lines.first().ok_or(OrderError::Empty)?.unit_price.currency();
    lines.iter().try_fold(Money::of(currency, 0), |sum, line| {
        let price = line.unit_price.checked_mul(i64::from(line.quantity)).and_then(|price| sum.checked_add(price));
        price.map_err(|error| match error {
            MoneyError::CurrencyMismatch(one, other) => OrderError::MixedCurrencies(one, other),
            MoneyError::Overflow => OrderError::TotalTooLarge,
        })
    })
}

/// Money as the contracts write it.
pub(crate) fn contract_money(money: Money) -> contracts::tradewind::money::v1::Money {
    contracts::tradewind::money::v1::Money { currency: money.currency().code().to_owned(), minor: money.minor() }
}

impl From<Line> for PricedLine {
    fn from(line: Line) -> Self {
        Self {
            product_id: line.product_id,
            sku: line.sku,
            name: line.name,
            quantity: line.quantity,
            unit_price: Some(contract_money(line.unit_price)),
        }
    }
}
