//! Goods that arrive at a level: one SKU at one location.

use contracts::tradewind::inventory::v1::{Allocation, StockReceived};
use tradewind_domain::{
    DomainError, Error, ErrorKind, FieldViolation,
    request::{SKU_RULE, Violations, is_sku},
};

tradewind_domain::events! {
    /// What can happen to a level by itself.
    pub enum LevelEvent { Received(StockReceived) }
}

/// The most units that one receipt can book in.
const MOST_UNITS: i64 = 1_000_000_000;

/// Units that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// 1 to 63 printable ASCII characters without spaces.
    pub sku: String,
    /// 1 to 63 of a-z, 0-9 and -.
    pub location: String,
    /// 1 to 1,000,000,000.
    pub quantity: i64,
}

impl Receipt {
    /// So many units, if they can be booked in.
    ///
    /// # Errors
    /// `Invalid`, with every field at fault; the reason is `INVALID_REQUEST` when there are several.
    pub fn new(sku: String, location: String, quantity: i64) -> Result<Self, Error> {
        let mut violations = Violations::default();
        violations.check(is_sku(&sku), "sku", "INVALID_SKU", SKU_RULE);
        violations.check(is_location(&location), "location", "INVALID_LOCATION", "must be 1 to 63 of a-z, 0-9 and -");
        let holds = (1..=MOST_UNITS).contains(&quantity);
        violations.check(holds, "quantity", "QUANTITY_OUT_OF_RANGE", "must be 1 to 1000000000");
        violations.finish_with(Some(Self { sku, location, quantity }))
    }
}

impl From<Receipt> for Allocation {
    fn from(Receipt { sku, location, quantity }: Receipt) -> Self {
        Self { sku, location, quantity }
    }
}

/// Tells whether `text` can name a place.
#[must_use]
fn is_location(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed)
}

/// The id of a level: no location contains the sign between the two.
#[must_use]
pub fn level_id(sku: &str, location: &str) -> String {
    format!("{sku}@{location}")
}

/// The SKU and location of a level, from its id.
#[must_use]
pub fn parse_level_id(id: &str) -> Option<(&str, &str)> {
    id.rsplit_once('@').filter(|(sku, location)| is_sku(sku) && is_location(location))
}

/// Why a level can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// More has arrived than can be counted.
    #[error("more than 9223372036854775807 units would have arrived at the location")]
    OutOfRange,
}

impl DomainError for LevelError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Rejected
    }

    fn reason(&self) -> &'static str {
        "LEVEL_OUT_OF_RANGE"
    }

    fn violations(&self) -> Vec<FieldViolation> {
        vec![FieldViolation { field: "quantity".to_owned(), description: self.to_string() }]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn receipt(sku: &str, location: &str, quantity: i64) -> Result<Receipt, Error> {
        Receipt::new(sku.to_owned(), location.to_owned(), quantity)
    }

    fn refused(receipt: Result<Receipt, Error>) -> (&'static str, Vec<String>) {
        let error = receipt.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        (error.reason, error.violations.into_iter().map(|violation| violation.field).collect())
    }

    #[test]
    fn a_receipt_books_in_between_one_and_a_billion_units() {
        for quantity in [1, MOST_UNITS] {
            assert_eq!(receipt("TEA", "hull-2", quantity).unwrap().quantity, quantity);
        }
        for quantity in [0, -1, MOST_UNITS + 1, i64::MIN, i64::MAX] {
            let expected = ("QUANTITY_OUT_OF_RANGE", vec!["quantity".to_owned()]);
            assert_eq!(refused(receipt("TEA", "hull", quantity)), expected, "{quantity}");
        }
    }

    #[test]
    fn every_field_at_fault_is_named() {
        assert_eq!(refused(receipt("", "hull", 1)), ("INVALID_SKU", vec!["sku".to_owned()]));
        assert_eq!(refused(receipt("TEA", "Hull", 1)), ("INVALID_LOCATION", vec!["location".to_owned()]));
        let (reason, fields) = refused(receipt("T A", "", 0));
        assert_eq!((reason, fields.join(" ")), ("INVALID_REQUEST", "sku location quantity".to_owned()));
    }

    proptest! {
        #[test]
        fn a_level_id_names_one_level(sku in "[!-~]{1,63}", location in "[a-z0-9-]{1,63}") {
            let id = level_id(&sku, &location);
            prop_assert_eq!(parse_level_id(&id), Some((sku.as_str(), location.as_str())));
        }
    }
}
