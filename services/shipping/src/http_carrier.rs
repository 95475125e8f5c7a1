//! The carrier over HTTP and JSON. It turns what comes over the wire into answers and decides nothing.

use contracts::tradewind::ordering::v1::Recipient;
use serde::{Deserialize, Serialize};
use tradewind_domain::{Reason, Reference};
use tradewind_runtime::outside::Party;

use crate::app::{Booking, Carrier, NoAnswer, Standing};

impl Carrier for Party {
    async fn book(&self, booking: &Booking) -> Result<Standing, NoAnswer> {
        let Booking { order_id, recipient, items } = booking;
        let parcels = items.iter().map(|item| ParcelBody { sku: &item.sku, quantity: item.quantity }).collect();
        let key = key(order_id);
        let body = BookingBody { key: &key, order_id, name: &recipient.name, address: address(recipient), parcels };
        let view: StandingView = self.post(&["carrier", "bookings"], Some(&body)).await?;
        Ok(view.into())
    }

    async fn cancel(&self, order_id: &str) -> Result<Standing, NoAnswer> {
        tell(self, order_id, "cancel", Some(&CancelBody { order_id })).await
    }

    async fn dispatch(&self, order_id: &str) -> Result<Standing, NoAnswer> {
        tell(self, order_id, "dispatch", None).await
    }

    async fn deliver(&self, order_id: &str) -> Result<Standing, NoAnswer> {
        tell(self, order_id, "deliver", None).await
    }
}

/// Tells the carrier what becomes of a booking.
async fn tell(
    carrier: &Party,
    order_id: &str,
    what: &str,
    body: Option<&CancelBody<'_>>,
) -> Result<Standing, NoAnswer> {
    let view: StandingView = carrier.post(&["carrier", "bookings", &key(order_id), what], body).await?;
    Ok(view.into())
}

/// The key under which the carrier knows the booking of an order, the same on every attempt.
fn key(order_id: &str) -> String {
    format!("booking/{order_id}")
}

fn address(recipient: &Recipient) -> AddressBody<'_> {
    recipient.address.as_ref().map_or(AddressBody::default(), |address| AddressBody {
        line1: &address.line1,
        city: &address.city,
        postal_code: &address.postal_code,
        country: &address.country,
    })
}

/// Holds personal data: it must never have `Debug`.
#[derive(Serialize)]
struct BookingBody<'a> {
    key: &'a str,
    order_id: &'a str,
    name: &'a str,
    address: AddressBody<'a>,
    parcels: Vec<ParcelBody<'a>>,
}

/// Holds personal data: it must never have `Debug`.
#[derive(Default, Serialize)]
struct AddressBody<'a> {
    line1: &'a str,
    city: &'a str,
    postal_code: &'a str,
    country: &'a str,
}

#[derive(Serialize)]
struct ParcelBody<'a> {
    sku: &'a str,
    quantity: i64,
}

#[derive(Serialize)]
struct CancelBody<'a> {
    order_id: &'a str,
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum StandingView {
    Booked {
        #[serde(default)]
        tracking: String,
    },
    Rejected {
        #[serde(default)]
        reason: String,
    },
    Cancelled,
    Dispatched,
    Delivered,
}

impl From<StandingView> for Standing {
    fn from(view: StandingView) -> Self {
        match view {
            StandingView::Booked { tracking } => Self::Booked { tracking: Reference::read(&tracking) },
            StandingView::Rejected { reason } => Self::Rejected { reason: Reason::told(&reason) },
            StandingView::Cancelled => Self::Cancelled,
            StandingView::Dispatched => Self::Dispatched,
            StandingView::Delivered => Self::Delivered,
        }
    }
}
