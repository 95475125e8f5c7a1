//! What callers of the carrier send and get.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::refusal::{Checked, Refusal, check_text, verbose};

/// Asks for a shipment. Has no `Debug`, so that names and addresses cannot get into a log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BookingRequest {
    pub(super) key: String,
    pub(super) order_id: String,
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) parcels: Vec<Parcel>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    pub(super) line1: String,
    pub(super) city: String,
    pub(super) postal_code: String,
    pub(super) country: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parcel {
    pub(super) sku: String,
    pub(super) quantity: i64,
}

/// Asks that a booking never be carried out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRequest {
    pub(super) order_id: String,
}

impl Checked for BookingRequest {
    fn check(&self) -> Result<(), Refusal> {
        check_text("key", &self.key)?;
        check_text("order_id", &self.order_id)?;
        check_text("name", &self.name)?;
        check_text("address.line1", &self.address.line1)?;
        check_text("address.city", &self.address.city)?;
        // Not every country has them.
        if !self.address.postal_code.is_empty() {
            check_text("address.postal_code", &self.address.postal_code)?;
        }
        check_text("address.country", &self.address.country)?;
        if self.parcels.is_empty() {
            return Err(Refusal::field("parcels", "MISSING_FIELD", "parcels must not be empty"));
        }
        for (index, parcel) in self.parcels.iter().enumerate() {
            check_text(&format!("parcels[{index}].sku"), &parcel.sku)?;
            if parcel.quantity <= 0 {
                let field = format!("parcels[{index}].quantity");
                return Err(Refusal::field(field, "QUANTITY_NOT_POSITIVE", "quantity must be greater than 0"));
            }
        }
        Ok(())
    }
}

impl Checked for CancelRequest {
    fn check(&self) -> Result<(), Refusal> {
        check_text("order_id", &self.order_id)
    }
}

/// Why a booking was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RejectReason {
    UndeliverableAddress,
    Verbose,
}

impl RejectReason {
    fn text(self) -> Cow<'static, str> {
        match self {
            Self::UndeliverableAddress => "UNDELIVERABLE_ADDRESS".into(),
            Self::Verbose => verbose(),
        }
    }
}

/// What became of a booking.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum BookingView {
    Booked { tracking: String },
    Rejected { reason: Cow<'static, str> },
    Cancelled,
    Dispatched { tracking: String },
    Delivered { tracking: String },
}

impl BookingView {
    pub(super) fn rejected(reason: RejectReason) -> Self {
        Self::Rejected { reason: reason.text() }
    }
}

/// All bookings, or those of one order, as they stand, in the order in which they were first seen.
#[derive(Debug, Serialize)]
pub(crate) struct Statement {
    pub(super) bookings: Vec<Line>,
}

#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) key: String,
    pub(super) order_id: String,
    pub(super) status: &'static str,
    pub(super) tracking: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) at: OffsetDateTime,
}
