//! The currencies of ISO 4217 that circulate, with the digits of their minor unit.

use std::fmt;

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: &'static str,
    exponent: u8,
}

/// Text that is no currency code of ISO 4217.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency code of ISO 4217")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// Reads an upper-case alphabetic code, e.g. `GBP`.
    ///
    /// # Errors
    /// When it is no code of ISO 4217.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        let table: [(&'static str, u8); 4] = [(NONE, 0), (TWO, 2), (THREE, 3), (FOUR, 4)];
        table
            .iter()
            .find_map(|(codes, exponent)| {
                codes
                    .split_ascii_whitespace()
                    .find(|known| *known == code)
                    .map(|code| Self { code, exponent: *exponent })
            })
            .ok_or_else(|| UnknownCurrency(code.to_owned()))
    }

    /// The alphabetic code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// The number of digits of its minor unit: 2 for GBP, 0 for JPY.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

// ISO 4217:2015, list one, by the digits of the minor unit; funds, metals and test codes left out.
const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const TWO: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY \
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR \
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO \
    NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB \
    TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR: &str = "CLF UYW";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_carry_their_exponent() {
        let exponent = |code| Currency::parse(code).map(Currency::exponent);
        assert_eq!((exponent("GBP"), exponent("JPY"), exponent("KWD")), (Ok(2), Ok(0), Ok(3)));
    }

    #[test]
    fn anything_else_is_unknown() {
        for code in ["", "gbp", "ABC", "GBP EUR", "XXX"] {
            assert_eq!(Currency::parse(code), Err(UnknownCurrency(code.to_owned())));
        }
    }
}
