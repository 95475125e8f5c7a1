use contracts::tradewind::shipping::v1::{
    ShipmentBooked, ShipmentCancellationRefused, ShipmentCancellationRequested, ShipmentCancelled, ShipmentCleared,
    ShipmentDelivered, ShipmentDispatched, ShipmentRejected, ShipmentRequested,
};

tradewind_domain::events! {
    /// What can happen to a shipment.
    pub enum ShipmentEvent {
        Requested(ShipmentRequested),
        Booked(ShipmentBooked),
        Rejected(ShipmentRejected),
        Cleared(ShipmentCleared),
        CancellationRequested(ShipmentCancellationRequested),
        Cancelled(ShipmentCancelled),
        CancellationRefused(ShipmentCancellationRefused),
        Dispatched(ShipmentDispatched),
        Delivered(ShipmentDelivered),
    }
}
