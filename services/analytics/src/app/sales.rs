//! Sales, kept from the events of others: the one place where an event becomes rows.

use contracts::tradewind::inventory::v1::{Allocation, StockCorrected, StockReceived, StockReleased, StockReserved};
use contracts::tradewind::ordering::v1::{
    OrderCancelled, OrderConfirmed, OrderDelivered, OrderPaid, OrderPlaced, OrderShipped, OrderStockConfirmed,
};
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_projections::{Projection, Writer};
use tradewind_sql::micros;

use crate::domain::{Span, day_of, month_text};
use crate::store::sales::{
    Reached, customer, put_available, put_placed, put_reached, put_taken, sale, sale_line, sold, stock, stock_taken,
    taken_step,
};

/// What the projection is called.
pub(super) const SALES: &str = "analytics.sales";

/// What was sold, how far orders have come, and what is taken of stock.
#[must_use]
pub fn sales() -> Projection {
    Projection::new(SALES, 1)
        .table::<sale::Entity>()
        .table::<sale_line::Entity>()
        .table::<customer::Entity>()
        .table::<sold::Entity>()
        .table::<taken_step::Entity>()
        .table::<stock::Entity>()
        .table::<stock_taken::Entity>()
        .on::<OrderPlaced>("count_on_order_placed", placed)
        .on::<OrderStockConfirmed>("count_on_order_stock_confirmed", |writer, event| {
            reached(writer, event, Reached::StockConfirmed)
        })
        .on::<OrderPaid>("count_on_order_paid", |writer, event| reached(writer, event, Reached::Paid))
        .on::<OrderConfirmed>("count_on_order_confirmed", |writer, event| reached(writer, event, Reached::Confirmed))
        .on::<OrderShipped>("count_on_order_shipped", |writer, event| reached(writer, event, Reached::Shipped))
        .on::<OrderDelivered>("count_on_order_delivered", |writer, event| reached(writer, event, Reached::Delivered))
        .on::<OrderCancelled>("count_on_order_cancelled", |writer, event| {
            reached(writer, event, Reached::Cancelled(event.data.reason.into()))
        })
        .on::<StockReceived>("count_on_stock_received", |writer, event| {
            if let Some(Allocation { sku, location, quantity }) = &event.data.received {
                put_available(writer, sku, location, *quantity);
            }
            Ok(())
        })
        .on::<StockCorrected>("count_on_stock_corrected", |writer, event| {
            put_available(writer, &event.data.sku, &event.data.location, event.data.change);
            Ok(())
        })
        .on::<StockReserved>("count_on_stock_reserved", |writer, event| {
            taken(writer, event, &event.data.allocations, 1)
        })
        .on::<StockReleased>("count_on_stock_released", |writer, event| {
            taken(writer, event, &event.data.allocations, -1)
        })
}

fn placed(writer: &mut Writer<'_>, event: &Received<OrderPlaced>) -> Result<(), Error> {
    let OrderPlaced { customer_id, recipient, lines, total, country, .. } = &event.data;
    let order_id = event.stream.id().to_owned();
    // An order of a release before says it in the address alone.
    let address = recipient.as_ref().and_then(|recipient| recipient.address.as_ref()).filter(|_| country.is_empty());
    let total = total.clone().unwrap_or_default();
    let day = day_of(event.time);
    let row = sale::Model {
        order_id: order_id.clone(),
        customer_id: customer_id.clone(),
        country: address.map_or(country, |address| &address.country).clone(),
        currency: total.currency,
        units: lines.iter().map(|line| i64::from(line.quantity)).sum(),
        amount: total.minor,
        day,
        week: Span::Week.start(day),
        month: Span::Month.start(day),
        placed: Some(micros(event.time)),
        changed: 1,
        ..sale::Model::default()
    };
    let line = |line: &contracts::tradewind::ordering::v1::PricedLine| {
        let price = line.unit_price.as_ref().map_or(0, |price| price.minor);
        let units = i64::from(line.quantity);
        let amount = price.checked_mul(units).ok_or_else(|| Error::internal("a line costs more than there is"))?;
        Ok(sale_line::Model { order_id: order_id.clone(), product_id: line.product_id.clone(), units, amount })
    };
    let lines = lines.iter().map(line).collect::<Result<_, Error>>()?;
    put_placed(writer, row, month_text(day), lines);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a reaction may fail")]
fn reached<E>(writer: &mut Writer<'_>, event: &Received<E>, reached: Reached) -> Result<(), Error> {
    put_reached(writer, event.stream.id(), reached, micros(event.time));
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a reaction may fail")]
fn taken<E>(writer: &mut Writer<'_>, event: &Received<E>, of: &[Allocation], sign: i64) -> Result<(), Error> {
    for Allocation { sku, location, quantity } in of {
        put_taken(writer, sku, location, day_of(event.time), sign * quantity);
    }
    Ok(())
}
