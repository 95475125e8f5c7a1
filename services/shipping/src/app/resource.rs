use contracts::tradewind::shipping::v1::Shipment as Resource;
use time::OffsetDateTime;
use tradewind_sql::timestamp;

use crate::domain::Shipment;

/// A shipment that last changed at `updated`, as the contract shows it.
pub(super) fn resource(shipment: Shipment, updated: OffsetDateTime) -> Resource {
    let Shipment { order_id, status, items, tracking, rejection_reason, .. } = shipment;
    let update_time = Some(timestamp(updated));
    Resource { order_id, status: status.into(), items, tracking, rejection_reason, update_time }
}
