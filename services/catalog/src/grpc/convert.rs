//! Fields of requests to what the application takes, or everything that is wrong with them.

use contracts::tradewind::{catalog::v1::Product as ProductMessage, money::v1::Money as MoneyMessage};
use tonic::Status;
use tradewind_domain::{
    Error, Money,
    request::{SKU_RULE, Violations, invalid_page_token, is_sku},
};
use tradewind_mesh::status;

use crate::domain::{Listing, ProductError, is_description, is_name, is_product_id};

/// What of a request each refusal is about.
const FIELDS: [(&str, &str); 3] = [
    (ProductError::EXISTS, "product.product_id"),
    (ProductError::RETIRED, "product_id"),
    (ProductError::CURRENCY_CHANGED, "price.currency"),
];
const PRODUCT_ID_RULE: &str = "must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit";

/// A refusal as the caller hears it.
pub(super) fn refusal(error: Error) -> Status {
    status(error.about(&FIELDS))
}

/// The product that is to be listed.
pub(super) fn listing(product: Option<ProductMessage>) -> Result<Listing, Error> {
    let Some(product) = product else {
        return Err(Error::invalid("product", "PRODUCT_MISSING", "must be given"));
    };
    let ProductMessage { product_id, sku, name, description, price, .. } = product;
    let mut violations = Violations::default();
    violations.check(is_product_id(&product_id), "product.product_id", "INVALID_PRODUCT_ID", PRODUCT_ID_RULE);
    violations.check(is_sku(&sku), "product.sku", "INVALID_SKU", SKU_RULE);
    violations.check(
        is_name(&name),
        "product.name",
        "INVALID_NAME",
        "must be 1 to 200 characters that show something, none of them control, invisible or direction-changing",
    );
    violations.check(
        is_description(&description),
        "product.description",
        "INVALID_DESCRIPTION",
        "must be at most 2000 characters, none of them invisible, direction-changing or control but line ends and tabs",
    );
    let price = read_price(&mut violations, "product.price", price.as_ref());
    let price = violations.finish_with(price)?;
    Ok(Listing { product_id, sku, name, description, price })
}

/// The price that a product is to have.
pub(super) fn new_price(price: Option<&MoneyMessage>) -> Result<Money, Error> {
    let mut violations = Violations::default();
    let price = read_price(&mut violations, "price", price);
    violations.finish_with(price)
}

fn read_price(violations: &mut Violations, field: &str, price: Option<&MoneyMessage>) -> Option<Money> {
    let Some(price) = price else {
        violations.add(field, "PRICE_MISSING", "must be given");
        return None;
    };
    if price.minor < 1 {
        violations.add(format!("{field}.minor"), "PRICE_NOT_POSITIVE", "must be more than 0");
    }
    let currency = format!("{field}.currency");
    let price = Money::new(&price.currency, price.minor);
    violations.catch(price.map_err(|unknown| Error::invalid(currency, "UNKNOWN_CURRENCY", unknown.to_string())))
}

/// A product's id as it is asked for.
pub(super) fn product_id(text: String) -> Result<String, Error> {
    if is_product_id(&text) {
        Ok(text)
    } else {
        Err(Error::invalid("product_id", "INVALID_PRODUCT_ID", PRODUCT_ID_RULE))
    }
}

/// The product that a page token stands for; empty for the first page.
pub(super) fn page_token(token: String) -> Result<String, Error> {
    if token.is_empty() || is_product_id(&token) { Ok(token) } else { Err(invalid_page_token()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tradewind_domain::ErrorKind;

    use super::*;

    fn money(currency: &str, minor: i64) -> MoneyMessage {
        MoneyMessage { currency: currency.to_owned(), minor }
    }

    fn tea() -> ProductMessage {
        ProductMessage {
            product_id: "assam-1".to_owned(),
            sku: "TEA/1".to_owned(),
            name: "Assam".to_owned(),
            price: Some(money("GBP", 450)),
            ..ProductMessage::default()
        }
    }

    fn refused(change: impl FnOnce(&mut ProductMessage)) -> (&'static str, Vec<String>) {
        let mut product = tea();
        change(&mut product);
        let error = listing(Some(product)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        (error.reason, error.violations.into_iter().map(|violation| violation.field).collect())
    }

    #[test]
    fn what_is_well_formed_is_listed_as_given() {
        let listing = listing(Some(tea())).unwrap();
        assert_eq!((listing.product_id.as_str(), listing.price.to_string()), ("assam-1", "GBP 4.50".to_owned()));
    }

    #[test]
    fn each_fault_names_its_field_and_reason() {
        let one = |reason, field: &str| (reason, vec![field.to_owned()]);
        for id in ["", "-tea", "Tea", "a b", "t\u{e9}", &"a".repeat(64)] {
            let expected = one("INVALID_PRODUCT_ID", "product.product_id");
            assert_eq!(refused(|product| product.product_id = id.to_owned()), expected, "{id:?}");
        }
        for sku in ["", "A B", "A\n", "\u{e9}", &"a".repeat(64)] {
            assert_eq!(refused(|product| product.sku = sku.to_owned()), one("INVALID_SKU", "product.sku"), "{sku:?}");
        }
        for name in ["", " ", "a\0b", "\u{200b}", "\u{202e}aet", &"\u{e9}".repeat(201)] {
            assert_eq!(
                refused(|product| product.name = name.to_owned()),
                one("INVALID_NAME", "product.name"),
                "{name:?}"
            );
        }
        assert_eq!(
            refused(|product| product.description = "d".repeat(2001)),
            one("INVALID_DESCRIPTION", "product.description")
        );
        assert_eq!(refused(|product| product.price = None), one("PRICE_MISSING", "product.price"));
        for minor in [0, -1, i64::MIN] {
            let expected = one("PRICE_NOT_POSITIVE", "product.price.minor");
            assert_eq!(refused(|product| product.price = Some(money("GBP", minor))), expected);
        }
        for currency in ["", "gbp", "ABC"] {
            let expected = one("UNKNOWN_CURRENCY", "product.price.currency");
            assert_eq!(refused(|product| product.price = Some(money(currency, 1))), expected);
        }
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let (reason, fields) = refused(|product| {
            product.sku.clear();
            product.price = Some(money("XXX", 0));
        });
        assert_eq!(reason, "INVALID_REQUEST");
        assert_eq!(fields, ["product.sku", "product.price.minor", "product.price.currency"]);
    }

    #[test]
    fn a_new_price_is_checked_like_the_first() {
        assert_eq!(new_price(Some(&money("JPY", 3))).unwrap().to_string(), "JPY 3");
        assert_eq!(new_price(None).unwrap_err().reason, "PRICE_MISSING");
        let error = new_price(Some(&money("XXX", 3))).unwrap_err();
        assert_eq!((error.reason, error.violations[0].field.as_str()), ("UNKNOWN_CURRENCY", "price.currency"));
    }

    #[test]
    fn a_token_is_what_a_page_gave_or_nothing() {
        let reason = |token: &str| page_token(token.to_owned()).map_err(|error| error.reason);
        assert_eq!((reason(""), reason("assam-1")), (Ok(String::new()), Ok("assam-1".to_owned())));
        assert_eq!(reason("ASSAM"), Err("INVALID_PAGE_TOKEN"));
    }
}
