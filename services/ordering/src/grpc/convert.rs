//! Requests as the application wants them, or everything that is wrong with them.

use std::{ops::RangeInclusive, time::Duration};

use contracts::tradewind::{
    money::v1::Money as ContractMoney,
    ordering::v1::{
        GetOrderRequest, ListOrdersRequest, OrderLine, OrderStatus, PlaceOrderRequest, Recipient,
        get_order_request::AsOf as RequestedPoint,
    },
};
use time::OffsetDateTime;
use tradewind_domain::{Error, Money};
use tradewind_events::{AsOf, RequestKey};

use super::validation::Violations;
use crate::{
    app::{Page, PlaceOrder, SETTLE_WITHIN},
    domain::{OrderId, Wanted},
};

const LINES: RangeInclusive<usize> = 1..=1000;
const QUANTITY: RangeInclusive<i32> = 1..=1_000_000;
const DEFAULT_PAGE: usize = 100;

/// The order that a request is about.
pub(super) fn order_id(text: &str) -> Result<OrderId, Error> {
    text.parse().map_err(|_| Error::invalid("order_id", "INVALID_ORDER_ID", "must be a UUID"))
}

/// `key` is the outcome of reading the request id, so that a wrong one is named with all the others.
pub(super) fn place_order(
    request: PlaceOrderRequest,
    key: Result<Option<RequestKey>, Error>,
    order_deadline: Duration,
) -> Result<PlaceOrder, Error> {
    let mut violations = Violations::default();
    let request_key = violations.catch(key).flatten();
    let is_name = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    violations.check(
        is_name(&request.customer_id) && (1..=64).contains(&request.customer_id.len()),
        "customer_id",
        "INVALID_CUSTOMER_ID",
        "must be 1 to 64 printable ASCII characters",
    );
    let recipient = recipient(request.recipient, &mut violations);
    let wanted = wanted(request.lines, &mut violations);
    check_length(&mut violations, "payment_token", &request.payment_token, 128);
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
        payment_token: request.payment_token,
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
    check_length(violations, "recipient.name", &recipient.name, 100);
    violations.check(
        recipient.email.contains('@') && (3..=320).contains(&recipient.email.chars().count()),
        "recipient.email",
        "INVALID_EMAIL",
        "must be 3 to 320 characters with an @ among them",
    );
    let Some(address) = &recipient.address else {
        violations.add("recipient.address", "REQUIRED", "is needed");
        return recipient;
    };
    check_length(violations, "recipient.address.line1", &address.line1, 200);
    check_length(violations, "recipient.address.city", &address.city, 100);
    check_length(violations, "recipient.address.postal_code", &address.postal_code, 16);
    violations.check(
        address.country.len() == 2 && address.country.bytes().all(|byte| byte.is_ascii_uppercase()),
        "recipient.address.country",
        "INVALID_COUNTRY",
        "must be two upper-case letters (ISO 3166-1 alpha-2)",
    );
    recipient
}

fn wanted(lines: Vec<OrderLine>, violations: &mut Violations) -> Vec<Wanted> {
    violations.check(LINES.contains(&lines.len()), "lines", "INVALID_LINE_COUNT", "must be 1 to 1000 lines");
    if lines.len() > *LINES.end() {
        return Vec::new();
    }
    let one = |(place, line): (usize, OrderLine)| {
        let field = format!("lines[{place}].product_id");
        violations.check(!line.product_id.is_empty(), &field, "REQUIRED", "is needed");
        if !QUANTITY.contains(&line.quantity) {
            violations.add(format!("lines[{place}].quantity"), "QUANTITY_OUT_OF_RANGE", "must be 1 to 1000000");
        }
        Wanted { field, product_id: line.product_id, quantity: line.quantity }
    };
    lines.into_iter().enumerate().map(one).collect()
}

fn expected_total(total: &ContractMoney, violations: &mut Violations) -> Option<Money> {
    violations.check(total.minor >= 0, "expected_total.minor", "NEGATIVE_AMOUNT", "must not be negative");
    let money = Money::new(&total.currency, total.minor);
    violations
        .catch(money.map_err(|error| Error::invalid("expected_total.currency", "UNKNOWN_CURRENCY", error.to_string())))
}

fn check_length(violations: &mut Violations, field: &str, text: &str, most: usize) {
    let fits = (1..=most).contains(&text.chars().count());
    violations.check(fits, field, "INVALID_LENGTH", &format!("must be 1 to {most} characters"));
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
    violations.finish()?;
    Ok((id.unwrap_or_default(), point))
}

pub(super) fn list_orders(request: ListOrdersRequest) -> Result<Page, Error> {
    let mut violations = Violations::default();
    let size = match usize::try_from(request.page_size) {
        Ok(0) => DEFAULT_PAGE,
        Ok(size @ 1..=1000) => size,
        _ => {
            violations.add("page_size", "PAGE_SIZE_OUT_OF_RANGE", "must be 0 to 1000");
            DEFAULT_PAGE
        }
    };
    let before = match request.page_token.as_str() {
        "" => None,
        token => violations.catch(
            token
                .parse()
                .map_err(|_| Error::invalid("page_token", "INVALID_PAGE_TOKEN", "is not one of a page before")),
        ),
    };
    let status = match OrderStatus::try_from(request.status) {
        Ok(OrderStatus::Unspecified) => None,
        Ok(status) => Some(status),
        Err(_) => {
            violations.add("status", "UNKNOWN_STATUS", "is not a status of an order");
            None
        }
    };
    violations.finish()?;
    let customer_id = (!request.customer_id.is_empty()).then_some(request.customer_id);
    Ok(Page { size, before, customer_id, status, after: request.after })
}
