//! `tradewind order`: place, find, follow, explain and cancel orders.

mod events;
pub(super) mod explain;

use std::borrow::Cow;
use std::process::ExitCode;

use anyhow::{Context, Result};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{
    Address, CancelOrderRequest, GetOrderRequest, ListOrderEventsRequest, ListOrdersRequest, Order, OrderLine,
    OrderStatus, PlaceOrderRequest, Recipient, get_order_request::AsOf,
};

use crate::Global;
use crate::clients;
use crate::output::{money, more, print_json, say, word};
use crate::watch::Watch;
use shop::Clients;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Place an order.
    Place(Place),
    /// Show one order, now or as it was.
    Get {
        /// The order.
        order_id: String,
        /// As it was after so many of its events.
        #[arg(long, value_name = "VERSION")]
        as_of: Option<u64>,
    },
    /// Show orders, newest first unless --order-by says otherwise.
    ///
    /// A filter names fields, and texts to search for in ids, names, products and SKUs of lines, in any case:
    ///
    ///   --filter 'status = CONFIRMED AND day = 2026-11-28'
    ///   --filter 'lines.sku:TEA-1 total.minor >= 5000'     both: AND may be left out
    ///   --filter 'tea OR "green coffee"'                   OR binds tighter than AND
    ///   --filter 'country = GB AND NOT (status = CANCELLED OR status = CANCELLING)'
    ///
    /// order_id, customer_id, status, total.currency and country are compared by = and !=;
    /// total.minor, create_time, update_time and day by <, <=, > and >= too;
    /// lines.product_id, lines.sku and lines.name by :, for any line.
    /// Times are of RFC 3339, days are in UTC. Functions and wildcards are not supported.
    ///
    /// Sorted by create_time, update_time and total.minor:
    ///
    ///   --order-by 'total.minor desc, create_time'
    ///
    /// A page may be short, or empty, and have a next one.
    #[command(verbatim_doc_comment)]
    List {
        /// Only orders of which this holds.
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        filter: String,
        /// What they are sorted by.
        #[arg(long, default_value = "")]
        order_by: String,
        /// Only orders that are this far, e.g. confirmed.
        #[arg(long)]
        status: Option<String>,
        /// Only this customer's orders.
        #[arg(long, default_value = "")]
        customer: String,
        /// The most to show, up to 1000.
        #[arg(long, default_value_t = 100)]
        page_size: i32,
        /// Where the page before ended.
        #[arg(long, default_value = "")]
        page_token: String,
    },
    /// Show an order's events as an audit trail: who asked for each, what led to it, and what it says but for what is sensitive.
    Events {
        /// The order.
        order_id: String,
        /// The most to show, up to 1000.
        #[arg(long, default_value_t = 100)]
        page_size: i32,
        /// Where the page before ended.
        #[arg(long, default_value = "")]
        page_token: String,
    },
    /// Follow one order until it is settled.
    Watch {
        /// The order.
        order_id: String,
    },
    /// Show all that happened to an order, in every service, and what it waits for: from whom, until when, and what would help.
    ///
    /// A line each for events and failed attempts at calls, with the milliseconds since the first and since the one before; who has
    /// handled an event and who has not; calls that are owed and deadlines. A service that does not answer is told of.
    Explain {
        /// The order.
        order_id: String,
    },
    /// Ask for an order to be cancelled; `watch` tells when it is.
    Cancel {
        /// The order.
        order_id: String,
    },
}

#[derive(clap::Args)]
pub(crate) struct Place {
    /// What to order: PRODUCT or PRODUCT=QUANTITY.
    #[arg(required = true, value_parser = parse_line)]
    lines: Vec<OrderLine>,
    /// The card, as the provider names it; tok_ok and its kin are in the outside world's README.
    #[arg(long, default_value = "tok_ok")]
    payment_token: String,
    /// Whose order it is.
    #[arg(long, default_value = "walk-in")]
    customer: String,
    /// Postal code; 99999 is where nobody delivers.
    #[arg(long, default_value = "10115")]
    postal_code: String,
    /// Refuse the order unless it costs just this, e.g. GBP:1250.
    #[arg(long, value_parser = parse_money)]
    expected_total: Option<Money>,
    /// Cancel the order unless it is confirmed within this time, e.g. 30s.
    #[arg(long, value_parser = humantime::parse_duration)]
    settle_within: Option<std::time::Duration>,
    /// Makes a repetition harmless; a new one where absent.
    #[arg(long)]
    request_id: Option<String>,
    /// Tokens of earlier writes that the order must see.
    #[arg(long)]
    after: Vec<String>,
    /// Follow it until it is settled.
    #[arg(long)]
    watch: bool,
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    let mut ordering = shop.ordering()?;
    match command {
        Command::Place(place) => {
            let watch_it = place.watch;
            let response = ordering.place_order(request(place)?).await?.into_inner();
            if global.json {
                print_json(&response)?
            } else {
                response.order.iter().try_for_each(show)?
            }
            if let (true, Some(order)) = (watch_it, response.order) {
                return watch(&shop, &order.order_id, global.json).await;
            }
        }
        Command::Get { order_id, as_of } => {
            let request = GetOrderRequest { order_id, as_of: as_of.map(AsOf::Version) };
            let response = ordering.get_order(request).await?.into_inner();
            if global.json { print_json(&response)? } else { response.order.iter().try_for_each(show)? }
        }
        Command::List { filter, order_by, status, customer, page_size, page_token } => {
            let status = status.map_or(Ok(OrderStatus::Unspecified), |text| parse_status(&text))?;
            let request = ListOrdersRequest {
                page_size,
                page_token,
                customer_id: customer,
                status: status.into(),
                filter,
                order_by,
                ..ListOrdersRequest::default()
            };
            let response = ordering.list_orders(request).await?.into_inner();
            if global.json {
                print_json(&response)?;
            } else {
                response.orders.iter().try_for_each(show)?;
                more(&response.next_page_token)?;
            }
        }
        Command::Events { order_id, page_size, page_token } => {
            let request = ListOrderEventsRequest { order_id, page_size, page_token };
            let response = ordering.list_order_events(request).await?.into_inner();
            if global.json {
                print_json(&response)?;
            } else {
                response.events.iter().try_for_each(events::show)?;
                more(&response.next_page_token)?;
            }
        }
        Command::Watch { order_id } => return watch(&shop, &order_id, global.json).await,
        Command::Explain { order_id } => return explain::run(&shop, &order_id, global.json).await,
        Command::Cancel { order_id } => {
            let response = ordering.cancel_order(CancelOrderRequest { order_id }).await?.into_inner();
            if global.json { print_json(&response)? } else { response.order.iter().try_for_each(show)? }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn watch(shop: &Clients, order_id: &str, json: bool) -> Result<ExitCode> {
    let mut watch = Watch::new(shop, order_id);
    while let Some(change) = watch.next().await? {
        if json { print_json(&change)? } else { change.order.iter().try_for_each(show)? }
    }
    Ok(ExitCode::SUCCESS)
}

fn request(place: Place) -> Result<PlaceOrderRequest> {
    let settle_within = place.settle_within.map(prost_types::Duration::try_from).transpose();
    Ok(PlaceOrderRequest {
        request_id: place.request_id.unwrap_or_else(new_request_id),
        customer_id: place.customer,
        recipient: Some(recipient(&place.postal_code)),
        lines: place.lines,
        payment_token: place.payment_token,
        expected_total: place.expected_total,
        after: place.after,
        settle_within: settle_within.context("--settle-within is too long")?,
        ..PlaceOrderRequest::default()
    })
}

/// A recipient for orders placed by hand, at the given postal code.
pub(crate) fn recipient(postal_code: &str) -> Recipient {
    Recipient {
        name: "Walk-in customer".to_owned(),
        email: "customer@example.org".to_owned(),
        address: Some(Address {
            line1: "1 Harbour Street".to_owned(),
            city: "Port Town".to_owned(),
            postal_code: postal_code.to_owned(),
            country: "GB".to_owned(),
        }),
    }
}

/// A request id nobody used before.
pub(crate) fn new_request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The status of an order in words: `STOCK_CONFIRMED`.
pub(crate) fn status(order: &Order) -> Cow<'static, str> {
    word(order.status, OrderStatus::as_str_name, "ORDER_STATUS_")
}

fn show(order: &Order) -> Result<()> {
    let mut notes = Vec::new();
    if order.cancellation_requested {
        notes.push("cancellation requested".to_owned());
    }
    if !order.cancellation_detail.is_empty() {
        notes.push(order.cancellation_detail.clone());
    }
    if order.refunded.is_some() {
        notes.push(format!("paid back {}", money(order.refunded.as_ref())));
    }
    let status = status(order);
    say!("{}  {status:<15} {:>14}  {}", order.order_id, money(order.total.as_ref()), notes.join("; "))
}

pub(crate) fn parse_status(text: &str) -> Result<OrderStatus> {
    let name = format!("ORDER_STATUS_{}", text.to_ascii_uppercase().replace('-', "_"));
    OrderStatus::from_str_name(&name).with_context(|| format!("{text:?} is no status of an order"))
}

pub(crate) fn parse_line(text: &str) -> Result<OrderLine> {
    let (product_id, quantity) = text.split_once('=').unwrap_or((text, "1"));
    let quantity = quantity.parse().with_context(|| format!("{quantity:?} is no number of units"))?;
    Ok(OrderLine { product_id: product_id.to_owned(), quantity })
}

/// Reads `GBP:1250` as 1250 minor units of GBP.
pub(crate) fn parse_money(text: &str) -> Result<Money> {
    let (currency, minor) = text.split_once(':').context("write it as CURRENCY:MINOR_UNITS, e.g. GBP:1250")?;
    let minor = minor.parse().with_context(|| format!("{minor:?} is no whole number of minor units"))?;
    Ok(Money { currency: currency.to_owned(), minor })
}
