use contracts::tradewind::ordering::v1::OrderCancellationRequested;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;

use super::intents::execute;
use crate::domain::Command;

/// Decides whether a confirmed order can still be cancelled: it cannot once the parcel has left.
pub(super) async fn answer_on_order_cancellation_requested(
    tx: &mut Tx,
    event: &Received<OrderCancellationRequested>,
) -> Result<(), Error> {
    execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
}
