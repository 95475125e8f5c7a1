use contracts::tradewind::identity::v1::CustomerErased;
use time::Duration;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_projections::read;
use tradewind_store::{Store, Tx};
use tradewind_work::TimerHandler;

use super::decide;
use super::list_orders::ORDER_LIST;
use crate::domain::{Command, Order};
use crate::store::order_list;

/// Orders that are forgotten in one transaction.
const TOGETHER: u64 = 32;
/// When it is looked again where an order is not over yet.
const LATER: Duration = Duration::minutes(10);
/// When it is looked again for what the list did not have yet.
const AGAIN: Duration = Duration::minutes(1);

/// Forgets who receives a customer's orders, a few at a time: those that are over. It goes over all of them until none is left, and
/// once more a minute later, for an order may have been placed meanwhile.
pub(crate) struct EraseCustomer(pub(crate) Store);

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Progress {
    /// All orders were gone over before.
    again: bool,
    /// Some order of this round is not over yet.
    waits: bool,
    /// The last order of this round that was looked at.
    after: String,
}

impl Progress {
    fn of(payload: &[u8]) -> Self {
        let flags = payload.first().copied().unwrap_or_default();
        let after = String::from_utf8_lossy(payload.get(1..).unwrap_or_default()).into_owned();
        Self { again: flags & 1 != 0, waits: flags & 2 != 0, after }
    }

    fn bytes(&self) -> Vec<u8> {
        let flags = u8::from(self.again) | u8::from(self.waits) << 1;
        [&[flags], self.after.as_bytes()].concat()
    }

    /// What follows when all orders were gone over, and when; `None` where nothing is left to do.
    fn next_round(self) -> Option<(Duration, Self)> {
        let next = Self { again: true, ..Self::default() };
        match (self.waits, self.again) {
            (true, _) => Some((LATER, next)),
            (false, false) => Some((AGAIN, next)),
            (false, true) => None,
        }
    }
}

impl TimerHandler for EraseCustomer {
    const NAME: &'static str = "customer_erasure";

    async fn fire(&self, tx: &mut Tx, customer_id: &str, payload: &[u8]) -> Result<(), Error> {
        let mut progress = Progress::of(payload);
        let slot = read(&self.0, ORDER_LIST).await?;
        let orders = order_list::ids(tx.conn(), slot, customer_id, &progress.after, TOGETHER).await?;
        let mut erased = 0;
        for order_id in &orders {
            if tx.load::<Order>(order_id).await?.state.is_over() {
                decide::execute(tx, order_id, Command::Erase).await?;
                erased += usize::from(tx.erase(order_id).await?);
            } else {
                progress.waits = true;
            }
        }
        let (wait, next) = match orders.last() {
            Some(last) => (Duration::ZERO, Progress { after: last.clone(), ..progress }),
            None => match progress.next_round() {
                Some(next) => next,
                None => {
                    tx.after(|| tracing::info!("a customer's orders are all forgotten"));
                    return Ok(());
                }
            },
        };
        let due = tx.now() + wait;
        tradewind_work::schedule(tx, Self::NAME, customer_id, due, next.bytes());
        tx.after(move || tracing::info!(erased, waits = next.waits, "orders of a customer are forgotten"));
        Ok(())
    }
}

/// Has a customer's orders forgotten.
///
/// # Errors
/// `Unavailable` when the database is.
pub(crate) async fn erase_customer(store: &Store, customer_id: &str) -> Result<(), Error> {
    let begin = async |tx: &mut Tx| {
        forget(tx, customer_id);
        Ok(())
    };
    store.transact(begin).await.map(drop)
}

/// Has the orders forgotten of somebody who has no account any more.
pub(super) async fn forget_on_customer_erased(tx: &mut Tx, event: &Received<CustomerErased>) -> Result<(), Error> {
    forget(tx, &event.data.customer_id);
    Ok(())
}

fn forget(tx: &mut Tx, customer_id: &str) {
    let now = tx.now();
    tradewind_work::schedule(tx, EraseCustomer::NAME, customer_id, now, Progress::default().bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_is_read_as_it_was_written() {
        for progress in [
            Progress::default(),
            Progress { again: true, waits: true, after: "0190".to_owned() },
            Progress { waits: true, ..Progress::default() },
        ] {
            assert_eq!(Progress::of(&progress.bytes()), progress);
        }
        assert_eq!(Progress::of(&[]), Progress::default());
    }

    #[test]
    fn it_ends_when_a_second_round_has_found_nothing_that_waits() {
        let first = Progress::default();
        let (wait, second) = first.next_round().unwrap_or_default();
        assert_eq!((wait, second.clone().next_round()), (AGAIN, None));
        let (wait, third) = Progress { waits: true, ..second }.next_round().unwrap_or_default();
        assert_eq!((wait, third.next_round()), (LATER, None));
    }
}
