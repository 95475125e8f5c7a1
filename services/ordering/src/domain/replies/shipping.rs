use contracts::tradewind::shipping::v1::{
    ShipmentBooked, ShipmentCancellationRefused, ShipmentCancelled, ShipmentDelivered, ShipmentDispatched,
    ShipmentRejected,
};

use super::{Command, Reply};

impl Reply for ShipmentBooked {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::ConfirmShipment { tracking: self.tracking.clone() })
    }
}

impl Reply for ShipmentRejected {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RejectShipment { reason: self.reason.clone() })
    }
}

impl Reply for ShipmentCancelled {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RecordShipmentCancelled)
    }
}

impl Reply for ShipmentCancellationRefused {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RefuseCancellation)
    }
}

impl Reply for ShipmentDispatched {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::Ship { tracking: self.tracking.clone() })
    }
}

impl Reply for ShipmentDelivered {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::Deliver)
    }
}
