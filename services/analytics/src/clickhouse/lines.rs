//! Facts as lines of JSON, one a row.

use serde::Serialize;
use tradewind_domain::{Error, ErrorKind};
use tradewind_projections::Writer;
use uuid::Uuid;

use super::tables::{MOVED, PLACED, REACHED};
use crate::domain::{Fact, Line, Moved, Placed, Reached, Span, month_text};

/// Raised by whoever changes what a row says.
pub(crate) const VERSION: u32 = 1;
/// The step that is none: why an order went no further.
pub(super) const CANCELLED: i64 = 7;
/// The step that makes a sale of an order.
pub(super) const CONFIRMED: i64 = 4;

#[derive(Serialize)]
struct PlacedRow<'a> {
    order_id: String,
    customer_id: &'a str,
    country: &'a str,
    currency: &'a str,
    at: i64,
    day: i64,
    week: i64,
    month: i64,
    cohort: String,
    units: i64,
    amount: i64,
    products: Vec<&'a str>,
    line_units: Vec<i64>,
    line_amounts: Vec<i64>,
    version: u32,
}

#[derive(Serialize)]
struct ReachedRow {
    order_id: String,
    step: i64,
    reason: i64,
    at: i64,
    day: i64,
    version: u32,
}

#[derive(Serialize)]
struct MovedRow<'a> {
    id: &'a str,
    sku: &'a str,
    location: &'a str,
    day: i64,
    change: i64,
    is_taken: u8,
    version: u32,
}

/// Sends a fact, as a row of one of the tables.
///
/// # Errors
/// `Invalid` where an order has an id that is no UUID, as which it takes less than half of the room, and of the time to find it.
pub(crate) fn send(writer: &mut Writer<'_>, fact: &Fact) -> Result<(), Error> {
    match fact {
        Fact::Placed(placed) => line(writer, PLACED, &placed_row(placed)?),
        Fact::Reached { order_id, reached, at, day } => {
            let (order_id, (step, reason)) = (uuid(order_id)?, step(*reached));
            line(writer, REACHED, &ReachedRow { order_id, step, reason, at: *at, day: *day, version: VERSION })
        }
        Fact::Moved(Moved { id, sku, location, day, change, is_taken }) => {
            let (day, change, is_taken) = (*day, *change, u8::from(*is_taken));
            line(writer, MOVED, &MovedRow { id, sku, location, day, change, is_taken, version: VERSION })
        }
    }
}

fn line(writer: &mut Writer<'_>, table: &'static str, row: &impl Serialize) -> Result<(), Error> {
    writer.send(table, &serde_json::to_string(row).map_err(Error::internal)?)
}

fn uuid(order_id: &str) -> Result<String, Error> {
    let unreadable = |_| Error::new(ErrorKind::Invalid, "ORDER_ID_UNREADABLE", format!("{order_id} is no UUID"));
    Uuid::parse_str(order_id).map(|id| id.to_string()).map_err(unreadable)
}

fn placed_row(placed: &Placed) -> Result<PlacedRow<'_>, Error> {
    let Placed { order_id, customer_id, country, currency, at, day, units, amount, lines } = placed;
    Ok(PlacedRow {
        order_id: uuid(order_id)?,
        customer_id,
        country,
        currency,
        at: *at,
        day: *day,
        week: Span::Week.start(*day),
        month: Span::Month.start(*day),
        cohort: month_text(*day),
        units: *units,
        amount: *amount,
        products: lines.iter().map(|line| line.product_id.as_str()).collect(),
        line_units: lines.iter().map(|Line { units, .. }| *units).collect(),
        line_amounts: lines.iter().map(|Line { amount, .. }| *amount).collect(),
        version: VERSION,
    })
}

/// The contract's number of a step, and why an order was cancelled.
fn step(reached: Reached) -> (i64, i64) {
    match reached {
        Reached::StockConfirmed => (2, 0),
        Reached::Paid => (3, 0),
        Reached::Confirmed => (CONFIRMED, 0),
        Reached::Shipped => (5, 0),
        Reached::Delivered => (6, 0),
        Reached::Cancelled(reason) => (CANCELLED, reason),
    }
}
