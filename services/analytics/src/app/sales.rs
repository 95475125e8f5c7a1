//! Sales, kept from the events of others: the one place where an event becomes a fact.

use contracts::tradewind::inventory::v1::{Allocation, StockCorrected, StockReceived, StockReleased, StockReserved};
use contracts::tradewind::ordering::v1::{
    OrderCancelled, OrderConfirmed, OrderDelivered, OrderPaid, OrderPlaced, OrderShipped, OrderStockConfirmed,
    PricedLine,
};
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_projections::{Projection, Writer};
use tradewind_sql::micros;

use crate::domain::{Fact, Line, Moved, Placed, Reached, day_of};

/// A projection with what is said of orders and of stock, each fact of which is put where `record` puts it.
pub(super) fn made_of_events(
    projection: Projection,
    record: impl Fn(&mut Writer<'_>, Fact) -> Result<(), Error> + Copy + Send + Sync + 'static,
) -> Projection {
    let moved = move |writer: &mut Writer<'_>, moved: Moved| record(writer, Fact::Moved(moved));
    projection
        .on::<OrderPlaced>("count_on_order_placed", move |writer, event| record(writer, Fact::Placed(placed(event)?)))
        .on::<OrderStockConfirmed>("count_on_order_stock_confirmed", move |writer, event| {
            record(writer, reached(event, Reached::StockConfirmed))
        })
        .on::<OrderPaid>("count_on_order_paid", move |writer, event| record(writer, reached(event, Reached::Paid)))
        .on::<OrderConfirmed>("count_on_order_confirmed", move |writer, event| {
            record(writer, reached(event, Reached::Confirmed))
        })
        .on::<OrderShipped>("count_on_order_shipped", move |writer, event| {
            record(writer, reached(event, Reached::Shipped))
        })
        .on::<OrderDelivered>("count_on_order_delivered", move |writer, event| {
            record(writer, reached(event, Reached::Delivered))
        })
        .on::<OrderCancelled>("count_on_order_cancelled", move |writer, event| {
            record(writer, reached(event, Reached::Cancelled(event.data.reason.into())))
        })
        .on::<StockReceived>("count_on_stock_received", move |writer, event| {
            changes(event, event.data.received.as_ref(), 1, false).try_for_each(|change| moved(writer, change))
        })
        .on::<StockCorrected>("count_on_stock_corrected", move |writer, event| {
            let StockCorrected { sku, location, change, .. } = event.data.clone();
            let change = Allocation { sku, location, quantity: change };
            changes(event, [&change], 1, false).try_for_each(|change| moved(writer, change))
        })
        .on::<StockReserved>("count_on_stock_reserved", move |writer, event| {
            changes(event, &event.data.allocations, -1, true).try_for_each(|change| moved(writer, change))
        })
        .on::<StockReleased>("count_on_stock_released", move |writer, event| {
            changes(event, &event.data.allocations, 1, true).try_for_each(|change| moved(writer, change))
        })
}

fn placed(event: &Received<OrderPlaced>) -> Result<Placed, Error> {
    let OrderPlaced { customer_id, recipient, lines, total, country, .. } = &event.data;
    // An order of a release before says it in the address alone.
    let address = recipient.as_ref().and_then(|recipient| recipient.address.as_ref()).filter(|_| country.is_empty());
    let total = total.clone().unwrap_or_default();
    let line = |line: &PricedLine| {
        let price = line.unit_price.as_ref().map_or(0, |price| price.minor);
        let units = i64::from(line.quantity);
        let amount = price.checked_mul(units).ok_or_else(|| Error::internal("a line costs more than there is"))?;
        Ok(Line { product_id: line.product_id.clone(), units, amount })
    };
    Ok(Placed {
        order_id: event.stream.id().to_owned(),
        customer_id: customer_id.clone(),
        country: address.map_or(country, |address| &address.country).clone(),
        currency: total.currency,
        at: micros(event.time),
        day: day_of(event.time),
        units: lines.iter().map(|line| i64::from(line.quantity)).sum(),
        amount: total.minor,
        lines: lines.iter().map(line).collect::<Result<_, Error>>()?,
    })
}

fn reached<E>(event: &Received<E>, reached: Reached) -> Fact {
    let (at, day) = (micros(event.time), day_of(event.time));
    Fact::Reached { order_id: event.stream.id().to_owned(), reached, at, day }
}

/// What an event changes of stock: so many units more, or with a `sign` of -1 fewer.
fn changes<'a, E>(
    event: &'a Received<E>,
    of: impl IntoIterator<Item = &'a Allocation, IntoIter: 'a>,
    sign: i64,
    is_taken: bool,
) -> impl Iterator<Item = Moved> {
    let (event, day) = (event.id, day_of(event.time));
    of.into_iter().enumerate().map(move |(number, Allocation { sku, location, quantity })| Moved {
        id: format!("{event}/{number}"),
        sku: sku.clone(),
        location: location.clone(),
        day,
        change: sign * quantity,
        is_taken,
    })
}
