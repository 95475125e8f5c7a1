use contracts::tradewind::shipping::v1::Shipment as Resource;
use tradewind_sql::timestamp;
use tradewind_store::Loaded;

use crate::domain::Shipment;

/// A shipment as the contract shows it.
pub(super) fn resource(Loaded { state, updated, .. }: Loaded<Shipment>) -> Resource {
    let Shipment { order_id, status, items, tracking, rejection_reason, .. } = state;
    let update_time = Some(timestamp(updated));
    Resource { order_id, status: status.into(), items, tracking, rejection_reason, update_time }
}
