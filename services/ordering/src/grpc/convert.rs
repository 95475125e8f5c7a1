//! Requests as the application wants them, or everything that is wrong with them.

use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use contracts::tradewind::{
    money::v1::Money as ContractMoney,
    ordering::v1::{
        EraseCustomerRequest, GetOrderRequest, ListOrderEventsRequest, ListOrdersRequest, OrderLine, OrderStatus,
        PlaceOrderRequest, Recipient, get_order_request::AsOf as RequestedPoint,
    },
};
use time::OffsetDateTime;
use tonic::Status;
use tradewind_domain::{
    Country, EMAIL_RULE, Error, Money, OrderId, TEXT_RULE, is_text,
    request::{RequestKey, Violations, invalid_page_token, order_id, page_size},
    sendable,
};
use tradewind_filter::{check, opened, order_by, parse};
use tradewind_mesh::status;
use tradewind_store::AsOf;
use uuid::Uuid;

use crate::{
    app::{
        EventsPage, FILTERED, Filter, MOST_LOOKS, Page, Place, PlaceOrder, SETTLE_WITHIN, SORTED, looks_at_lines,
        ordered,
    },
    domain::{OrderError, Wanted},
};

const LINES: RangeInclusive<usize> = 1..=1000;
const QUANTITY: RangeInclusive<i32> = 1..=1_000_000;

/// What of a request each refusal is about.
const FIELDS: [(&str, &str); 4] = [
    (OrderError::EMPTY, "lines"),
    (OrderError::MIXED_CURRENCIES, "lines"),
    (OrderError::TOTAL_TOO_LARGE, "lines"),
    (OrderError::PRICE_CHANGED, "expected_total"),
];

/// A refusal as the caller hears it.
pub(super) fn refusal(error: Error) -> Status {
    status(error.about(&FIELDS))
}

/// `key` is the outcome of reading the request id, so that a wrong one is named with all the others.
pub(super) fn place_order(
    request: PlaceOrderRequest,
    key: Result<Option<RequestKey>, Error>,
    order_deadline: Duration,
) -> Result<PlaceOrder, Error> {
    let mut violations = Violations::default();
    let request_key = violations.catch(key).flatten();
    check_customer(&mut violations, &request.customer_id);
    let recipient = recipient(request.recipient, &mut violations);
    let (wanted, named) = wanted(request.lines, &mut violations);
    check_text(&mut violations, "payment_token", &request.payment_token, 128);
    let expected_total = request.expected_total.and_then(|total| expected_total(&total, &mut violations));
    let settle_within = match request.settle_within {
        None => order_deadline,
        Some(asked) => {
            // A negative duration is too short as well.
            let asked = Duration::try_from(asked).unwrap_or_default();
            let description = "must be from 1 second to 24 hours";
            violations.check(SETTLE_WITHIN.contains(&asked), "settle_within", "INVALID_SETTLE_WITHIN", description);
            asked
        }
    };
    violations.finish()?;
    Ok(PlaceOrder {
        request: request_key,
        customer_id: request.customer_id,
        recipient,
        wanted: Wanted::merged(wanted),
        named,
        payment_token: request.payment_token.into(),
        expected_total,
        after: request.after,
        settle_within,
    })
}

fn recipient(recipient: Option<Recipient>, violations: &mut Violations) -> Recipient {
    let Some(recipient) = recipient else {
        violations.add("recipient", "REQUIRED", "is needed");
        return Recipient::default();
    };
    check_text(violations, "recipient.name", &recipient.name, 100);
    violations.check(sendable(&recipient.email).is_some(), "recipient.email", "INVALID_EMAIL", EMAIL_RULE);
    let Some(address) = &recipient.address else {
        violations.add("recipient.address", "REQUIRED", "is needed");
        return recipient;
    };
    check_text(violations, "recipient.address.line1", &address.line1, 200);
    check_text(violations, "recipient.address.city", &address.city, 100);
    let country = Country::parse(&address.country);
    let description = "must be a country's officially assigned ISO 3166-1 alpha-2 code in upper case";
    violations.check(country.is_some(), "recipient.address.country", "INVALID_COUNTRY", description);
    if !address.postal_code.is_empty() || country.is_some_and(Country::needs_postal_code) {
        check_text(violations, "recipient.address.postal_code", &address.postal_code, 16);
    }
    recipient
}

/// What is wanted, and where each product is first named.
fn wanted(lines: Vec<OrderLine>, violations: &mut Violations) -> (Vec<Wanted>, HashMap<String, String>) {
    violations.check(LINES.contains(&lines.len()), "lines", "INVALID_LINE_COUNT", "must be 1 to 1000 lines");
    let mut named = HashMap::new();
    if lines.len() > *LINES.end() {
        return (Vec::new(), named);
    }
    let one = |(place, line): (usize, OrderLine)| {
        let field = format!("lines[{place}].product_id");
        violations.check(!line.product_id.is_empty(), &field, "REQUIRED", "is needed");
        violations.check(is_plain(&line.product_id), &field, "INVALID_TEXT", "must not hold control characters");
        if !QUANTITY.contains(&line.quantity) {
            violations.add(format!("lines[{place}].quantity"), "QUANTITY_OUT_OF_RANGE", "must be 1 to 1000000");
        }
        named.entry(line.product_id.clone()).or_insert(field);
        Wanted { product_id: line.product_id, quantity: line.quantity }
    };
    (lines.into_iter().enumerate().map(one).collect(), named)
}

fn expected_total(total: &ContractMoney, violations: &mut Violations) -> Option<Money> {
    violations.check(total.minor >= 0, "expected_total.minor", "NEGATIVE_AMOUNT", "must not be negative");
    let money = Money::new(&total.currency, total.minor);
    violations
        .catch(money.map_err(|error| Error::invalid("expected_total.currency", "UNKNOWN_CURRENCY", error.to_string())))
}

/// What passes here must pass at the carrier and the card provider, or it would fail only once money is taken.
fn check_text(violations: &mut Violations, field: &str, text: &str, most: usize) {
    let fits = (1..=most).contains(&text.chars().count());
    violations.check(fits, field, "INVALID_LENGTH", &format!("must be 1 to {most} characters"));
    violations.check(text.is_empty() || is_text(text), field, "INVALID_TEXT", TEXT_RULE);
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

pub(super) fn get_order(request: &GetOrderRequest) -> Result<(OrderId, Option<AsOf>), Error> {
    let mut violations = Violations::default();
    let id = violations.catch(order_id(&request.order_id));
    let point = match &request.as_of {
        None => None,
        Some(RequestedPoint::Version(version)) => {
            violations.check(*version > 0, "version", "INVALID_VERSION", "must be at least 1");
            Some(AsOf::Version((*version).min(i64::MAX.unsigned_abs())))
        }
        Some(RequestedPoint::Time(time)) => {
            let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
            let time = OffsetDateTime::from_unix_timestamp_nanos(nanos)
                .map_err(|_| Error::invalid("time", "INVALID_TIME", "is not between the years 1 and 9999"));
            violations.catch(time).map(AsOf::Time)
        }
    };
    Ok((violations.finish_with(id)?, point))
}

/// `secret` is what page tokens are sealed with.
pub(super) fn list_orders(request: ListOrdersRequest, secret: Uuid) -> Result<Page, Error> {
    let mut violations = Violations::default();
    let size = violations.catch(page_size(request.page_size));
    let status = match OrderStatus::try_from(request.status) {
        Ok(OrderStatus::Unspecified) => None,
        Ok(status) => Some(status),
        Err(_) => {
            violations.add("status", "UNKNOWN_STATUS", "is not a status of an order");
            None
        }
    };
    let wanted = parse(&request.filter).and_then(|tree| tree.map(|tree| check(tree, &FILTERED)).transpose());
    let wanted = violations.catch(wanted).flatten();
    let looks = wanted.as_ref().map_or(0, looks_at_lines);
    violations.check(
        looks <= MOST_LOOKS,
        "filter",
        "FILTER_TOO_COMPLEX",
        "has more than 5 texts and restrictions of lines",
    );
    let order = violations.catch(order_by(&request.order_by, &SORTED)).unwrap_or_default();
    let order = ordered(order, wanted.as_ref());
    let about = [request.customer_id.clone(), request.status.to_string(), request.filter, request.order_by];
    let behind = violations.catch(behind(&request.page_token, secret, &about, order.len())).flatten();
    let size = violations.finish_with(size)?;
    let customer_id = (!request.customer_id.is_empty()).then_some(request.customer_id);
    Ok(Page { size, filter: Filter { customer_id, status, wanted, order, behind }, about, after: request.after })
}

/// The place that a page token names, with so many numbers before the id.
fn behind(token: &str, secret: Uuid, about: &[String; 4], numbers: usize) -> Result<Option<Place>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    // A build before gave the id alone.
    let [.., filter, order] = about;
    if let (Ok(id), true, true) = (token.parse(), filter.is_empty(), order.is_empty()) {
        return Ok(Some(Place(Vec::new(), id)));
    }
    let place = opened(secret, &about.each_ref().map(String::as_str), token)?;
    let mut parts: Vec<_> = place.split('/').collect();
    let id = parts.pop().and_then(|id| id.parse().ok());
    let before = parts.iter().map(|number| number.parse().ok()).collect::<Option<Vec<i64>>>();
    match (before, id) {
        (Some(before), Some(id)) if before.len() == numbers => Ok(Some(Place(before, id))),
        _ => Err(invalid_page_token()),
    }
}

pub(super) fn list_order_events(request: &ListOrderEventsRequest, secret: Uuid) -> Result<EventsPage, Error> {
    let mut violations = Violations::default();
    let order_id = violations.catch(order_id(&request.order_id));
    let size = violations.catch(page_size(request.page_size));
    let version = match request.page_token.as_str() {
        "" => Ok(0),
        token => opened(secret, &[&request.order_id], token)
            .and_then(|version| version.parse().map_err(|_| invalid_page_token())),
    };
    let version = violations.catch(version);
    let (order_id, (size, after)) = violations.finish_with(order_id.zip(size.zip(version)))?;
    Ok(EventsPage { order_id, asked: request.order_id.clone(), size, after })
}

/// The customer who is to be forgotten.
pub(super) fn erase_customer(request: EraseCustomerRequest) -> Result<String, Error> {
    let mut violations = Violations::default();
    check_customer(&mut violations, &request.customer_id);
    violations.finish().map(|()| request.customer_id)
}

fn check_customer(violations: &mut Violations, customer_id: &str) {
    let is_name = customer_id.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    violations.check(
        is_name && (1..=64).contains(&customer_id.len()),
        "customer_id",
        "INVALID_CUSTOMER_ID",
        "must be 1 to 64 printable ASCII characters",
    );
}
