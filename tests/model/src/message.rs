//! What the contexts tell each other, and what each of them makes of it. Every mapping is the services' own.

use std::fmt;

use contracts::tradewind::ordering::v1::OrderPlaced;
use inventory::domain::{Demand, Level, ReservationEvent};
use ordering::domain::{OrderEvent, Reply};
use payment::domain::PaymentEvent;
use shipping::domain::ShipmentEvent;
use tradewind_domain::{Error, EventSet};

use crate::order;

/// The contexts that settle an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// The order itself.
    Ordering,
    /// Its reservation, and the stock.
    Inventory,
    /// Its payment.
    Payment,
    /// Its shipment.
    Shipping,
}

/// An event as others hear it.
#[derive(Clone, Debug)]
pub enum Message {
    /// Of the order.
    Ordering(OrderEvent),
    /// Of its reservation.
    Inventory(ReservationEvent),
    /// Of its payment.
    Payment(PaymentEvent),
    /// Of its shipment.
    Shipping(ShipmentEvent),
}

/// What one of the aggregates is asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Order(ordering::domain::Command),
    Reservation(inventory::domain::Command),
    Payment(payment::domain::Command),
    Shipment(shipping::domain::Command),
}

impl Message {
    /// The event's full protobuf name.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::Ordering(event) => event.type_name(),
            Self::Inventory(event) => event.type_name(),
            Self::Payment(event) => event.type_name(),
            Self::Shipping(event) => event.type_name(),
        }
    }

    /// Who tells it.
    #[must_use]
    pub const fn owner(&self) -> Context {
        match self {
            Self::Ordering(_) => Context::Ordering,
            Self::Inventory(_) => Context::Inventory,
            Self::Payment(_) => Context::Payment,
            Self::Shipping(_) => Context::Shipping,
        }
    }

    /// Tells whether `reader` does anything about it; what nobody hears need not be told.
    #[must_use]
    pub fn is_heard_by(&self, reader: Context) -> bool {
        self.ask(reader, 0).transpose().is_some()
    }

    /// What `reader` makes of it, while that many units are available.
    pub(crate) fn ask(&self, reader: Context, available: i64) -> Result<Option<Command>, Error> {
        let command = match reader {
            Context::Ordering => self.ask_order().map(Command::Order),
            Context::Inventory => self.ask_reservation(available)?.map(Command::Reservation),
            Context::Payment => self.ask_payment()?.map(Command::Payment),
            Context::Shipping => self.ask_shipment().map(Command::Shipment),
        };
        Ok(command)
    }

    fn ask_order(&self) -> Option<ordering::domain::Command> {
        let (_, command) = match self {
            Self::Inventory(ReservationEvent::Reserved(event)) => event.heard(),
            Self::Inventory(ReservationEvent::Rejected(event)) => event.heard(),
            Self::Inventory(ReservationEvent::Released(event)) => event.heard(),
            Self::Payment(PaymentEvent::Captured(event)) => event.heard(),
            Self::Payment(PaymentEvent::Declined(event)) => event.heard(),
            Self::Payment(PaymentEvent::Voided(event)) => event.heard(),
            Self::Payment(PaymentEvent::Refunded(event)) => event.heard(),
            Self::Shipping(ShipmentEvent::Booked(event)) => event.heard(),
            Self::Shipping(ShipmentEvent::Rejected(event)) => event.heard(),
            Self::Shipping(ShipmentEvent::Cancelled(event)) => event.heard(),
            Self::Shipping(ShipmentEvent::CancellationRefused(event)) => event.heard(),
            Self::Shipping(ShipmentEvent::Dispatched(event)) => event.heard(),
            Self::Shipping(ShipmentEvent::Delivered(event)) => event.heard(),
            _ => return None,
        };
        Some(command)
    }

    fn ask_reservation(&self, available: i64) -> Result<Option<inventory::domain::Command>, Error> {
        Ok(match self {
            Self::Ordering(OrderEvent::Placed(event)) => Some(reserve(event, available)?),
            Self::Ordering(OrderEvent::Cancelled(event)) => Some(event.into()),
            Self::Ordering(OrderEvent::Shipped(event)) => Some(event.into()),
            _ => None,
        })
    }

    fn ask_payment(&self) -> Result<Option<payment::domain::Command>, Error> {
        Ok(match self {
            Self::Ordering(OrderEvent::StockConfirmed(event)) => Some(event.try_into()?),
            Self::Ordering(OrderEvent::Cancelled(event)) => Some(event.into()),
            _ => None,
        })
    }

    fn ask_shipment(&self) -> Option<shipping::domain::Command> {
        match self {
            Self::Ordering(OrderEvent::Paid(event)) => Some(event.into()),
            Self::Ordering(OrderEvent::Confirmed(event)) => Some(event.into()),
            Self::Ordering(OrderEvent::CancellationRequested(event)) => Some(event.into()),
            Self::Ordering(OrderEvent::Cancelled(event)) => Some(event.into()),
            _ => None,
        }
    }
}

fn reserve(event: &OrderPlaced, available: i64) -> Result<inventory::domain::Command, Error> {
    let level = Level { sku: order::SKU.to_owned(), location: "main".to_owned(), available };
    Ok(Demand::of(&event.lines)?.plan(&[level]).answer(&event.order_id))
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.type_name();
        f.write_str(name.rsplit('.').next().unwrap_or_default())
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ordering => "ordering",
            Self::Inventory => "inventory",
            Self::Payment => "payment",
            Self::Shipping => "shipping",
        })
    }
}
