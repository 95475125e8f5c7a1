//! Goods that arrive at a level: one SKU at one location.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use contracts::tradewind::inventory::v1::{Allocation, StockReceived};
use tradewind_domain::{DomainError, ErrorKind, request::is_sku};

tradewind_domain::events! {
    /// What can happen to a level by itself.
    pub enum LevelEvent { Received(StockReceived) }
}

/// Units that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// 1 to 63 printable ASCII characters without spaces.
    pub sku: String,
    /// 1 to 63 of a-z, 0-9 and -.
    pub location: String,
    /// One of [`UNITS`](Self::UNITS).
    pub quantity: i64,
}

impl Receipt {
    /// How many units one can book in.
    pub const UNITS: RangeInclusive<i64> = 1..=1_000_000_000;
}

impl From<Receipt> for Allocation {
    fn from(Receipt { sku, location, quantity }: Receipt) -> Self {
        Self { sku, location, quantity }
    }
}

/// Tells whether `text` can name a place.
#[must_use]
pub fn is_location(text: &str) -> bool {
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

impl LevelError {
    /// The reason of [`OutOfRange`](Self::OutOfRange), for whoever says which field of a request it is about.
    pub const OUT_OF_RANGE: &'static str = "LEVEL_OUT_OF_RANGE";
}

impl DomainError for LevelError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Rejected
    }

    fn reason(&self) -> &'static str {
        Self::OUT_OF_RANGE
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("maximum".to_owned(), i64::MAX.to_string())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_level_id_names_one_level(sku in "[!-~]{1,63}", location in "[a-z0-9-]{1,63}") {
            let id = level_id(&sku, &location);
            prop_assert_eq!(parse_level_id(&id), Some((sku.as_str(), location.as_str())));
        }
    }
}
