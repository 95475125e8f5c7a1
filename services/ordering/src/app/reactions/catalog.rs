//! The price list, kept from the catalogue's events, so that orders are placed while the catalogue is away.

use contracts::tradewind::{
    catalog::v1::{Product, ProductListed, ProductRepriced, ProductRetired},
    money::v1::Money as ContractMoney,
};
use tradewind_domain::{Error, Money};
use tradewind_events::Received;
use tradewind_store::Tx;

use crate::{app::offers::LISTED, store::price_list};

pub(super) async fn price_on_product_listed(tx: &mut Tx, event: &Received<ProductListed>) -> Result<(), Error> {
    let product = &event.data;
    let price = price(product.price.as_ref())?;
    tx.wakes(&LISTED);
    price_list::put(tx.conn(), &product.product_id, &product.sku, &product.name, price).await
}

pub(super) async fn price_on_product_repriced(tx: &mut Tx, event: &Received<ProductRepriced>) -> Result<(), Error> {
    let price = price(event.data.price.as_ref())?;
    let product_id = &event.data.product_id;
    known(product_id, price_list::reprice(tx.conn(), product_id, price).await?)
}

pub(super) async fn withdraw_on_product_retired(tx: &mut Tx, event: &Received<ProductRetired>) -> Result<(), Error> {
    let product_id = &event.data.product_id;
    known(product_id, price_list::retire(tx.conn(), product_id).await?)
}

fn price(price: Option<&ContractMoney>) -> Result<Money, Error> {
    let price = price.ok_or_else(|| Error::invalid("price", "PRICE_MISSING", "the event carries no price"))?;
    Money::new(&price.currency, price.minor)
        .map_err(|error| Error::invalid("price.currency", "UNKNOWN_CURRENCY", error.to_string()))
}

/// A product is listed before anything else happens to it.
fn known(product_id: &str, found: bool) -> Result<(), Error> {
    if found {
        Ok(())
    } else {
        Err(Error::not_found::<Product>(product_id, "PRODUCT_NOT_FOUND", "the product was never listed"))
    }
}
