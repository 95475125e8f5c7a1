//! Where pages of sums and of forecasts end.

use std::fmt;
use std::str::FromStr;

/// The last sum of a page, by what sums are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalePlace {
    pub(crate) start: i64,
    pub(crate) key: String,
    pub(crate) currency: String,
}

/// The last forecast of a page, by what forecasts are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockPlace {
    pub(crate) sku: String,
    pub(crate) location: String,
}

impl fmt::Display for SalePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A product may be called anything, so it comes last.
        write!(f, "{}:{}:{}", self.start, self.currency, self.key)
    }
}

impl FromStr for SalePlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut parts = text.splitn(3, ':');
            let start = parts.next().filter(|start| !start.starts_with('+'))?.parse().ok()?;
            Some(Self { start, currency: parts.next()?.to_owned(), key: parts.next()?.to_owned() })
        };
        read().ok_or("not a place")
    }
}

impl fmt::Display for StockPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.sku, self.location)
    }
}

impl FromStr for StockPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // No location has one.
        let (sku, location) = text.rsplit_once('@').ok_or("not a place")?;
        Ok(Self { sku: sku.to_owned(), location: location.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for key in ["", "a:b", "Tea"] {
            let place = SalePlace { start: 20_000, key: key.to_owned(), currency: "GBP".to_owned() };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        let place = StockPlace { sku: "TEA".to_owned(), location: "main-hall".to_owned() };
        assert_eq!(place.to_string().parse(), Ok(place));
        for odd in ["", "1", "1:GBP", "x:GBP:tea"] {
            assert!(odd.parse::<SalePlace>().is_err(), "{odd}");
        }
        assert!("TEA".parse::<StockPlace>().is_err());
    }
}
