//! Money in whole minor units; no floating point anywhere near it.

use std::fmt;

use crate::{Currency, UnknownCurrency};

/// An amount in minor units (pence, cents) of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    currency: Currency,
    minor: i64,
}

/// Why two amounts cannot be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// They are of different currencies.
    #[error("{} and {} cannot be added", .0.code(), .1.code())]
    CurrencyMismatch(Currency, Currency),
    /// The result is beyond 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// `minor` units of the currency named by an ISO 4217 code.
    ///
    /// # Errors
    /// When the code is unknown.
    pub fn new(currency: &str, minor: i64) -> Result<Self, UnknownCurrency> {
        Ok(Self::of(Currency::parse(currency)?, minor))
    }

    /// `minor` units of `currency`.
    #[must_use]
    pub const fn of(currency: Currency, minor: i64) -> Self {
        Self { currency, minor }
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// What is said of it for programs, as facts of an error: `name` as a person reads it, `name_minor` and `name_currency`.
    #[must_use]
    pub fn facts(self, name: &str) -> [(String, String); 3] {
        [
            (name.to_owned(), self.to_string()),
            (format!("{name}_minor"), self.minor.to_string()),
            (format!("{name}_currency"), self.currency.code().to_owned()),
        ]
    }

    /// The sum.
    ///
    /// # Errors
    /// When the currencies differ or the sum overflows.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The amount `times` over.
    ///
    /// # Errors
    /// When the product overflows.
    pub fn checked_mul(self, times: i64) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(times).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let code = self.currency.code();
        let minor = self.minor.unsigned_abs().to_string();
        if digits == 0 {
            return write!(f, "{code} {sign}{minor}");
        }
        let padded = format!("{minor:0>width$}", width = digits + 1);
        let (major, rest) = padded.split_at(padded.len() - digits);
        write!(f, "{code} {sign}{major}.{rest}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_by_the_exponent() {
        let text = |code, minor| Money::new(code, minor).unwrap().to_string();
        assert_eq!(text("GBP", 1234), "GBP 12.34");
        assert_eq!(text("GBP", -5), "GBP -0.05");
        assert_eq!(text("JPY", 1234), "JPY 1234");
        assert_eq!(text("KWD", 1), "KWD 0.001");
    }

    #[test]
    fn refuses_to_mix_currencies() {
        let (gbp, eur) = (Money::new("GBP", 1).unwrap(), Money::new("EUR", 1).unwrap());
        assert_eq!(gbp.checked_add(eur), Err(MoneyError::CurrencyMismatch(gbp.currency(), eur.currency())));
    }

    proptest! {
        #[test]
        fn multiplying_is_adding_repeatedly(minor in -1_000_000_i64..1_000_000, times in 0_i64..50) {
            let one = Money::new("GBP", minor).unwrap();
            let mut sum = Money::new("GBP", 0).unwrap();
            for _ in 0..times {
                sum = sum.checked_add(one).unwrap();
            }
            prop_assert_eq!(one.checked_mul(times).unwrap(), sum);
        }
    }
}
