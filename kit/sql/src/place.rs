//! Where a page of what is listed by time ends.

use std::fmt;
use std::str::FromStr;

use prost_types::Timestamp;
use uuid::Uuid;

/// The last item of a page of what is listed by time, as its token names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The time, in microseconds since the Unix epoch.
    pub time: i64,
    /// The id of the item, or of what it belongs to.
    pub id: Uuid,
    /// Which of those that have the same id; 0 where each has its own.
    pub leg: i64,
}

impl Place {
    /// That of what is listed by this time and id, which is its own or has such legs.
    #[must_use]
    pub fn of(time: Option<&Timestamp>, id: &str, leg: i32) -> Self {
        let Timestamp { seconds, nanos } = time.copied().unwrap_or_default();
        let time = seconds.saturating_mul(1_000_000).saturating_add(i64::from(nanos / 1_000));
        Self { time, id: id.parse().unwrap_or_default(), leg: leg.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.time, self.id, self.leg)
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let mut read = || {
            let (time, id, leg) =
                (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            parts.next().is_none().then_some(Self { time, id, leg })
        };
        read().ok_or("not a place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let time = Timestamp { seconds: 1, nanos: 5_000 };
        let place = Place::of(Some(&time), "0190163d-8694-739b-aea5-966c26f8ad91", 2);
        assert_eq!(place.to_string(), "1000005.0190163d-8694-739b-aea5-966c26f8ad91.2");
        assert_eq!(place.to_string().parse(), Ok(place));
        for odd in
            ["", "1", "1.x.2", "1.0190163d-8694-739b-aea5-966c26f8ad91", "1.0190163d-8694-739b-aea5-966c26f8ad91.2.3"]
        {
            assert!(odd.parse::<Place>().is_err(), "{odd}");
        }
    }
}
