//! Numbers of documents.

use std::fmt;
use std::str::FromStr;

use tradewind_domain::{Error, OrderId};

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a confirmed order costs.
    Invoice,
    /// What was paid back.
    CreditNote,
}

impl Kind {
    /// All there are, in the order in which they come to be.
    pub const ALL: [Self; 2] = [Self::Invoice, Self::CreditNote];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Invoice => "INV-",
            Self::CreditNote => "CRN-",
        }
    }
}

/// Names a document: by the order and what it is, for an order has at most one of each. So it is the same whenever it is derived, and
/// nobody has to hand it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// What the document is.
    pub kind: Kind,
    /// The order it is of.
    pub order: OrderId,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.prefix(), self.order)
    }
}

impl FromStr for Number {
    type Err = Error;

    /// # Errors
    /// `INVALID_NUMBER` for anything but the text that a number is shown as.
    fn from_str(text: &str) -> Result<Self, Error> {
        let of = |kind: Kind| Some(Self { kind, order: text.strip_prefix(kind.prefix())?.parse().ok()? });
        let number = Kind::ALL.into_iter().find_map(of).filter(|number| number.to_string() == text);
        number.ok_or_else(|| Error::invalid("number", "INVALID_NUMBER", "must be INV- or CRN- and the id of an order"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_shown_and_in_no_other_form() {
        let order = OrderId::generate();
        for kind in Kind::ALL {
            let number = Number { kind, order };
            assert_eq!(number.to_string().parse::<Number>().map_err(|error| error.reason), Ok(number));
        }
        let upper = format!("INV-{}", order.to_string().to_uppercase());
        let simple = format!("CRN-{}", order.to_string().replace('-', ""));
        for odd in ["", "INV-", "INV-7", &order.to_string(), &format!("inv-{order}"), &upper, &simple] {
            assert_eq!(odd.parse::<Number>().map_err(|error| error.reason), Err("INVALID_NUMBER"), "{odd}");
        }
    }
}
