//! What a killed process has begun is ended by the next one, and only once.

use contracts::tradewind::shipping::v1::ShipmentStatus;
use serde_json::json;
use tradewind_testing::{Database, block_on};

use crate::shop::Shop;

/// The carrier decides, but no answer arrives before the process dies.
#[test]
fn a_process_killed_between_booking_and_record_has_booked_once() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        let first = shop.start_mortal().await;
        shop.carrier.disturb(json!({ "lost_answer_rate": 1.0 })).await;
        let (kept, cancelled) = (shop.order().await, shop.order().await);
        shop.carrier_shows(&kept, "booked").await;
        shop.carrier_shows(&cancelled, "booked").await;
        first.kill();
        shop.cancel(&cancelled).await;
        shop.carrier.calm().await;

        let operator = shop.start().await;
        operator.sees(&kept, ShipmentStatus::Booked).await;
        operator.sees(&cancelled, ShipmentStatus::Cancelled).await;
        shop.carrier_shows(&kept, "booked").await;
        shop.carrier_shows(&cancelled, "cancelled").await;
    });
}
