//! Decimal numbers as people write them. Which of point and comma is which is told from all of a file's numbers; no floating
//! point touches any.

use anyhow::{Result, bail};

/// What stands before a number's fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Decimals {
    /// 1,234.56
    Point,
    /// 1.234,56
    Comma,
}

/// A number that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: u64,
    /// Digits.
    fraction: &'a str,
}

impl Decimal<'_> {
    /// The number where it has no fraction; `None` also where it is out of range.
    pub(super) fn units(self) -> Option<i64> {
        let whole = i64::try_from(self.whole).ok()?;
        let is_whole = self.fraction.bytes().all(|digit| digit == b'0');
        is_whole.then_some(if self.negative { -whole } else { whole })
    }

    /// Its hundredths, rounded half up; `None` where they are out of range.
    pub(super) fn hundredths(self) -> Option<i64> {
        let mut places = self.fraction.bytes().chain(std::iter::repeat(b'0')).map(|byte| i64::from(byte - b'0'));
        let (tens, ones, next) = (places.next()?, places.next()?, places.next()?);
        let whole = i64::try_from(self.whole).ok()?.checked_mul(100)?;
        let all = whole.checked_add(tens * 10 + ones + i64::from(next >= 5))?;
        Some(if self.negative { -all } else { all })
    }
}

const fn is_group_mark(one: char) -> bool {
    matches!(one, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '’')
}

/// A number without its sign and currency, and whether it is negative.
fn bare(text: &str) -> (bool, &str) {
    let outer = |one: char| one.is_whitespace() || matches!(one, '£' | '€' | '$' | '\u{a0}');
    let text = text.trim_matches(outer);
    let (negative, text) = match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(text) => (true, text),
        None => match text.strip_prefix(['-', '−']).or_else(|| text.strip_suffix('-')) {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        },
    };
    (negative, text.trim_matches(outer))
}

/// Reads a number; `None` where it is none, or its groups are no thousands.
pub(super) fn parse(text: &str, decimals: Decimals) -> Option<Decimal<'_>> {
    let (negative, text) = bare(text);
    let (decimal, group) = match decimals {
        Decimals::Point => ('.', ','),
        Decimals::Comma => (',', '.'),
    };
    let (whole, fraction) = text.split_once(decimal).unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let groups: Vec<&str> = whole.split(|one| one == group || is_group_mark(one)).collect();
    let digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let thousands = groups.len() == 1
        || ((1..=3).contains(&groups[0].len()) && groups.iter().skip(1).all(|group| group.len() == 3));
    if !digits || !thousands {
        return None;
    }
    let whole = groups.concat();
    Some(Decimal { negative, whole: if whole.is_empty() { 0 } else { whole.parse().ok()? }, fraction })
}

/// What a number tells of the one it was written with.
enum Evidence {
    /// It can only be this.
    Only(Decimals),
    /// It is another number with either.
    Either,
    /// It is the same with both, or none.
    Nothing,
}

fn evidence(text: &str) -> Evidence {
    let values = [Decimals::Point, Decimals::Comma]
        .map(|decimals| parse(text, decimals).map(|value| (value.whole, value.hundredths())));
    match values {
        [Some(_), None] => Evidence::Only(Decimals::Point),
        [None, Some(_)] => Evidence::Only(Decimals::Comma),
        [Some(point), Some(comma)] if point != comma => match bare(text).1.split(['.', ',']).next() {
            // No group of thousands begins with a 0.
            Some(first) if first.starts_with('0') && text.contains('.') => Evidence::Only(Decimals::Point),
            Some(first) if first.starts_with('0') => Evidence::Only(Decimals::Comma),
            _ => Evidence::Either,
        },
        _ => Evidence::Nothing,
    }
}

/// Tells from all numbers of a file what their fractions begin with; `usual` where none tells.
///
/// # Errors
/// Names a number at fault where they contradict each other, or where one can be read in two ways and nothing tells how.
pub(super) fn decide<'a>(
    numbers: impl Iterator<Item = (&'a str, impl Fn() -> String)>,
    usual: Option<Decimals>,
) -> Result<Decimals> {
    let (mut point, mut comma, mut either) = ((0_usize, None), (0_usize, None), None);
    for (text, place) in numbers {
        let seen = match evidence(text) {
            Evidence::Only(Decimals::Point) => &mut point,
            Evidence::Only(Decimals::Comma) => &mut comma,
            Evidence::Either => {
                either.get_or_insert((text, place));
                continue;
            }
            Evidence::Nothing => continue,
        };
        seen.0 += 1;
        seen.1.get_or_insert((text, place));
    }
    let (decimals, more, fewer) =
        if point.0 >= comma.0 { (Decimals::Point, point, comma) } else { (Decimals::Comma, comma, point) };
    match (more, fewer, either, usual) {
        ((more, Some((one, at))), (fewer, Some((other, there))), ..) if fewer * 20 > more => {
            bail!(
                "numbers are written in two ways: {} has {one:?}, {} has {other:?}; --decimals says which is right",
                at(),
                there()
            )
        }
        ((0, _), _, _, Some(usual)) => Ok(usual),
        ((0, _), _, Some((text, place)), None) => {
            bail!(
                "{} has the number {text:?}, whose fraction may begin with either point or comma, and no other row tells: say --decimals point or --decimals comma",
                place()
            )
        }
        _ => Ok(decimals),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(numbers: &[&str], usual: Option<Decimals>) -> Result<Decimals, String> {
        decide(numbers.iter().map(|text| (*text, move || format!("the one of {text}"))), usual)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn prices_are_exact() {
        let of = |text| parse(text, Decimals::Point).and_then(Decimal::hundredths);
        for (text, pence) in [
            ("3.39", 339),
            ("0.1", 10),
            ("13541.33", 1_354_133),
            ("0.001", 0),
            ("7", 700),
            ("1.995", 200),
            ("-2.5", -250),
            (".5", 50),
            ("£1,234.50", 123_450),
            ("(3.39)", -339),
            ("1 234.50", 123_450),
            ("1'234'567.8", 123_456_780),
            ("−4", -400),
            ("4.00 €", 400),
        ] {
            assert_eq!(of(text), Some(pence), "{text}");
        }
        for text in [
            "",
            "abc",
            "1.2.3",
            "1e5",
            "1,23",
            "1 2",
            "--1",
            "£",
            "0x10",
            "1.5.",
            ".",
            "NaN",
            "∞",
            "99999999999999999999",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(parse("1.234,56", Decimals::Comma).and_then(Decimal::hundredths), Some(123_456));
        assert_eq!(parse("6.0", Decimals::Point).and_then(Decimal::units), Some(6));
        assert_eq!(parse("6.5", Decimals::Point).and_then(Decimal::units), None);
    }

    #[test]
    fn point_and_comma_are_told_apart_by_all_numbers_together() {
        for (numbers, expected) in [
            (&["3.39", "1,234"][..], Decimals::Point),
            (&["3,39", "1.234"], Decimals::Comma),
            (&["1.234", "1.234,5"], Decimals::Comma),
            (&["1,234", "0.001"], Decimals::Point),
            (&["1.234", "0,001"], Decimals::Comma),
            (&["12345.678"], Decimals::Point),
            (&["6", "7"], Decimals::Point),
        ] {
            assert_eq!(of(numbers, None), Ok(expected), "{numbers:?}");
        }
        assert_eq!(of(&["1.234"], Some(Decimals::Point)), Ok(Decimals::Point));
        assert!(of(&["6", "1.234"], None).unwrap_err().starts_with("the one of 1.234 has the number \"1.234\""));
        assert!(of(&["3.39", "3,39"], None).unwrap_err().contains("in two ways: the one of 3.39"));
    }
}
