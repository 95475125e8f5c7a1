use contracts::tradewind::ordering::v1::OrderErased;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;

/// Destroys the key under which lies what is kept here of its card.
pub(super) async fn forget_on_order_erased(tx: &mut Tx, event: &Received<OrderErased>) -> Result<(), Error> {
    tx.erase(&event.data.order_id).await.map(drop)
}
