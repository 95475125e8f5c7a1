//! The scenarios in which a request is refused or recognised.

use anyhow::{Result, bail, ensure};
use contracts::tradewind::catalog::v1::RepriceProductRequest;
use contracts::tradewind::ordering::v1::{OrderStatus, PlaceOrderRequest};

use super::Played;
use super::stage::{Stage, order_of, pence};
use crate::commands::order::new_request_id;

/// How a call was refused: `FAILED_PRECONDITION PRICE_CHANGED`.
///
/// # Errors
/// When it was not refused.
pub(crate) fn reason_of<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Result<String> {
    match answer {
        Ok(_) => bail!("the call was not refused"),
        Err(status) => {
            let reason = tradewind_mesh::reason(&status).unwrap_or_default();
            Ok(format!("{} {reason}", tradewind_mesh::code_name(status.code())))
        }
    }
}

pub(crate) async fn same_request_twice(stage: &Stage<'_>) -> Result<Played> {
    let pen = stage.ware("brass-pen", 1500, 10).await?;
    let request = order_of(&pen, 1);
    let first = stage.place(request.clone()).await?;
    let again = stage.place(request.clone()).await?;
    ensure!(first.order_id == again.order_id, "the same request made {} and {}", first.order_id, again.order_id);
    let other = stage.gateway().ordering()?.place_order(request).await?.into_inner().order.unwrap_or_default();
    ensure!(other.order_id != first.order_id, "a customer was given the operator's order");
    for order_id in [&first.order_id, &other.order_id] {
        let order = stage.settled(order_id).await?;
        ensure!(order.status() == OrderStatus::Confirmed, "order {order_id} was not confirmed");
    }
    let happened = format!("operator twice: {}; customer: {}", first.order_id, other.order_id);
    Ok(Played { orders: Vec::new(), happened })
}

pub(crate) async fn price_changed(stage: &Stage<'_>) -> Result<Played> {
    let book = stage.ware("sea-atlas", 2000, 5).await?;
    let request = RepriceProductRequest {
        request_id: new_request_id(),
        product_id: book.product_id.clone(),
        price: Some(pence(2300)),
    };
    let position = stage.shop().catalog()?.reprice_product(request).await?.into_inner().position;
    let request =
        PlaceOrderRequest { expected_total: Some(pence(book.price * 2)), after: vec![position], ..order_of(&book, 2) };
    let refused = reason_of(stage.shop().ordering()?.place_order(request).await)?;
    ensure!(refused == "FAILED_PRECONDITION PRICE_CHANGED", "the answer was {refused}");
    let available = stage.available(&book.sku).await?;
    ensure!(available == 5, "{available} of 5 units are available");
    Ok(Played { orders: Vec::new(), happened: format!("{refused}; 5 of 5 units available") })
}
