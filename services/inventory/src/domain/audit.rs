//! Counters against movements.

use std::collections::{BTreeMap, BTreeSet};

use contracts::tradewind::inventory::v1::{StockCount, StockDifferenceFound};
use sha2::{Digest, Sha256};
use uuid::Builder;

use super::level_id;

/// Counts by SKU and location.
pub type Levels = BTreeMap<(String, String), StockCount>;

/// What is said of one level by both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// What.
    pub sku: String,
    /// Where.
    pub location: String,
    /// What the counters say.
    pub counters: StockCount,
    /// What the movements come to.
    pub balance: StockCount,
}

impl Compared {
    /// The id of the difference that this level has, or would have.
    #[must_use]
    pub fn difference_id(&self) -> String {
        let digest: [u8; 32] = Sha256::digest(level_id(&self.sku, &self.location)).into();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
        Builder::from_custom_bytes(bytes).into_uuid().to_string()
    }

    /// Whether the two sides differ.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.counters != self.balance
    }
}

impl From<&Compared> for StockDifferenceFound {
    fn from(compared: &Compared) -> Self {
        Self {
            difference_id: compared.difference_id(),
            sku: compared.sku.clone(),
            location: compared.location.clone(),
            counters: Some(compared.counters),
            balance: Some(compared.balance),
        }
    }
}

/// The first `size` levels that either side knows, and whether there are more. What one side does not know is nothing there.
#[must_use]
pub fn compare(counters: &Levels, balances: &Levels, size: usize) -> (Vec<Compared>, bool) {
    let levels: BTreeSet<_> = counters.keys().chain(balances.keys()).collect();
    let said = |side: &Levels, level| side.get(level).copied().unwrap_or_default();
    let compared = levels.iter().take(size).map(|level| Compared {
        sku: level.0.clone(),
        location: level.1.clone(),
        counters: said(counters, level),
        balance: said(balances, level),
    });
    (compared.collect(), levels.len() > size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(levels: &[(&str, &str, i64)]) -> Levels {
        let level = |(sku, location, received): &(&str, &str, i64)| {
            let count = StockCount { received: *received, shipped: 0, reserved: 0 };
            (((*sku).to_owned(), (*location).to_owned()), count)
        };
        levels.iter().map(level).collect()
    }

    #[test]
    fn what_one_side_alone_knows_differs() {
        let counters = levels(&[("CUP", "hull", 3), ("TEA", "hull", 5), ("TEA", "york", 1)]);
        let balances = levels(&[("CUP", "hull", 3), ("POT", "york", 2), ("TEA", "hull", 4)]);
        let found = |size| {
            let (compared, more) = compare(&counters, &balances, size);
            let differs: Vec<_> = compared.iter().map(|level| (level.sku.clone(), level.differs())).collect();
            (differs, more)
        };
        let all = [("CUP", false), ("POT", true), ("TEA", true), ("TEA", true)].map(|(sku, is)| (sku.to_owned(), is));
        assert_eq!(found(4), (all.to_vec(), false));
        assert_eq!(found(2), (all[..2].to_vec(), true));
    }

    #[test]
    fn a_level_has_one_difference_at_a_time() {
        let at = |location: &str, received| Compared {
            sku: "TEA".to_owned(),
            location: location.to_owned(),
            counters: StockCount { received, shipped: 0, reserved: 0 },
            balance: StockCount::default(),
        };
        assert_eq!(at("hull", 1).difference_id(), at("hull", 2).difference_id());
        assert_ne!(at("hull", 1).difference_id(), at("york", 1).difference_id());
    }
}
