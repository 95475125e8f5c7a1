//! Goods that arrive at a level, one SKU at one location, and what is counted there.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use contracts::tradewind::inventory::v1::{Allocation, StockCorrected, StockCount, StockReceived};
use tradewind_domain::{DomainError, ErrorKind, Sensitive, StreamName, request::is_sku};

tradewind_domain::events! {
    /// What can happen to a level by itself.
    pub enum LevelEvent { Received(StockReceived), Corrected(StockCorrected) }
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

/// What somebody has counted at a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// 1 to 63 printable ASCII characters without spaces.
    pub sku: String,
    /// 1 to 63 of a-z, 0-9 and -.
    pub location: String,
    /// To what it is corrected.
    pub to: To,
    /// Why.
    pub reason: Sensitive<String>,
}

/// To what a level is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// So many units are in the building.
    Counted(i64),
    /// There are so many units more than was said, or fewer.
    Change(i64),
}

impl To {
    /// How many units one can count, or find.
    pub const MOST: i64 = 1_000_000_000;

    /// By how many units a level of these counters changes.
    ///
    /// # Errors
    /// When less would be left than is set aside, or more than can be counted.
    pub fn change(self, StockCount { received, shipped, reserved }: StockCount) -> Result<i64, LevelError> {
        let on_hand = received.saturating_sub(shipped);
        let change = match self {
            Self::Counted(units) => units.saturating_sub(on_hand),
            Self::Change(units) => units,
        };
        received.checked_add(change).ok_or(LevelError::OutOfRange)?;
        if on_hand.saturating_add(change) < reserved {
            return Err(LevelError::BelowReserved { on_hand, reserved });
        }
        Ok(change)
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

/// The stream of a level's own events.
#[must_use]
pub fn level_stream(sku: &str, location: &str) -> StreamName {
    StreamName::from(format!("stock-{}", level_id(sku, location)))
}

/// Why a level can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// More has arrived than can be counted.
    #[error("more than 9223372036854775807 units would have arrived at the location")]
    OutOfRange,
    /// What is set aside for orders would not be there.
    #[error("{reserved} of the {on_hand} units are set aside for orders, and fewer would be left: cancel some first")]
    BelowReserved {
        /// What is in the building.
        on_hand: i64,
        /// What is set aside of it.
        reserved: i64,
    },
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
        match self {
            Self::OutOfRange => Self::OUT_OF_RANGE,
            Self::BelowReserved { .. } => "LEVEL_BELOW_RESERVED",
        }
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        let fact = |name: &str, units: i64| (name.to_owned(), units.to_string());
        match *self {
            Self::OutOfRange => BTreeMap::from([fact("maximum", i64::MAX)]),
            Self::BelowReserved { on_hand, reserved } => {
                BTreeMap::from([fact("on_hand", on_hand), fact("reserved", reserved)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_correction_never_leaves_less_than_is_set_aside() {
        let level = StockCount { received: 9, shipped: 2, reserved: 3 };
        for (to, change) in [(To::Counted(7), 0), (To::Counted(3), -4), (To::Counted(12), 5), (To::Change(-4), -4)] {
            assert_eq!(to.change(level), Ok(change), "{to:?}");
        }
        for to in [To::Counted(2), To::Counted(0), To::Change(-5), To::Change(i64::MIN)] {
            assert_eq!(to.change(level), Err(LevelError::BelowReserved { on_hand: 7, reserved: 3 }), "{to:?}");
        }
        let full = StockCount { received: i64::MAX, shipped: 1, reserved: 0 };
        assert_eq!(To::Change(1).change(full), Err(LevelError::OutOfRange));
        assert_eq!(To::Counted(0).change(full), Ok(1 - i64::MAX));
    }

    proptest! {
        #[test]
        fn a_level_id_names_one_level(sku in "[!-~]{1,63}", location in "[a-z0-9-]{1,63}") {
            let id = level_id(&sku, &location);
            prop_assert_eq!(parse_level_id(&id), Some((sku.as_str(), location.as_str())));
        }
    }
}
