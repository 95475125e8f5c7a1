//! What a killed process has begun is ended by the next one, and only once.

use contracts::tradewind::shipping::v1::ShipmentStatus;
use serde_json::json;
use tradewind_testing::{Database, block_on};

use crate::surroundings::Surroundings;

/// The carrier decides, but no answer arrives before the process dies.
#[test]
fn a_process_killed_between_booking_and_record_has_booked_once() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let first = around.start_mortal().await;
        around.carrier.disturb(json!({ "lost_answer_rate": 1.0 })).await;
        let (kept, cancelled) = (around.order().await, around.order().await);
        around.carrier_shows(&kept, "booked").await;
        around.carrier_shows(&cancelled, "booked").await;
        first.kill();
        around.cancel(&cancelled).await;
        around.carrier.calm().await;

        let operator = around.start().await;
        operator.sees(&kept, ShipmentStatus::Booked).await;
        operator.sees(&cancelled, ShipmentStatus::Cancelled).await;
        around.carrier_shows(&kept, "booked").await;
        around.carrier_shows(&cancelled, "cancelled").await;
    });
}
