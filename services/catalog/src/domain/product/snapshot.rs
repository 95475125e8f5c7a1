//! A product as it is kept beside its stream, which grows with every price.

use contracts::tradewind::money::v1::Money;
use prost::Message;
use tradewind_domain::Snapshot;

use super::Product;

pub(super) const SNAPSHOT: Snapshot<Product> = Snapshot { every: 10, form: 1, encode, decode };

/// A field that is another one, or that means something else, is another `form`.
#[derive(Clone, PartialEq, Message)]
struct Kept {
    #[prost(string, tag = "1")]
    product_id: String,
    #[prost(message, optional, tag = "2")]
    price: Option<Money>,
    #[prost(bool, tag = "3")]
    retired: bool,
}

fn encode(product: &Product) -> Vec<u8> {
    let Product { product_id, price, retired } = product.clone();
    Kept { product_id, price, retired }.encode_to_vec()
}

fn decode(bytes: &[u8]) -> Option<Product> {
    let Kept { product_id, price, retired } = Kept::decode(bytes).ok()?;
    Some(Product { product_id, price, retired })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a release has kept: other bytes are another form.
    #[test]
    fn its_form_is_what_was_released() {
        let price = Some(Money { currency: "GBP".to_owned(), minor: 450 });
        let product = Product { product_id: "tea".to_owned(), price, retired: true };
        let bytes = b"\x0a\x03tea\x12\x08\x0a\x03GBP\x10\xc2\x03\x18\x01";
        assert_eq!((SNAPSHOT.form, encode(&product).as_slice(), decode(bytes)), (1, &bytes[..], Some(product)));
        assert_eq!(decode(b"\x0a\xff"), None);
    }
}
