//! A product from its listing to its retirement, as far as its events tell.

mod snapshot;

use std::collections::BTreeMap;

use contracts::tradewind::catalog::v1::{ProductListed, ProductRepriced, ProductRetired};
use contracts::tradewind::money::v1::Money as MoneyMessage;
use tradewind_domain::{Aggregate, DomainError, ErrorKind, Money, Snapshot};

use self::snapshot::SNAPSHOT;
use super::Listing;

tradewind_domain::events! {
    /// What can happen to a product.
    pub enum ProductEvent {
        Listed(ProductListed),
        Repriced(ProductRepriced),
        Retired(ProductRetired),
    }
}

/// What can be asked of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Puts it on sale.
    List(Listing),
    /// Changes its price.
    Reprice(Money),
    /// Takes it off sale.
    Retire,
}

/// Why a product can refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProductError {
    /// The id is taken.
    #[error("there is a product with this id already")]
    Exists,
    /// There is no such product.
    #[error("there is no product with this id")]
    NotFound,
    /// A price stays in the currency it was first given in.
    #[error("the price is in {listed} and cannot change to {asked}")]
    CurrencyChanged {
        /// The currency it has.
        listed: String,
        /// The currency asked for.
        asked: String,
    },
    /// It is off sale.
    #[error("the product is retired")]
    Retired,
}

impl ProductError {
    /// The reason of [`Exists`](Self::Exists), for whoever says which field of a request it is about.
    pub const EXISTS: &'static str = "PRODUCT_EXISTS";
    /// The reason of [`CurrencyChanged`](Self::CurrencyChanged), for whoever says which field of a request it is about.
    pub const CURRENCY_CHANGED: &'static str = "CURRENCY_CHANGED";
    /// The reason of [`Retired`](Self::Retired), for whoever says which field of a request it is about.
    pub const RETIRED: &'static str = "PRODUCT_RETIRED";
}

impl DomainError for ProductError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Exists => ErrorKind::AlreadyExists,
            Self::NotFound => ErrorKind::NotFound,
            Self::CurrencyChanged { .. } | Self::Retired => ErrorKind::Rejected,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Exists => Self::EXISTS,
            Self::NotFound => "PRODUCT_NOT_FOUND",
            Self::CurrencyChanged { .. } => Self::CURRENCY_CHANGED,
            Self::Retired => Self::RETIRED,
        }
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        match self {
            Self::CurrencyChanged { listed, asked } => BTreeMap::from([
                ("listed_currency".to_owned(), listed.clone()),
                ("asked_currency".to_owned(), asked.clone()),
            ]),
            Self::Exists | Self::NotFound | Self::Retired => BTreeMap::new(),
        }
    }
}

/// A product; `Default` is one that is not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    pub(super) product_id: String,
    pub(super) price: Option<MoneyMessage>,
    pub(super) retired: bool,
}

impl Product {
    fn reprice(&self, listed: &MoneyMessage, asked: Money) -> Result<Vec<ProductEvent>, ProductError> {
        let price = message(asked);
        if price.currency != listed.currency {
            let (listed, asked) = (listed.currency.clone(), price.currency);
            return Err(ProductError::CurrencyChanged { listed, asked });
        }
        if self.retired {
            return Err(ProductError::Retired);
        }
        if price == *listed {
            return Ok(Vec::new());
        }
        Ok(vec![ProductRepriced { product_id: self.product_id.clone(), price: Some(price) }.into()])
    }
}

impl Aggregate for Product {
    const NAME: &'static str = "product";
    type Command = Command;
    type Event = ProductEvent;
    type Error = ProductError;
    const SNAPSHOT: Option<Snapshot<Self>> = Some(SNAPSHOT);

    fn decide(&self, command: Command) -> Result<Vec<ProductEvent>, ProductError> {
        match (command, &self.price) {
            (Command::List(Listing { product_id, sku, name, price, .. }), None) => {
                Ok(vec![ProductListed { product_id, sku, name, price: Some(message(price)) }.into()])
            }
            (Command::List(_), Some(_)) => Err(ProductError::Exists),
            (_, None) => Err(ProductError::NotFound),
            (Command::Reprice(price), Some(listed)) => self.reprice(listed, price),
            (Command::Retire, Some(_)) if self.retired => Ok(Vec::new()),
            (Command::Retire, Some(_)) => Ok(vec![ProductRetired { product_id: self.product_id.clone() }.into()]),
        }
    }

    fn evolve(&mut self, event: &ProductEvent) {
        match event {
            ProductEvent::Listed(listed) => {
                self.product_id.clone_from(&listed.product_id);
                self.price.clone_from(&listed.price);
            }
            ProductEvent::Repriced(repriced) => self.price.clone_from(&repriced.price),
            ProductEvent::Retired(_) => self.retired = true,
        }
    }
}

fn message(money: Money) -> MoneyMessage {
    MoneyMessage { currency: money.currency().code().to_owned(), minor: money.minor() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tradewind_testing::scenario::given;

    fn money(currency: &str, minor: i64) -> Money {
        Money::new(currency, minor).unwrap()
    }

    fn list() -> Command {
        Command::List(Listing {
            product_id: "assam".to_owned(),
            sku: "TEA-1".to_owned(),
            name: "Assam".to_owned(),
            description: "Malty.".to_owned(),
            price: money("GBP", 450),
        })
    }

    fn listed() -> ProductEvent {
        ProductListed {
            product_id: "assam".to_owned(),
            sku: "TEA-1".to_owned(),
            name: "Assam".to_owned(),
            price: Some(message(money("GBP", 450))),
        }
        .into()
    }

    fn repriced(minor: i64) -> ProductEvent {
        ProductRepriced { product_id: "assam".to_owned(), price: Some(message(money("GBP", minor))) }.into()
    }

    fn retired() -> ProductEvent {
        ProductRetired { product_id: "assam".to_owned() }.into()
    }

    #[test]
    fn is_listed_once() {
        given::<Product>([]).when(list()).then([listed()]).when(list()).then_refused("PRODUCT_EXISTS");
        given::<Product>([listed(), retired()]).when(list()).then_refused("PRODUCT_EXISTS");
    }

    #[test]
    fn changes_its_price_in_its_currency_only() {
        let product = || given::<Product>([listed()]);
        product().when(Command::Reprice(money("GBP", 500))).then([repriced(500)]);
        product().when(Command::Reprice(money("EUR", 500))).then_refused("CURRENCY_CHANGED");
    }

    #[test]
    fn the_price_it_has_is_no_change() {
        let again = || Command::Reprice(money("GBP", 500));
        given::<Product>([listed()]).when(again()).then([repriced(500)]).when(again()).then([]);
    }

    #[test]
    fn is_retired_once_and_then_keeps_its_price() {
        given::<Product>([listed()]).when(Command::Retire).then([retired()]).when(Command::Retire).then([]);
        given::<Product>([listed(), retired()])
            .when(Command::Reprice(money("GBP", 500)))
            .then_refused("PRODUCT_RETIRED");
    }

    #[test]
    fn nothing_happens_to_what_is_not_listed() {
        given::<Product>([]).when(Command::Retire).then_refused("PRODUCT_NOT_FOUND");
        given::<Product>([]).when(Command::Reprice(money("GBP", 1))).then_refused("PRODUCT_NOT_FOUND");
    }

    #[test]
    fn what_releases_have_written_is_folded() {
        let golden = include_str!("../../../../released/golden.txt");
        assert!(tradewind_testing::fold_released::<Product>(golden) > 0);
    }
}
