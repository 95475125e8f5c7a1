//! Dates as people write them. Which number is the day is told from the whole column: 1/12/10 alone says nothing.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use time::macros::date;
use time::{Date, Duration, Month, PrimitiveDateTime, Time};

/// Which of a date's numbers comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Dates {
    /// 31/12/2010
    #[value(name = "day-first")]
    Day,
    /// 12/31/2010
    #[value(name = "month-first")]
    Month,
    /// 10/12/31; four digits tell by themselves
    #[value(name = "year-first")]
    Year,
}

const ALL: [Dates; 3] = [Dates::Day, Dates::Month, Dates::Year];

/// A date as far as it can be read alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It can mean one time only.
    Certain(PrimitiveDateTime),
    /// Three numbers; a year of two digits may come first where the last has no four.
    Numbers { numbers: [u16; 3], year_first: bool, time: Time, back: Duration },
}

/// Days are counted from here in workbooks.
const SERIAL_DAYS_FROM: Date = date!(1899 - 12 - 30);
/// About 1954 to 2119.
const SERIAL_DAYS: std::ops::RangeInclusive<i64> = 20_000..=80_000;

/// Nothing was sold before, and nothing will have been.
const YEARS: std::ops::RangeInclusive<u16> = 1900..=2200;

/// Reads a date, with a time of day or without; a time zone moves it to UTC.
pub(super) fn parse(text: &str) -> Option<Written> {
    let text = text.trim();
    if let Some(certain) = serial(text).or_else(|| compact(text)) {
        return Some(Written::Certain(certain));
    }
    let (date, time) = match text.find(':') {
        Some(colon) => {
            let hour = text[..colon].trim_end_matches(|one: char| one.is_ascii_digit()).len();
            text.split_at(hour)
        }
        None => (text, "0:00"),
    };
    let (time, back) = time_of_day(time)?;
    let date = date.trim_end_matches(|one: char| one.is_whitespace() || matches!(one, 'T' | 't' | ','));
    let mut parts: Vec<&str> = date.split(|one: char| !one.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    if parts.len() == 4 && parts[0].starts_with(char::is_alphabetic) {
        // The day of the week.
        parts.remove(0);
    }
    let [first, second, third] = parts[..] else { return None };
    let certain = |year, month: u16, day| moment(calendar(year, month, day)?, time, back).map(Written::Certain);
    match (month(first), month(second)) {
        (Some(month), _) => certain(year(third)?, month, number(second)?),
        (None, Some(month)) if first.len() == 4 => certain(year(first)?, month, number(third)?),
        (None, Some(month)) => certain(year(third)?, month, number(first)?),
        (None, None) if first.len() == 4 => certain(number(first)?, number(second)?, number(third)?),
        (None, None) if third.len() == 4 || third.len() <= 2 => {
            let numbers =
                [number(first)?, number(second)?, if third.len() == 4 { year(third)? } else { number(third)? }];
            Some(Written::Numbers { numbers, year_first: third.len() <= 2, time, back })
        }
        _ => None,
    }
}

/// `8:26`, `08:26:00.000`, `8:26 pm`, and a zone after any of these.
fn time_of_day(text: &str) -> Option<(Time, Duration)> {
    let end = text.find(|one: char| !one.is_ascii_digit() && !matches!(one, ':' | '.' | ',')).unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let clock = clock.trim_end_matches(['.', ',']);
    let clock = clock.split(['.', ',']).next().unwrap_or_default();
    let mut parts =
        clock.split(':').map(|part| (1..=2).contains(&part.len()).then(|| part.parse::<u8>().ok()).flatten());
    let (mut hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() {
        return None;
    }
    let rest: String =
        rest.chars().filter(|one| !one.is_whitespace() && *one != '.').collect::<String>().to_ascii_lowercase();
    let zone = match (rest.get(..2), hour) {
        (Some("am" | "pm"), 0 | 13..) => return None,
        (Some(half @ ("am" | "pm")), _) => {
            hour = hour % 12 + if half == "pm" { 12 } else { 0 };
            &rest[2..]
        }
        _ => rest.as_str(),
    };
    Some((Time::from_hms(hour, minute, second).ok()?, offset(zone)?))
}

/// How far a zone is ahead of UTC: `Z`, `+01:00`, `-0530`, `+02`.
fn offset(zone: &str) -> Option<Duration> {
    let (ahead, digits) = match zone {
        "" | "z" | "utc" | "gmt" => return Some(Duration::ZERO),
        _ => (zone.starts_with('+'), zone.strip_prefix(['+', '-'])?.replace(':', "")),
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at_checked(2)?,
        _ => return None,
    };
    let minutes = number(hours).filter(|hours| *hours <= 14)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
    let far = Duration::minutes(minutes.into());
    Some(if ahead { far } else { -far })
}

/// Days since the end of 1899, as a workbook counts them.
fn serial(text: &str) -> Option<PrimitiveDateTime> {
    let (days, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = days.bytes().all(|byte| byte.is_ascii_digit());
    let days: i64 = days.parse().ok().filter(|days| is_number && SERIAL_DAYS.contains(days))?;
    if fraction.len() > 15 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let seconds = i64::try_from((part * 86_400 + whole / 2) / whole).ok()?;
    let midnight = PrimitiveDateTime::new(SERIAL_DAYS_FROM, Time::MIDNIGHT);
    midnight.checked_add(Duration::days(days) + Duration::seconds(seconds))
}

/// `20101201`.
fn compact(text: &str) -> Option<PrimitiveDateTime> {
    let is_compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = is_compact.then(|| calendar(number(&text[..4])?, number(&text[4..6])?, number(&text[6..])?))??;
    Some(PrimitiveDateTime::new(date, Time::MIDNIGHT))
}

/// A time of day in UTC, where its zone is `back` ahead; it may be another day.
fn moment(date: Date, time: Time, back: Duration) -> Option<PrimitiveDateTime> {
    let at = PrimitiveDateTime::new(date, time).checked_sub(back)?;
    u16::try_from(at.year()).is_ok_and(|year| YEARS.contains(&year)).then_some(at)
}

fn calendar(year: u16, month: u16, day: u16) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let year = YEARS.contains(&year).then_some(year)?;
    Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()
}

fn number(text: &str) -> Option<u16> {
    (text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// A year of four digits, or of two: 69 to 99 are of the last century.
fn year(text: &str) -> Option<u16> {
    let year = number(text)?;
    match text.len() {
        4 => Some(year),
        1 | 2 => Some(in_full(year)),
        _ => None,
    }
}

const fn in_full(year: u16) -> u16 {
    match year {
        0..=68 => year + 2000,
        69..=99 => year + 1900,
        _ => year,
    }
}

fn month(text: &str) -> Option<u16> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = text.to_ascii_lowercase();
    let text = if text == "sept" { "sep" } else { text.as_str() };
    let found = NAMES.iter().position(|name| text.len() >= 3 && name.starts_with(text))?;
    u16::try_from(found + 1).ok()
}

impl Written {
    /// The time it means where its numbers are in that order.
    pub(super) fn read(self, dates: Dates) -> Option<PrimitiveDateTime> {
        match self {
            Self::Certain(at) => Some(at),
            Self::Numbers { numbers: [first, second, third], year_first, time, back } => {
                let (year, month, day) = match dates {
                    Dates::Day => (third, second, first),
                    Dates::Month => (third, first, second),
                    Dates::Year if year_first => (first, second, third),
                    Dates::Year => return None,
                };
                moment(calendar(in_full(year), month, day)?, time, back)
            }
        }
    }
}

/// Tells from a whole column in which order its numbers are.
///
/// # Errors
/// Names a row at fault where rows contradict each other, or where one can be read in two ways and no other tells how.
pub(super) fn decide<'a>(
    column: impl Iterator<Item = (Written, &'a str, impl Fn() -> String)> + Clone,
) -> Result<Dates> {
    let numbers = column.filter(|(written, ..)| matches!(written, Written::Numbers { .. }));
    let mut readable = [0_usize; ALL.len()];
    let (mut firsts, mut lasts) = (BTreeSet::new(), BTreeSet::new());
    for (written, ..) in numbers.clone() {
        for (count, dates) in readable.iter_mut().zip(ALL) {
            *count += usize::from(written.read(dates).is_some());
        }
        if let Written::Numbers { numbers: [first, _, last], .. } = written {
            firsts.insert(first);
            lasts.insert(last);
        }
    }
    let most = readable.iter().copied().max().unwrap_or_default();
    let mut best: Vec<Dates> =
        ALL.into_iter().zip(readable).filter(|(_, count)| *count == most).map(|(dates, _)| dates).collect();
    if best.len() > 1 && best.contains(&Dates::Year) {
        // A column has more days in it than years.
        match firsts.len().cmp(&lasts.len()) {
            std::cmp::Ordering::Greater => best.retain(|dates| *dates != Dates::Year),
            std::cmp::Ordering::Less => best = vec![Dates::Year],
            std::cmp::Ordering::Equal => {}
        }
    }
    let chosen = *best.first().unwrap_or(&Dates::Day);
    for other in ALL.into_iter().filter(|dates| *dates != chosen) {
        let only = |one: Dates, two: Dates| {
            numbers.clone().filter(move |(written, ..)| written.read(one).is_some() && written.read(two).is_none())
        };
        let (mine, others) = (only(chosen, other).count(), only(other, chosen).count());
        if others * 20 > mine
            && let Some((_, text, place)) = only(other, chosen).next()
            && let Some((_, mine, there)) = only(chosen, other).next()
        {
            bail!(
                "dates are written in two ways: {} has {mine:?}, {} has {text:?}; --dates says which is right",
                there(),
                place()
            );
        }
        if best.contains(&other) {
            let differs =
                |written: Written| written.read(chosen).zip(written.read(other)).filter(|(one, two)| one != two);
            if let Some((text, place, one, two)) = numbers
                .clone()
                .find_map(|(written, text, place)| differs(written).map(|(one, two)| (text, place, one, two)))
            {
                bail!(
                    "{} has the date {text:?}, which is {} or {}, and no other row tells: say --dates {} or --dates {}",
                    place(),
                    one.date(),
                    two.date(),
                    name(chosen),
                    name(other)
                );
            }
        }
    }
    Ok(chosen)
}

const fn name(dates: Dates) -> &'static str {
    match dates {
        Dates::Day => "day-first",
        Dates::Month => "month-first",
        Dates::Year => "year-first",
    }
}

#[cfg(test)]
mod tests;
