//! What values a field may have, and what a text means as one.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

/// What values a field has, and so how it is compared.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text, with its case: `=` and `!=`.
    Text,
    /// A whole number of 64 bits.
    Number,
    /// `true` or `false`: `=` and `!=`.
    Bool,
    /// A value of an enum by its name, which becomes its number: `=` and `!=`.
    Enum(fn(&str) -> Option<i64>),
    /// A time of RFC 3339.
    Time,
    /// A day in UTC, of a column that holds a time.
    Day,
    /// Seconds, as `20s`.
    Duration,
}

/// A value that a column is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A text.
    Text(String),
    /// A number; of a time, microseconds since the Unix epoch; of a duration, microseconds.
    Number(i64),
    /// Yes or no.
    Bool(bool),
    /// A time that is at or after the first and before the second, both microseconds since the Unix epoch: a day.
    Within(i64, i64),
}

impl Kind {
    /// What a text means; `None` where it is none of this kind.
    pub(crate) fn read(&self, text: &str) -> Option<Bound> {
        match self {
            Self::Text => Some(Bound::Text(text.to_owned())),
            Self::Number => text.parse().ok().map(Bound::Number),
            Self::Bool => text.parse().ok().map(Bound::Bool),
            Self::Enum(number) => number(text).map(Bound::Number),
            Self::Time => OffsetDateTime::parse(text, &Rfc3339).ok().and_then(micros).map(Bound::Number),
            Self::Day => {
                let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
                let begin = micros(day.midnight().assume_utc())?;
                Some(Bound::Within(begin, begin.checked_add(DAY)?))
            }
            Self::Duration => seconds(text).map(Bound::Number),
        }
    }

    /// What is expected of a value, for people.
    pub(crate) fn expects(&self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Bool => "true or false",
            Self::Enum(_) => "one of its values, in capitals",
            Self::Time => "a time of RFC 3339, as 2026-11-28T09:00:00Z",
            Self::Day => "a day in UTC, as 2026-11-28",
            Self::Duration => "seconds, as 20s or 1.5s",
        }
    }
}

const DAY: i64 = 86_400_000_000;

fn micros(time: OffsetDateTime) -> Option<i64> {
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000)).ok()
}

/// `1.5s`, to a microsecond.
fn seconds(text: &str) -> Option<i64> {
    let number = text.strip_suffix('s')?;
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    let duration = Duration::seconds(whole.parse().ok()?).checked_add(Duration::microseconds(fraction))?;
    let micros = i64::try_from(duration.whole_microseconds()).ok()?;
    Some(if negative { -micros } else { micros })
}
