//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::catalog::v1::{
    CreateProductRequest, GetProductRequest, ListProductsRequest, RepriceProductRequest, RetireProductRequest,
};
use prost::Message;
use tradewind_domain::{Aggregate, request::page_size};

use super::convert;
use crate::domain::Product;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("product-requests", product_requests), ("stored-products", stored_products)];

/// Which request, and its bytes.
fn product_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 5 {
        0 => _ = CreateProductRequest::decode(bytes).map(create_product),
        1 => {
            let Ok(request) = RepriceProductRequest::decode(bytes) else { return };
            let _ = (convert::new_price(request.price.as_ref()), convert::product_id(request.product_id));
        }
        2 => _ = RetireProductRequest::decode(bytes).map(|request| convert::product_id(request.product_id)),
        3 => _ = GetProductRequest::decode(bytes).map(|request| convert::product_id(request.product_id)),
        _ => {
            let Ok(request) = ListProductsRequest::decode(bytes) else { return };
            let _ = page_size(request.page_size);
            let after = convert::page_token(request.page_token.clone()).is_ok_and(|after| !after.is_empty());
            assert_eq!(convert::product_id(request.page_token).is_ok(), after, "a page begins behind a product");
        }
    }
}

/// What may be listed may be asked for, and have its price.
fn create_product(request: CreateProductRequest) {
    let price = request.product.as_ref().and_then(|product| product.price.clone());
    let Ok(listing) = convert::listing(request.product) else { return };
    assert_eq!(convert::new_price(price.as_ref()).ok(), Some(listing.price));
    assert!(convert::product_id(listing.product_id).is_ok());
}

/// A product's events, or the bytes that are kept beside them.
fn stored_products(bytes: &[u8]) {
    history::evolved::<Product>(bytes);
    let kept = Product::SNAPSHOT.and_then(|how| (how.decode)(bytes));
    let _ = kept.map(|product| Product::SNAPSHOT.map(|how| (how.encode)(&product)));
}

#[path = "../../../../fuzz/history.rs"]
mod history;
#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
