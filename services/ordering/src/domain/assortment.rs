//! The anti-corruption layer: the one place where products of the sales context become SKUs of the warehouse, at
//! today's prices.

use std::collections::HashMap;

use tradewind_domain::{DomainError, ErrorKind, Money, some_of};

use super::Line;

/// What a customer wants of one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The product.
    pub product_id: String,
    /// Units; more than 0.
    pub quantity: i32,
}

/// A product as the shop offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the warehouse calls it.
    pub sku: String,
    /// What it is called; empty where that is not known.
    pub name: String,
    /// Price of one unit.
    pub unit_price: Money,
    /// It can no longer be ordered.
    pub retired: bool,
}

/// The offers by product id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assortment(HashMap<String, Offer>);

/// Why something wanted cannot be ordered; each names every product at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssortmentError {
    /// There are no such products.
    #[error("there is no such product: {}", listed(.0))]
    Unknown(Vec<String>),
    /// The products are off sale.
    #[error("no longer on sale: {}", listed(.0))]
    Retired(Vec<String>),
}

impl Wanted {
    /// Adds up what is wanted of the same product, in the order in which products are first named.
    ///
    /// `wanted` holds at most 1000 quantities of at most 1000000 each, so no sum overflows.
    #[must_use]
    pub fn merged(wanted: Vec<Self>) -> Vec<Self> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<Self> = Vec::with_capacity(wanted.len());
        for line in wanted {
            match places.get(&line.product_id) {
                Some(place) => merged[*place].quantity = merged[*place].quantity.saturating_add(line.quantity),
                None => {
                    places.insert(line.product_id.clone(), merged.len());
                    merged.push(line);
                }
            }
        }
        merged
    }
}

impl Assortment {
    /// Tells whether it has all that is wanted, on sale or not.
    #[must_use]
    pub fn has_all(&self, wanted: &[Wanted]) -> bool {
        wanted.iter().all(|line| self.0.contains_key(&line.product_id))
    }

    /// Turns what is wanted into lines that name SKUs and prices.
    ///
    /// # Errors
    /// When a product is unknown or retired.
    pub fn price(&self, wanted: &[Wanted]) -> Result<Vec<Line>, AssortmentError> {
        let (mut lines, mut unknown, mut retired) = (Vec::with_capacity(wanted.len()), Vec::new(), Vec::new());
        for line in wanted {
            match self.0.get(&line.product_id) {
                None => unknown.push(line.product_id.clone()),
                Some(offer) if offer.retired => retired.push(line.product_id.clone()),
                Some(offer) => lines.push(Line {
                    product_id: line.product_id.clone(),
                    sku: offer.sku.clone(),
                    name: offer.name.clone(),
                    quantity: line.quantity,
                    unit_price: offer.unit_price,
                }),
            }
        }
        if !unknown.is_empty() {
            return Err(AssortmentError::Unknown(unknown));
        }
        if !retired.is_empty() {
            return Err(AssortmentError::Retired(retired));
        }
        Ok(lines)
    }
}

impl FromIterator<(String, Offer)> for Assortment {
    fn from_iter<I: IntoIterator<Item = (String, Offer)>>(offers: I) -> Self {
        Self(offers.into_iter().collect())
    }
}

impl AssortmentError {
    /// The products at fault.
    #[must_use]
    pub fn products(&self) -> &[String] {
        let (Self::Unknown(products) | Self::Retired(products)) = self;
        products
    }

    /// What is wrong with each of them.
    #[must_use]
    pub const fn problem(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "no such product",
            Self::Retired(_) => "no longer on sale",
        }
    }
}

impl DomainError for AssortmentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(_) => ErrorKind::NotFound,
            Self::Retired(_) => ErrorKind::Rejected,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "PRODUCT_NOT_FOUND",
            Self::Retired(_) => "PRODUCT_RETIRED",
        }
    }
}

fn listed(products: &[String]) -> String {
    some_of(products.iter().map(String::as_str), ", ")
}
