//! Bugs planted around the real rules, to show that the checker finds them. Without one, every command goes to the
//! service's own `decide`.

use std::fmt;

use clap::ValueEnum;
use contracts::tradewind::{
    inventory::v1::{Reservation as Reserved, ReservationStatus, StockReleased},
    money::v1::Money,
    ordering::v1::{OrderConfirmed, OrderStatus},
    payment::v1::PaymentStatus,
    shipping::v1::{ShipmentDispatched, ShipmentStatus},
};
use inventory::domain::Reservation;
use ordering::domain::Order;
use payment::domain::{Moved, Payment, PaymentEvent};
use shipping::domain::Shipment;
use tradewind_domain::{Aggregate, Error};
use tradewind_work::NewIntent;

use crate::{order, outside::CardRecord};

type Decision<A> = Result<Vec<<A as Aggregate>::Event>, Error>;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mutant {
    /// A charge that came before the void is recorded, and its refund forgotten.
    KeepsWhatAVoidFoundCaptured,
    /// Whatever was captured is taken for what was asked for.
    TrustsTheProvider,
    /// A reservation gives its units back as often as it is told to.
    ReleasesTwice,
    /// A parcel leaves as soon as it is booked.
    DispatchesWithoutConfirmation,
    /// A booking confirms the order although it is being cancelled.
    ConfirmsDespiteCancellation,
    /// Units that are set aside are set aside again.
    ReservesWhatIsReserved,
    /// Each attempt of a charge has a key of its own.
    ChargesUnderFreshKeys,
    /// Payment does not remember that an order was cancelled before it had heard of its charge.
    ForgetsWhatCameFirst,
}

impl Mutant {
    /// Tells whether it makes no difference while the outside does as it is asked.
    #[must_use]
    pub const fn needs_mistakes(self) -> bool {
        matches!(self, Self::TrustsTheProvider)
    }

    /// Tells whether it makes no difference while events come in their order.
    #[must_use]
    pub const fn needs_overtaking(self) -> bool {
        matches!(self, Self::ForgetsWhatCameFirst)
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_possible_value() {
            Some(value) => f.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}

pub(crate) fn order(mutant: Option<Mutant>, order: &Order, command: ordering::domain::Command) -> Decision<Order> {
    match command {
        ordering::domain::Command::ConfirmShipment { tracking }
            if mutant == Some(Mutant::ConfirmsDespiteCancellation) && order.status() == OrderStatus::Cancelling =>
        {
            Ok(vec![OrderConfirmed { order_id: order::ID.to_owned(), tracking, ..OrderConfirmed::default() }.into()])
        }
        command => Ok(order.decide(command)?),
    }
}

pub(crate) fn reservation(
    mutant: Option<Mutant>,
    reservation: &Reservation,
    command: inventory::domain::Command,
) -> Decision<Reservation> {
    let Reserved { order_id, status, allocations, .. } = reservation.into();
    match command {
        inventory::domain::Command::Release { .. }
            if mutant == Some(Mutant::ReleasesTwice) && status == i32::from(ReservationStatus::Released) =>
        {
            Ok(vec![StockReleased { order_id, allocations }.into()])
        }
        command => Ok(reservation.decide(command)?),
    }
}

pub(crate) fn payment(
    mutant: Option<Mutant>,
    payment: &Payment,
    command: payment::domain::Command,
) -> Decision<Payment> {
    let forgets = mutant == Some(Mutant::ForgetsWhatCameFirst) && payment.status() == PaymentStatus::Unspecified;
    if forgets && matches!(command, payment::domain::Command::GiveBack { .. }) {
        return Ok(Vec::new());
    }
    let command = match command {
        payment::domain::Command::RecordCaptured(moved) if mutant == Some(Mutant::TrustsTheProvider) => {
            let amount = Money { currency: order::CURRENCY.to_owned(), minor: order::PRICE };
            payment::domain::Command::RecordCaptured(Moved { amount, ..moved })
        }
        command => command,
    };
    let mut events = payment.decide(command)?;
    if mutant == Some(Mutant::KeepsWhatAVoidFoundCaptured) && payment.status() == PaymentStatus::Voiding {
        events.retain(|event| !matches!(event, PaymentEvent::RefundRequested(_)));
    }
    Ok(events)
}

pub(crate) fn shipment(
    mutant: Option<Mutant>,
    shipment: &Shipment,
    command: shipping::domain::Command,
) -> Decision<Shipment> {
    match command {
        shipping::domain::Command::Dispatch
            if mutant == Some(Mutant::DispatchesWithoutConfirmation) && shipment.status() == ShipmentStatus::Booked =>
        {
            let tracking = shipment.tracking().to_owned();
            Ok(vec![ShipmentDispatched { order_id: order::ID.to_owned(), tracking }.into()])
        }
        command => Ok(shipment.decide(command)?),
    }
}

/// What the card provider knows under the key of a request.
pub(crate) fn known(mutant: Option<Mutant>, record: CardRecord, intent: &NewIntent) -> CardRecord {
    match mutant {
        // Twice is once too often; no more is needed to see it.
        Some(Mutant::ChargesUnderFreshKeys) if intent.action == "charge" && record.captured <= order::PRICE => {
            CardRecord { charge: None, ..record }
        }
        _ => record,
    }
}
