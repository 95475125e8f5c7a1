//! Forgetting somebody: the key is destroyed under which what was written to them lies, and what still waits to be sent is dropped.

use contracts::tradewind::identity::v1::{ConfirmationForgotten, CustomerErased};
use contracts::tradewind::ordering::v1::OrderErased;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;
use tradewind_work::withdraw;

use super::{KINDS, MAIL, key, name};
use crate::settled::Settled;
use crate::table;

pub(super) async fn forget_on_order_erased(tx: &mut Tx, event: &Received<OrderErased>) -> Result<(), Error> {
    forget(tx, &event.data.order_id).await
}

pub(super) async fn forget_on_confirmation_forgotten(
    tx: &mut Tx,
    event: &Received<ConfirmationForgotten>,
) -> Result<(), Error> {
    forget(tx, &event.data.message_id).await
}

/// What an account's owner was told lies under the account's key, in rows that do not name the account: whatever of it is not sent
/// yet is dropped when it is to be sent. Nothing of it lies there without a seal once it is sent or given up.
pub(super) async fn forget_on_customer_erased(tx: &mut Tx, event: &Received<CustomerErased>) -> Result<(), Error> {
    tx.erase(&event.data.customer_id).await.map(drop)
}

/// Forgets whom messages about an order went to, or one with a code.
async fn forget(tx: &mut Tx, about: &str) -> Result<(), Error> {
    tx.erase(about).await?;
    for kind in KINDS {
        if withdraw(tx, MAIL, &key(about, kind)).await? {
            let about = about.to_owned();
            tx.after(move || Settled::Dropped.tell(&about, name(kind), 0));
        }
    }
    table::clear(tx.conn(), about).await
}
