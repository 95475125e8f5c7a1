//! Where a page of flows ends.

use std::fmt;
use std::str::FromStr;

/// The last flow of a page, by what flows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// In microseconds since the Unix epoch.
    pub(super) since: i64,
    pub(super) order_id: String,
    pub(super) event: String,
    pub(super) cause: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.since, self.order_id, self.event, self.cause)
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':').map(ToOwned::to_owned);
        let mut read = || {
            let since = parts.next()?.parse().ok()?;
            let place = Self { since, order_id: parts.next()?, event: parts.next()?, cause: parts.next()? };
            parts.next().is_none().then_some(place)
        };
        read().ok_or("not a place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for cause in ["", "c"] {
            let place = Place { since: 1, order_id: "o".to_owned(), event: "e".to_owned(), cause: cause.to_owned() };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for odd in ["", "1", "x:o:e:c", "1:o:e", "1:o:e:c:d"] {
            assert!(odd.parse::<Place>().is_err(), "{odd}");
        }
    }
}
