//! Fields of requests to what the application takes, or everything that is wrong with them.

use contracts::tradewind::inventory::v1::{CorrectStockRequest, ReceiveStockRequest, correct_stock_request};
use tonic::Status;
use tradewind_domain::{
    Error, is_text,
    request::{SKU_RULE, Violations, invalid_page_token, is_sku},
};
use tradewind_mesh::status;

use crate::domain::{Correction, LevelError, Receipt, To, is_location, parse_level_id};

/// What a location has to be.
pub(super) const LOCATION_RULE: &str = "must be 1 to 63 of a-z, 0-9 and -";
/// The longest text that says why, in characters.
const LONGEST_NOTE: usize = 500;

/// What of a request each refusal is about.
const FIELDS: [(&str, &str); 1] = [(LevelError::OUT_OF_RANGE, "quantity")];

/// A refusal as the caller hears it.
pub(super) fn refusal(error: Error) -> Status {
    status(error.about(&FIELDS))
}

/// What a request says arrived.
pub(crate) fn receipt(request: ReceiveStockRequest) -> Result<Receipt, Error> {
    let ReceiveStockRequest { sku, location, quantity, .. } = request;
    let mut violations = Violations::default();
    violations.check(is_sku(&sku), "sku", "INVALID_SKU", SKU_RULE);
    violations.check(is_location(&location), "location", "INVALID_LOCATION", LOCATION_RULE);
    let holds = Receipt::UNITS.contains(&quantity);
    violations.check(holds, "quantity", "QUANTITY_OUT_OF_RANGE", "must be 1 to 1000000000");
    violations.finish_with(Some(Receipt { sku, location, quantity }))
}

/// What a request says was counted.
pub(crate) fn correction(request: CorrectStockRequest) -> Result<Correction, Error> {
    use correct_stock_request::To as Asked;
    let CorrectStockRequest { sku, location, to, reason, .. } = request;
    let mut violations = Violations::default();
    violations.check(is_sku(&sku), "sku", "INVALID_SKU", SKU_RULE);
    violations.check(is_location(&location), "location", "INVALID_LOCATION", LOCATION_RULE);
    let to = match to {
        None => {
            violations.add("counted", "CORRECTION_MISSING", "must say what was counted, or the change");
            None
        }
        Some(Asked::Counted(units)) => {
            let holds = (0..=To::MOST).contains(&units);
            violations.check(holds, "counted", "QUANTITY_OUT_OF_RANGE", "must be 0 to 1000000000");
            Some(To::Counted(units))
        }
        Some(Asked::Change(units)) => {
            let holds = units != 0 && (-To::MOST..=To::MOST).contains(&units);
            violations.check(holds, "change", "QUANTITY_OUT_OF_RANGE", "must be -1000000000 to 1000000000, and not 0");
            Some(To::Change(units))
        }
    };
    note(&mut violations, "reason", "INVALID_REASON", &reason);
    let to = violations.finish_with(to)?;
    Ok(Correction { sku, location, to, reason: reason.into() })
}

/// Checks what somebody says for others to read later.
pub(super) fn note(violations: &mut Violations, field: &str, reason: &'static str, text: &str) {
    let is_sound = text.chars().count() <= LONGEST_NOTE && is_text(text);
    violations.check(is_sound, field, reason, "must be 1 to 500 characters of one line that show something");
}

/// A SKU as it is asked for.
pub(crate) fn sku(text: String) -> Result<String, Error> {
    if is_sku(&text) { Ok(text) } else { Err(Error::invalid("sku", "INVALID_SKU", SKU_RULE)) }
}

/// The level that a page token stands for; none for the first page.
pub(crate) fn level_token(token: &str) -> Result<Option<(&str, &str)>, Error> {
    match parse_level_id(token) {
        _ if token.is_empty() => Ok(None),
        Some(level) => Ok(Some(level)),
        None => Err(invalid_page_token()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tradewind_domain::ErrorKind;

    use super::*;

    fn receipt(sku: &str, location: &str, quantity: i64) -> Result<Receipt, Error> {
        let (sku, location) = (sku.to_owned(), location.to_owned());
        super::receipt(ReceiveStockRequest { sku, location, quantity, ..ReceiveStockRequest::default() })
    }

    fn refused(receipt: Result<Receipt, Error>) -> (&'static str, Vec<String>) {
        let error = receipt.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        (error.reason, error.violations.into_iter().map(|violation| violation.field).collect())
    }

    #[test]
    fn a_receipt_books_in_between_one_and_a_billion_units() {
        for quantity in [1, *Receipt::UNITS.end()] {
            assert_eq!(receipt("TEA", "hull-2", quantity).unwrap().quantity, quantity);
        }
        for quantity in [0, -1, *Receipt::UNITS.end() + 1, i64::MIN, i64::MAX] {
            let expected = ("QUANTITY_OUT_OF_RANGE", vec!["quantity".to_owned()]);
            assert_eq!(refused(receipt("TEA", "hull", quantity)), expected, "{quantity}");
        }
    }

    #[test]
    fn every_field_at_fault_is_named() {
        assert_eq!(refused(receipt("", "hull", 1)), ("INVALID_SKU", vec!["sku".to_owned()]));
        assert_eq!(refused(receipt("TEA", "Hull", 1)), ("INVALID_LOCATION", vec!["location".to_owned()]));
        let (reason, fields) = refused(receipt("T A", "", 0));
        assert_eq!((reason, fields.join(" ")), ("INVALID_REQUEST", "sku location quantity".to_owned()));
    }

    #[test]
    fn a_correction_says_what_was_counted_or_the_change_and_why() {
        use correct_stock_request::To as Asked;
        let of = |to, reason: &str| {
            let (sku, location, reason) = ("TEA".to_owned(), "hull".to_owned(), reason.to_owned());
            correction(CorrectStockRequest { sku, location, to, reason, ..CorrectStockRequest::default() })
        };
        for units in [0, To::MOST] {
            assert_eq!(of(Some(Asked::Counted(units)), "seen").unwrap().to, To::Counted(units));
        }
        for units in [-To::MOST, -1, 1, To::MOST] {
            assert_eq!(of(Some(Asked::Change(units)), "seen").unwrap().to, To::Change(units));
        }
        let odd = [Asked::Counted(-1), Asked::Counted(To::MOST + 1), Asked::Change(0), Asked::Change(-To::MOST - 1)];
        for to in odd {
            assert_eq!(of(Some(to), "seen").unwrap_err().reason, "QUANTITY_OUT_OF_RANGE", "{to:?}");
        }
        assert_eq!(of(None, "seen").unwrap_err().reason, "CORRECTION_MISSING");
        for reason in ["", " ", "a\nb", &"x".repeat(501)] {
            assert_eq!(of(Some(Asked::Change(1)), reason).unwrap_err().reason, "INVALID_REASON", "{reason:?}");
        }
    }

    #[test]
    fn a_token_is_what_a_page_gave_or_nothing() {
        let level = |token| level_token(token).map_err(|error| error.reason);
        assert_eq!((level(""), level("A@B@hull")), (Ok(None), Ok(Some(("A@B", "hull")))));
        assert_eq!((level("hull"), level("A@HULL")), (Err("INVALID_PAGE_TOKEN"), Err("INVALID_PAGE_TOKEN")));
    }
}
