//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::catalog::v1::Product;
use contracts::tradewind::money::v1::Money;

use super::convert;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("product-requests", product_requests)];

/// A product, each of its fields on a line; the price as `GBP 1250`.
fn product_requests(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut lines = text.split('\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let (product_id, sku, name, description, price) = (line(), line(), line(), line(), line());
    let price = price.split_once(' ').and_then(|(currency, minor)| {
        let (currency, minor) = (currency.to_owned(), minor.parse().ok()?);
        Some(Money { currency, minor })
    });
    let (id, token) = (convert::product_id(product_id.clone()), convert::page_token(product_id.clone()));
    assert_eq!(id.is_ok(), token.is_ok_and(|token| !token.is_empty()), "a page begins behind a product");
    let is_priced = convert::new_price(price.as_ref()).is_ok();
    let product = Product { product_id, sku, name, description, price, ..Product::default() };
    assert!(convert::listing(Some(product)).is_err() || is_priced, "it has no price");
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
