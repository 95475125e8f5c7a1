//! What is ordered, and what has to be there for that.

use anyhow::Result;
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::inventory::v1::ReceiveStockRequest;
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::OrderLine;
use shop::Clients;
use tonic::Code;
use uuid::Uuid;

use super::Order;
use crate::commands::order::{new_request_id, recipient};

const PRODUCTS: u64 = 10;
const CUSTOMERS: u64 = 1_000;
/// Enough for hours at any rate.
const UNITS: i64 = 1_000_000;

/// What is ordered.
pub(super) struct Plan {
    payment_token: String,
    /// What orders have to see: that the products are for sale.
    after: Vec<String>,
}

impl Plan {
    /// Lists the products that are not there yet, and receives stock of all.
    ///
    /// # Errors
    /// What catalog and inventory refuse.
    pub(super) async fn prepare(shop: &Clients, payment_token: String) -> Result<Self> {
        let (mut catalog, mut inventory, mut after) = (shop.catalog()?, shop.inventory()?, Vec::new());
        for number in 1..=PRODUCTS {
            let (product_id, sku) = (product(number), product(number).to_ascii_uppercase());
            let price = Some(Money { currency: "GBP".to_owned(), minor: i64::try_from(number * 100)? });
            let name = format!("Load {number}");
            let listed =
                Product { product_id: product_id.clone(), sku: sku.clone(), name, price, ..Product::default() };
            let request = CreateProductRequest { request_id: product_id, product: Some(listed) };
            match catalog.create_product(request).await {
                // One of a log stands for all before it.
                Ok(listed) => after = vec![listed.into_inner().position],
                Err(status) if status.code() == Code::AlreadyExists => {}
                Err(status) => return Err(status.into()),
            }
            let location = "main".to_owned();
            let request = ReceiveStockRequest { request_id: new_request_id(), sku, location, quantity: UNITS };
            inventory.receive_stock(request).await?;
        }
        Ok(Self { payment_token, after })
    }

    /// The next order: of one of the customers, of one or two products.
    pub(super) fn order(&self) -> Order {
        let drawn = Uuid::new_v4().as_u64_pair();
        let line = |drawn: u64| OrderLine { product_id: product(drawn % PRODUCTS + 1), quantity: 1 };
        let mut lines = vec![line(drawn.0)];
        if drawn.1.is_multiple_of(2) && drawn.0 % PRODUCTS != (drawn.1 / 2) % PRODUCTS {
            lines.push(line(drawn.1 / 2));
        }
        Order {
            request_id: new_request_id(),
            customer_id: format!("load-{}", drawn.1 % CUSTOMERS),
            recipient: Some(recipient("10115")),
            lines,
            payment_token: self.payment_token.clone(),
            after: self.after.clone(),
            ..Order::default()
        }
    }
}

fn product(number: u64) -> String {
    format!("load-{number}")
}
