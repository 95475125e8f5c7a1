//! The carrier: bookings and what becomes of them. Decides from the request and its own bookings alone; knows nothing
//! of HTTP, files or clocks. Names and addresses are looked at and forgotten.

mod wire;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::decision::Decision;
use crate::refusal::{Refusal, digest};
use wire::Line;
pub(crate) use wire::{BookingRequest, BookingView, CancelRequest, RejectReason, Statement};

/// The postal code under which the carrier never answers.
const SILENT: &str = "00TIMEOUT";
/// The postal code whose bookings get no number.
const NUMBERLESS: &str = "00NONUMBER";
/// The postal code whose bookings all get the same number.
const SAME_NUMBER: &str = "00SAMENUMBER";
/// The postal code that is rejected with a long text.
const VERBOSE: &str = "00VERBOSE";
/// The postal code where nobody delivers; so are those that start with `X`.
const UNDELIVERABLE: &str = "99999";

/// A booking as recorded: the digest stands for the whole request, so that no name or address is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    key: String,
    order_id: String,
    digest: String,
}

/// What the carrier decided.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fact {
    Booked { asked: Asked, tracking: String },
    Rejected { asked: Asked, reason: RejectReason },
    Cancelled { key: String, order_id: String },
    Dispatched { key: String },
    Delivered { key: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Booked,
    Rejected(RejectReason),
    Cancelled,
    Dispatched,
    Delivered,
}

struct Booking {
    key: String,
    order_id: String,
    /// None where only a cancellation was seen.
    digest: Option<String>,
    tracking: Option<String>,
    status: Status,
    at: OffsetDateTime,
}

/// All bookings in the order in which they were first seen, and where each key is among them.
#[derive(Default)]
pub(crate) struct Bookings {
    all: Vec<Booking>,
    by_key: HashMap<String, usize>,
}

impl Booking {
    fn view(&self) -> BookingView {
        let tracking = self.tracking.clone().unwrap_or_default();
        match self.status {
            Status::Booked => BookingView::Booked { tracking },
            Status::Rejected(reason) => BookingView::rejected(reason),
            Status::Cancelled => BookingView::Cancelled,
            Status::Dispatched => BookingView::Dispatched { tracking },
            Status::Delivered => BookingView::Delivered { tracking },
        }
    }

    /// The view of one that is under way or there: as if nothing had happened after `status`.
    fn view_as(&self, status: fn(String) -> BookingView) -> BookingView {
        status(self.tracking.clone().unwrap_or_default())
    }

    fn line(&self) -> Line {
        let status = match self.status {
            Status::Booked => "booked",
            Status::Rejected(_) => "rejected",
            Status::Cancelled => "cancelled",
            Status::Dispatched => "dispatched",
            Status::Delivered => "delivered",
        };
        let (key, order_id, tracking) = (self.key.clone(), self.order_id.clone(), self.tracking.clone());
        Line { key, order_id, status, tracking, at: self.at }
    }
}

impl Bookings {
    /// Books or rejects by the postal code; a known key repeats its answer, or says that it was cancelled.
    pub(crate) fn book(&self, request: BookingRequest) -> Result<Decision<Fact, BookingView>, Refusal> {
        let digest = digest(&request)?;
        if let Some(known) = self.get(&request.key) {
            if known.order_id != request.order_id || known.digest.as_ref().is_some_and(|seen| *seen != digest) {
                return Err(Refusal::key_reused());
            }
            return Ok(Decision::known(match known.status {
                Status::Dispatched | Status::Delivered => known.view_as(|tracking| BookingView::Booked { tracking }),
                _ => known.view(),
            }));
        }
        let postal_code = request.address.postal_code.trim().to_ascii_uppercase();
        let asked = Asked { key: request.key, order_id: request.order_id, digest };
        Ok(if postal_code == SILENT {
            Decision::silence()
        } else if postal_code == UNDELIVERABLE || postal_code.starts_with('X') {
            reject(asked, RejectReason::UndeliverableAddress)
        } else if postal_code == VERBOSE {
            reject(asked, RejectReason::Verbose)
        } else {
            let tracking = match postal_code.as_str() {
                NUMBERLESS => String::new(),
                SAME_NUMBER => "TWSAME".to_owned(),
                _ => format!("TW{:09}", self.all.len() + 1),
            };
            let view = BookingView::Booked { tracking: tracking.clone() };
            Decision::new(Fact::Booked { asked, tracking }, view)
        })
    }

    /// Answers how a booking stands.
    pub(crate) fn lookup(&self, key: &str) -> Result<BookingView, Refusal> {
        self.known(key).map(Booking::view)
    }

    /// Makes sure that nothing is carried under `key`, unless it is already under way.
    pub(crate) fn cancel(&self, key: String, request: CancelRequest) -> Result<Decision<Fact, BookingView>, Refusal> {
        let CancelRequest { order_id } = request;
        match self.get(&key) {
            Some(known) if known.order_id != order_id => Err(Refusal::key_reused()),
            None | Some(Booking { status: Status::Booked, .. }) => {
                Ok(Decision::new(Fact::Cancelled { key, order_id }, BookingView::Cancelled))
            }
            Some(known) if known.status == Status::Delivered => {
                Ok(Decision::known(known.view_as(|tracking| BookingView::Dispatched { tracking })))
            }
            Some(known) => Ok(Decision::known(known.view())),
        }
    }

    /// Takes a booking on its way.
    pub(crate) fn dispatch(&self, key: String) -> Result<Decision<Fact, BookingView>, Refusal> {
        let known = self.known(&key)?;
        let view = known.view_as(|tracking| BookingView::Dispatched { tracking });
        match known.status {
            Status::Booked => Ok(Decision::new(Fact::Dispatched { key }, view)),
            Status::Dispatched | Status::Delivered => Ok(Decision::known(view)),
            Status::Cancelled => Err(Refusal::conflict("BOOKING_CANCELLED", "the booking was cancelled")),
            Status::Rejected(_) => Err(Refusal::conflict("BOOKING_REJECTED", "the booking was rejected")),
        }
    }

    /// Hands over what is on its way.
    pub(crate) fn deliver(&self, key: String) -> Result<Decision<Fact, BookingView>, Refusal> {
        let known = self.known(&key)?;
        let view = known.view_as(|tracking| BookingView::Delivered { tracking });
        match known.status {
            Status::Dispatched => Ok(Decision::new(Fact::Delivered { key }, view)),
            Status::Delivered => Ok(Decision::known(view)),
            Status::Booked | Status::Cancelled | Status::Rejected(_) => {
                Err(Refusal::conflict("NOT_DISPATCHED", "the booking was not dispatched"))
            }
        }
    }

    /// How all bookings stand, or only those of one order.
    pub(crate) fn statement(&self, order_id: Option<&str>) -> Statement {
        let bookings = self.all.iter().filter(|booking| order_id.is_none_or(|id| booking.order_id == id));
        Statement { bookings: bookings.map(Booking::line).collect() }
    }

    /// Takes a decided fact into the state; at replay too, so it must not refuse anything.
    pub(crate) fn apply(&mut self, fact: Fact, at: OffsetDateTime) {
        match fact {
            Fact::Booked { asked, tracking } => self.add(asked, Some(tracking), Status::Booked, at),
            Fact::Rejected { asked, reason } => self.add(asked, None, Status::Rejected(reason), at),
            Fact::Cancelled { key, order_id } => {
                if self.by_key.contains_key(&key) {
                    self.change(&key, Status::Cancelled, at);
                } else {
                    self.insert(Booking { key, order_id, digest: None, tracking: None, status: Status::Cancelled, at });
                }
            }
            Fact::Dispatched { key } => self.change(&key, Status::Dispatched, at),
            Fact::Delivered { key } => self.change(&key, Status::Delivered, at),
        }
    }

    fn add(&mut self, asked: Asked, tracking: Option<String>, status: Status, at: OffsetDateTime) {
        let Asked { key, order_id, digest } = asked;
        self.insert(Booking { key, order_id, digest: Some(digest), tracking, status, at });
    }

    fn insert(&mut self, booking: Booking) {
        self.by_key.insert(booking.key.clone(), self.all.len());
        self.all.push(booking);
    }

    fn change(&mut self, key: &str, status: Status, at: OffsetDateTime) {
        if let Some(booking) = self.by_key.get(key).and_then(|index| self.all.get_mut(*index)) {
            booking.status = status;
            booking.at = at;
        }
    }

    fn get(&self, key: &str) -> Option<&Booking> {
        self.by_key.get(key).and_then(|index| self.all.get(*index))
    }

    fn known(&self, key: &str) -> Result<&Booking, Refusal> {
        let unknown = || Refusal::not_found("BOOKING_NOT_FOUND", "no booking was seen under this key");
        self.get(key).ok_or_else(unknown)
    }
}

fn reject(asked: Asked, reason: RejectReason) -> Decision<Fact, BookingView> {
    Decision::new(Fact::Rejected { asked, reason }, BookingView::rejected(reason))
}
