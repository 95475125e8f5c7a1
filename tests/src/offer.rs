//! What can be ordered, and an order of it.

use contracts::tradewind::{
    money::v1::Money,
    ordering::v1::{Address, OrderLine, PlaceOrderRequest, Recipient},
};
use uuid::Uuid;

/// Something that can be ordered.
pub struct Offer {
    pub(crate) id: String,
}

impl Offer {
    /// A product that somebody else offers.
    pub fn of(id: &str) -> Self {
        Self { id: id.to_owned() }
    }

    /// An order that goes well; every order is for another customer.
    pub fn order(&self, quantity: i32) -> PlaceOrderRequest {
        let customer_id = Uuid::now_v7().to_string();
        let address = Address {
            line1: "1 High Street".to_owned(),
            city: "Leeds".to_owned(),
            postal_code: "LS1 4AP".to_owned(),
            country: "GB".to_owned(),
        };
        let recipient = Recipient {
            name: "A. Customer".to_owned(),
            email: format!("{customer_id}@example.com"),
            address: Some(address),
        };
        PlaceOrderRequest {
            customer_id,
            recipient: Some(recipient),
            lines: vec![self.line(quantity)],
            payment_token: "tok_ok".to_owned(),
            ..PlaceOrderRequest::default()
        }
    }

    pub fn line(&self, quantity: i32) -> OrderLine {
        OrderLine { product_id: self.id.clone(), quantity }
    }
}

pub fn pounds(minor: i64) -> Money {
    Money { currency: "GBP".to_owned(), minor }
}
