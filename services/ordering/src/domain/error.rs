use std::collections::BTreeMap;

use contracts::tradewind::ordering::v1::OrderStatus;
use tradewind_domain::{Currency, DomainError, ErrorKind, Money};

/// Why an order refuses a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Nothing has been placed under this id.
    #[error("there is no such order")]
    NotFound,
    /// Another order has been placed under this id.
    #[error("another order has this id")]
    AlreadyExists,
    /// The parcel has left; giving goods back is another process.
    #[error("the order has been shipped and can no longer be cancelled")]
    AlreadyShipped,
    /// There is nothing in the order.
    #[error("an order needs at least one line")]
    Empty,
    /// The lines cannot be added up.
    #[error("lines priced in {} and in {} cannot be ordered together", .0.code(), .1.code())]
    MixedCurrencies(Currency, Currency),
    /// The total cannot be represented.
    #[error("the total is too large")]
    TotalTooLarge,
    /// The order costs something else than the customer was told.
    #[error("the order costs {actual}, not {expected}")]
    PriceChanged {
        /// What the customer believes.
        expected: Money,
        /// What it is.
        actual: Money,
    },
    /// Somebody answers what was never asked, or contradicts an earlier answer. Needs a person.
    #[error("{command} makes no sense for an order that is {}", .status.as_str_name())]
    Unexpected {
        /// What the answer amounts to.
        command: &'static str,
        /// How far the order is.
        status: OrderStatus,
    },
}

impl OrderError {
    /// The reason of [`Empty`](Self::Empty), for whoever says which field of a request it is about.
    pub const EMPTY: &'static str = "EMPTY_ORDER";
    /// The reason of [`MixedCurrencies`](Self::MixedCurrencies), for whoever says which field of a request it is about.
    pub const MIXED_CURRENCIES: &'static str = "MIXED_CURRENCIES";
    /// The reason of [`TotalTooLarge`](Self::TotalTooLarge), for whoever says which field of a request it is about.
    pub const TOTAL_TOO_LARGE: &'static str = "TOTAL_TOO_LARGE";
    /// The reason of [`PriceChanged`](Self::PriceChanged), for whoever says which field of a request it is about.
    pub const PRICE_CHANGED: &'static str = "PRICE_CHANGED";
}

impl DomainError for OrderError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::AlreadyExists => ErrorKind::AlreadyExists,
            Self::Empty | Self::MixedCurrencies(..) | Self::TotalTooLarge => ErrorKind::Invalid,
            Self::AlreadyShipped | Self::PriceChanged { .. } | Self::Unexpected { .. } => ErrorKind::Rejected,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "ORDER_NOT_FOUND",
            Self::AlreadyExists => "ORDER_ALREADY_EXISTS",
            Self::AlreadyShipped => "ALREADY_SHIPPED",
            Self::Empty => Self::EMPTY,
            Self::MixedCurrencies(..) => Self::MIXED_CURRENCIES,
            Self::TotalTooLarge => Self::TOTAL_TOO_LARGE,
            Self::PriceChanged { .. } => Self::PRICE_CHANGED,
            Self::Unexpected { .. } => "UNEXPECTED_REPLY",
        }
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        match self {
            Self::PriceChanged { expected, actual } => {
                expected.facts("expected").into_iter().chain(actual.facts("actual")).collect()
            }
            Self::MixedCurrencies(one, other) => BTreeMap::from([
                ("currency".to_owned(), one.code().to_owned()),
                ("other_currency".to_owned(), other.code().to_owned()),
            ]),
            _ => BTreeMap::new(),
        }
    }
}
