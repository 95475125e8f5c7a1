use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_store::Tx;
use tradewind_work::TimerHandler;

use super::decide;
use crate::domain::Command;

/// Cancels an order that is not confirmed when its deadline passes; for any other order it does nothing, which costs
/// less than taking back the timer of every order that is confirmed.
pub(crate) struct ExpireOnDeadline;

impl TimerHandler for ExpireOnDeadline {
    const NAME: &'static str = "order_deadline";

    async fn fire(&self, tx: &mut Tx, key: &str, _payload: &[u8]) -> Result<(), Error> {
        decide::execute(tx, key, Command::Expire).await
    }
}

/// Sets the deadline of an order.
pub(super) fn schedule(tx: &mut Tx, order_id: &str, deadline: OffsetDateTime) {
    tradewind_work::schedule(tx, ExpireOnDeadline::NAME, order_id, deadline, Vec::new());
}
