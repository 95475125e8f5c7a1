use contracts::tradewind::shipping::v1::{
    ShipmentBooked, ShipmentCancellationRefused, ShipmentCancelled, ShipmentDelivered, ShipmentDispatched,
    ShipmentRejected,
};

use super::{Command, Reply};

impl Reply for ShipmentBooked {
    const REACTION: &'static str = "confirm_on_shipment_booked";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::ConfirmShipment { tracking: self.tracking.clone() })
    }
}

impl Reply for ShipmentRejected {
    const REACTION: &'static str = "cancel_on_shipment_rejected";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RejectShipment { reason: self.reason.clone() })
    }
}

impl Reply for ShipmentCancelled {
    const REACTION: &'static str = "cancel_on_shipment_cancelled";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RecordShipmentCancelled)
    }
}

impl Reply for ShipmentCancellationRefused {
    const REACTION: &'static str = "keep_on_shipment_cancellation_refused";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RefuseCancellation)
    }
}

impl Reply for ShipmentDispatched {
    const REACTION: &'static str = "ship_on_shipment_dispatched";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::Ship { tracking: self.tracking.clone() })
    }
}

impl Reply for ShipmentDelivered {
    const REACTION: &'static str = "deliver_on_shipment_delivered";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::Deliver)
    }
}
