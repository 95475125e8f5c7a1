//! The countries of ISO 3166-1, and whether an address there needs a postal code.

/// A country of ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    needs_postal_code: bool,
}

impl Country {
    /// Reads an officially assigned alpha-2 code in upper case: `GB`, and not `UK`, which is reserved.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let among = |codes: &str| codes.split_ascii_whitespace().any(|known| known == code);
        let needs_postal_code = among(WITH_POSTAL_CODE);
        (needs_postal_code || among(WITHOUT)).then_some(Self { needs_postal_code })
    }

    /// Tells whether nothing arrives there without a postal code.
    #[must_use]
    pub const fn needs_postal_code(self) -> bool {
        self.needs_postal_code
    }
}

// ISO 3166-1:2020, alpha-2 codes officially assigned, parted by the address data of Google's libaddressinput: where its
// `require` of a country names Z, and where it does not. Of the second, some have codes that addresses do without (`IE`),
// others have none (`HK`, `AE`).
const WITH_POSTAL_CODE: &str = "AS AT AU AX BE BL BR CA CH CN CZ DE DK EE ES FI FK FM FR GB GF GG GL GP GR GS GU HU IM IN IO IT JE JP KR LI LT \
    LU LV MF MH MP MQ MX MY NC NL NO NZ PF PL PM PN PR PT PW RE RO RU SE SG SH SJ SK SM TC TR TW UA US VI WF YT ZA";
const WITHOUT: &str = "AD AE AF AG AI AL AM AO AQ AR AW AZ BA BB BD BF BG BH BI BJ BM BN BO BQ BS BT BV BW BY BZ CC CD CF CG CI CK CL \
    CM CO CR CU CV CW CX CY DJ DM DO DZ EC EG EH ER ET FJ FO GA GD GE GH GI GM GN GQ GT GW GY HK HM HN HR HT ID IE \
    IL IQ IR IS JM JO KE KG KH KI KM KN KP KW KY KZ LA LB LC LK LR LS LY MA MC MD ME MG MK ML MM MN MO MR MS MT MU \
    MV MW MZ NA NE NF NG NI NP NR NU OM PA PE PG PH PK PS PY QA RS RW SA SB SC SD SI SL SN SO SR SS ST SV SX SY SZ \
    TD TF TG TH TJ TK TL TM TN TO TT TV TZ UG UM UY UZ VA VC VE VG VN VU WS YE ZM ZW";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assigned_codes_are_countries_and_no_others() {
        assert_eq!([WITH_POSTAL_CODE, WITHOUT].map(|codes| codes.split_ascii_whitespace().count()), [74, 175]);
        for code in ["UK", "EU", "XK", "ZZ", "SU", "AN", "gb", "G", "GBR", "", "GB US", "G1"] {
            assert_eq!(Country::parse(code), None, "{code}");
        }
    }

    #[test]
    fn a_postal_code_is_needed_where_there_is_always_one() {
        let needed = |code| Country::parse(code).map(Country::needs_postal_code);
        for code in ["GB", "US", "DE", "FR", "JP", "NL", "IN"] {
            assert_eq!(needed(code), Some(true), "{code}");
        }
        for code in ["HK", "AE", "IE", "QA", "MO", "JM", "UG"] {
            assert_eq!(needed(code), Some(false), "{code}");
        }
    }
}
