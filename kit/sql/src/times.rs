//! Times as tables and contracts keep them.

use prost_types::Timestamp;
use time::OffsetDateTime;

/// Microseconds since the Unix epoch, as tables keep times.
#[must_use]
pub fn micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).unwrap_or(i64::MAX)
}

/// The time that is `micros` microseconds after the Unix epoch.
#[must_use]
pub fn from_micros(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A time as contracts write it.
#[must_use]
pub fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: time.unix_timestamp(), nanos: i32::try_from(time.nanosecond()).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_round_trip_to_the_microsecond() {
        let time = OffsetDateTime::UNIX_EPOCH + time::Duration::nanoseconds(1_700_000_000_123_456_000);
        assert_eq!(from_micros(micros(time)), time);
    }

    #[test]
    fn a_timestamp_counts_its_nanos_forwards() {
        assert_eq!(timestamp(from_micros(-1)), Timestamp { seconds: -1, nanos: 999_999_000 });
        assert_eq!(timestamp(from_micros(1_500_000)), Timestamp { seconds: 1, nanos: 500_000_000 });
    }
}
