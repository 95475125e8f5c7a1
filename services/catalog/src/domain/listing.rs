//! What may be listed.

use tradewind_domain::{Money, is_text, is_text_of_lines};

/// A product as it may be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.
    pub product_id: String,
    /// 1 to 63 printable ASCII characters without spaces.
    pub sku: String,
    /// 1 to 200 characters of one line that shows something.
    pub name: String,
    /// At most 2000 characters of any number of lines.
    pub description: String,
    /// More than 0.
    pub price: Money,
}

/// Tells whether `text` can be a product's id.
#[must_use]
pub fn is_product_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-')
}

/// Tells whether `text` can be what a product is called.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && is_text(text)
}

/// Tells whether `text` can be what is said of a product.
#[must_use]
pub fn is_description(text: &str) -> bool {
    text.chars().count() <= 2000 && is_text_of_lines(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_of_the_documented_form_is_one(id in "[a-z0-9][a-z0-9-]{0,62}") {
            prop_assert!(is_product_id(&id));
        }
    }
}
