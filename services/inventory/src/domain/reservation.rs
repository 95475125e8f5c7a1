//! What is set aside for one order, from the first answer to its end.

use contracts::tradewind::inventory::v1::{
    Allocation, Reservation as Message, ReservationStatus as Status, StockRejected, StockReleased, StockReserved,
    StockShipped,
};
use contracts::tradewind::ordering::v1::ShortLine;
use tradewind_domain::{Aggregate, DomainError, ErrorKind};

tradewind_domain::events! {
    /// What can happen to a reservation.
    pub enum ReservationEvent {
        Reserved(StockReserved),
        Rejected(StockRejected),
        Released(StockReleased),
        Shipped(StockShipped),
    }
}

/// What can be asked of a reservation.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Sets these units aside for the order.
    Reserve {
        /// The order.
        order_id: String,
        /// Units that cover every line.
        allocations: Vec<Allocation>,
    },
    /// Refuses the order.
    Reject {
        /// The order.
        order_id: String,
        /// Every line that is short.
        short_lines: Vec<ShortLine>,
        /// Why, where no line is short.
        reason: String,
    },
    /// Gives back what is set aside, and sets nothing aside from now on.
    Release {
        /// The order.
        order_id: String,
    },
    /// Books out what is set aside.
    Ship,
}

/// Why a reservation can refuse. Each means that the order's history contradicts itself, so none passes by waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReservationError {
    /// Shipped after the units were given back.
    #[error("the units were released; they cannot be shipped for this order")]
    ContradictsRelease,
    /// Released after the units left.
    #[error("the units have left; they cannot be released")]
    ContradictsShipment,
    /// Shipped although nothing could be set aside.
    #[error("the order was rejected; there is nothing to ship")]
    ContradictsRejection,
    /// Shipped although the order never asked for units.
    #[error("nothing was ever reserved for the order")]
    NothingReserved,
}

impl DomainError for ReservationError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Rejected
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::ContradictsRelease => "CONTRADICTS_RELEASE",
            Self::ContradictsShipment => "CONTRADICTS_SHIPMENT",
            Self::ContradictsRejection => "CONTRADICTS_REJECTION",
            Self::NothingReserved => "NOTHING_RESERVED",
        }
    }
}

/// What is, or was, set aside for one order; its id is the order's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reservation {
    order_id: String,
    status: Status,
    allocations: Vec<Allocation>,
    short_lines: Vec<ShortLine>,
}

impl Reservation {
    fn released(&self) -> ReservationEvent {
        StockReleased { order_id: self.order_id.clone(), allocations: self.allocations.clone() }.into()
    }

    fn shipped(&self) -> ReservationEvent {
        StockShipped { order_id: self.order_id.clone(), allocations: self.allocations.clone() }.into()
    }
}

impl From<&Reservation> for Message {
    fn from(reservation: &Reservation) -> Self {
        let Reservation { order_id, status, allocations, short_lines } = reservation.clone();
        Self { order_id, status: status.into(), allocations, short_lines }
    }
}

impl Aggregate for Reservation {
    const NAME: &'static str = "reservation";
    type Command = Command;
    type Event = ReservationEvent;
    type Error = ReservationError;

    fn decide(&self, command: Command) -> Result<Vec<ReservationEvent>, ReservationError> {
        match (command, self.status) {
            (Command::Reserve { order_id, allocations }, Status::Unspecified) => {
                Ok(vec![StockReserved { order_id, allocations }.into()])
            }
            (Command::Reject { order_id, short_lines, reason }, Status::Unspecified) => {
                Ok(vec![StockRejected { order_id, short_lines, reason }.into()])
            }
            (Command::Reserve { .. } | Command::Reject { .. }, _) => Ok(Vec::new()),

            (Command::Release { .. }, Status::Reserved) => Ok(vec![self.released()]),
            // Remembered, so that the order which is still to come is refused.
            (Command::Release { order_id }, Status::Unspecified) => {
                Ok(vec![StockReleased { order_id, allocations: Vec::new() }.into()])
            }
            (Command::Release { .. }, Status::Shipped) => Err(ReservationError::ContradictsShipment),
            (Command::Release { .. }, Status::Rejected | Status::Released) => Ok(Vec::new()),

            (Command::Ship, Status::Reserved) => Ok(vec![self.shipped()]),
            (Command::Ship, Status::Shipped) => Ok(Vec::new()),
            (Command::Ship, Status::Released) => Err(ReservationError::ContradictsRelease),
            (Command::Ship, Status::Rejected) => Err(ReservationError::ContradictsRejection),
            (Command::Ship, Status::Unspecified) => Err(ReservationError::NothingReserved),
        }
    }

    fn evolve(&mut self, event: &ReservationEvent) {
        match event {
            ReservationEvent::Reserved(reserved) => {
                self.order_id.clone_from(&reserved.order_id);
                self.allocations.clone_from(&reserved.allocations);
                self.status = Status::Reserved;
            }
            ReservationEvent::Rejected(rejected) => {
                self.order_id.clone_from(&rejected.order_id);
                self.short_lines.clone_from(&rejected.short_lines);
                self.status = Status::Rejected;
            }
            ReservationEvent::Released(released) => {
                self.order_id.clone_from(&released.order_id);
                self.status = Status::Released;
            }
            ReservationEvent::Shipped(_) => self.status = Status::Shipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_testing::scenario::given;

    const ORDER: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

    fn units() -> Vec<Allocation> {
        let taken = |location: &str, quantity| Allocation { sku: "TEA".into(), location: location.into(), quantity };
        vec![taken("hull", 2), taken("york", 1)]
    }

    fn short() -> Vec<ShortLine> {
        vec![ShortLine { sku: "TEA".into(), requested: 3, available: 1 }]
    }

    fn reserve() -> Command {
        Command::Reserve { order_id: ORDER.into(), allocations: units() }
    }

    fn reject() -> Command {
        Command::Reject { order_id: ORDER.into(), short_lines: short(), reason: String::new() }
    }

    fn release() -> Command {
        Command::Release { order_id: ORDER.into() }
    }

    fn reserved() -> ReservationEvent {
        StockReserved { order_id: ORDER.into(), allocations: units() }.into()
    }

    fn rejected() -> ReservationEvent {
        StockRejected { order_id: ORDER.into(), short_lines: short(), reason: String::new() }.into()
    }

    fn released() -> ReservationEvent {
        StockReleased { order_id: ORDER.into(), allocations: units() }.into()
    }

    fn shipped() -> ReservationEvent {
        StockShipped { order_id: ORDER.into(), allocations: units() }.into()
    }

    #[test]
    fn an_order_is_answered_once() {
        given::<Reservation>([]).when(reserve()).then([reserved()]).when(reserve()).then([]).when(reject()).then([]);
        given::<Reservation>([]).when(reject()).then([rejected()]).when(reserve()).then([]);
    }

    #[test]
    fn what_is_released_is_what_was_reserved_and_only_once() {
        given::<Reservation>([reserved()]).when(release()).then([released()]).when(release()).then([]);
    }

    #[test]
    fn what_leaves_is_what_was_reserved_and_only_once() {
        given::<Reservation>([reserved()]).when(Command::Ship).then([shipped()]).when(Command::Ship).then([]);
    }

    #[test]
    fn a_rejected_order_has_nothing_to_release() {
        given::<Reservation>([rejected()]).when(release()).then([]);
    }

    #[test]
    fn a_release_that_comes_first_is_answered_and_the_order_that_comes_late_gets_nothing() {
        let nothing = StockReleased { order_id: ORDER.into(), allocations: vec![] };
        let first = given::<Reservation>([]).when(release()).then([nothing.into()]);
        first.when(reserve()).then([]).when(reject()).then([]).when(release()).then([]);
    }

    #[test]
    fn a_history_that_contradicts_itself_is_refused() {
        let refused = |events: Vec<ReservationEvent>, command, reason| {
            given::<Reservation>(events).when(command).then_refused(reason);
        };
        refused(vec![reserved(), released()], Command::Ship, "CONTRADICTS_RELEASE");
        refused(vec![reserved(), shipped()], release(), "CONTRADICTS_SHIPMENT");
        refused(vec![rejected()], Command::Ship, "CONTRADICTS_REJECTION");
        refused(vec![], Command::Ship, "NOTHING_RESERVED");
    }

    #[test]
    fn what_releases_have_written_is_folded() {
        let golden = include_str!("../../../../released/golden.txt");
        assert!(tradewind_testing::fold_released::<Reservation>(golden) > 0);
    }
}
