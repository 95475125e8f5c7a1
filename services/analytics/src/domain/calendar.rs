//! Days of UTC as numbers, and the weeks and months that they are in.

use time::{Date, OffsetDateTime};

/// The Julian day of 1970-01-01.
const EPOCH: i64 = 2_440_588;

/// For how long a sum is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month of the calendar.
    Month,
}

impl Span {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As it is kept.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64 + 1
    }

    /// The first day of the one that `day` is in.
    #[must_use]
    pub fn start(self, day: i64) -> i64 {
        match self {
            Self::Day => day,
            // The epoch was a Thursday.
            Self::Week => day - (day + 3).rem_euclid(7),
            Self::Month => date(day).and_then(|date| date.replace_day(1).ok()).map_or(day, number),
        }
    }

    /// The last day of the one that `day` is in.
    #[must_use]
    pub fn end(self, day: i64) -> i64 {
        match self {
            Self::Day => day,
            Self::Week => self.start(day) + 6,
            // No month has more than 31 days, and none that follows it fewer than 28.
            Self::Month => self.start(self.start(day) + 31) - 1,
        }
    }
}

/// The days from one to another, which is among them, as the whole months in them and the days around those.
#[must_use]
pub fn months_and_days(from: i64, to: i64) -> Vec<(Span, i64, i64)> {
    let first = if Span::Month.start(from) == from { from } else { Span::Month.end(from) + 1 };
    let last = if Span::Month.end(to) == to { to } else { Span::Month.start(to) - 1 };
    if first > last {
        return vec![(Span::Day, from, to)];
    }
    let parts = [(Span::Day, from, first - 1), (Span::Month, first, last), (Span::Day, last + 1, to)];
    parts.into_iter().filter(|(_, from, to)| from <= to).collect()
}

/// The day of a time, counted from 1970-01-01.
#[must_use]
pub fn day_of(time: OffsetDateTime) -> i64 {
    time.unix_timestamp().div_euclid(86_400)
}

/// A day as `2026-11-28`.
#[must_use]
pub fn day_text(day: i64) -> String {
    date(day).map(|date| date.to_string()).unwrap_or_default()
}

/// The month that a day is in, as `2026-11`.
#[must_use]
pub fn month_text(day: i64) -> String {
    day_text(day).get(..7).map(ToOwned::to_owned).unwrap_or_default()
}

/// The day that `2026-11-28` names, of a year from 1970 to 9999.
#[must_use]
pub fn parse_day(text: &str) -> Option<i64> {
    let is_digit_or_dash =
        |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    if text.len() != 10 || !text.bytes().enumerate().all(is_digit_or_dash) {
        return None;
    }
    let month = u8::try_from(text[5..7].parse::<u32>().ok()?).ok()?;
    let date = Date::from_calendar_date(text[..4].parse().ok()?, month.try_into().ok()?, text[8..].parse().ok()?);
    date.ok().map(number).filter(|day| *day >= 0)
}

fn date(day: i64) -> Option<Date> {
    Date::from_julian_day(i32::try_from(day.checked_add(EPOCH)?).ok()?).ok()
}

fn number(date: Date) -> i64 {
    i64::from(date.to_julian_day()) - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let day = parse_day("2024-02-29").unwrap();
        let of = |span: Span| (day_text(span.start(day)), day_text(span.end(day)));
        let is = |start: &str, end: &str| (start.to_owned(), end.to_owned());
        assert_eq!(of(Span::Day), is("2024-02-29", "2024-02-29"));
        assert_eq!(of(Span::Week), is("2024-02-26", "2024-03-03"));
        assert_eq!(of(Span::Month), is("2024-02-01", "2024-02-29"));
        assert_eq!((month_text(day), Span::Week.start(0)), ("2024-02".to_owned(), -3));
        assert_eq!(day_of(OffsetDateTime::UNIX_EPOCH + time::Duration::hours(25)), 1);
    }

    #[test]
    fn a_period_is_whole_months_and_what_is_around_them() {
        let told = |from: &str, to: &str| {
            let parts = months_and_days(parse_day(from).unwrap(), parse_day(to).unwrap());
            let part = |(span, from, to): (Span, i64, i64)| format!("{span:?} {} {}", day_text(from), day_text(to));
            parts.into_iter().map(part).collect::<Vec<_>>()
        };
        assert_eq!(told("2026-01-15", "2026-02-20"), ["Day 2026-01-15 2026-02-20"]);
        assert_eq!(told("2026-02-01", "2026-02-28"), ["Month 2026-02-01 2026-02-28"]);
        assert_eq!(
            told("2026-01-31", "2026-04-01"),
            ["Day 2026-01-31 2026-01-31", "Month 2026-02-01 2026-03-31", "Day 2026-04-01 2026-04-01",]
        );
    }

    #[test]
    fn a_day_is_read_as_it_is_written_and_nothing_else_is() {
        for text in ["1970-01-01", "2026-11-28", "9999-12-31"] {
            assert_eq!(day_text(parse_day(text).unwrap()), text);
        }
        for odd in [
            "",
            "2026-11-31",
            "2026-13-01",
            "2026-1-1",
            "26-11-28",
            "1969-12-31",
            "2026/11/28",
            "2026-11-2x",
            "+026-11-28",
        ] {
            assert_eq!(parse_day(odd), None, "{odd}");
        }
    }
}
