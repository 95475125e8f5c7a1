//! What customers are told of: each message is written down with the intent to send it, in one transaction.

mod accounts;
mod forget;

use contracts::reactions;
use contracts::tradewind::notification::v1::NotificationKind;
use contracts::tradewind::ordering::v1::{OrderClosed, OrderConfirmed, OrderShipped};
use prost::Message;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_store::Tx;
use tradewind_work::{NewIntent, intend};

use crate::links::Links;
use crate::table;
use crate::texts::{self, Text};
use crate::webhooks::Offer;

/// The kind of all intents of this context.
pub(crate) const MAIL: &str = "mail";

/// Bytes of a message that are kept with the intent to send it; a longer one is read when it is sent.
const MOST_KEPT: usize = 16 * 1024;

/// What messages are about.
pub(crate) const KINDS: [NotificationKind; 9] = [
    NotificationKind::OrderConfirmed,
    NotificationKind::OrderCancelled,
    NotificationKind::OrderShipped,
    NotificationKind::Verification,
    NotificationKind::SignUpRepeated,
    NotificationKind::PasswordReset,
    NotificationKind::PasswordChanged,
    NotificationKind::EmailChange,
    NotificationKind::EmailChanged,
];

/// What follows the events of orders and accounts, and of what becomes of orders elsewhere: people are told, and programs by `offer`.
/// Messages say where documents are by `links`.
pub(crate) fn reactions(offer: &Offer, links: &Links) -> Reactions {
    let offer = || offer.clone();
    tradewind_runtime::reactions(reactions::Notification {
        tell_on_order_confirmed: TellOnOrderConfirmed(links.clone()),
        tell_on_order_closed: TellOnOrderClosed(links.clone()),
        tell_on_order_shipped,
        tell_on_verification_requested: accounts::tell_on_verification_requested,
        tell_on_sign_up_repeated: accounts::tell_on_sign_up_repeated,
        tell_on_password_reset_requested: accounts::tell_on_password_reset_requested,
        tell_on_password_changed: accounts::tell_on_password_changed,
        tell_on_email_change_requested: accounts::tell_on_email_change_requested,
        tell_on_email_changed: accounts::tell_on_email_changed,
        forget_on_order_erased: forget::forget_on_order_erased,
        forget_on_customer_erased: forget::forget_on_customer_erased,
        forget_on_confirmation_forgotten: forget::forget_on_confirmation_forgotten,
        offer_on_order_placed: offer(),
        offer_on_order_confirmed: offer(),
        offer_on_order_cancelled: offer(),
        offer_on_order_closed: offer(),
        offer_on_order_shipped: offer(),
        offer_on_order_delivered: offer(),
        offer_on_payment_captured: offer(),
        offer_on_payment_declined: offer(),
        offer_on_payment_refunded: offer(),
        offer_on_shipment_booked: offer(),
        offer_on_shipment_cleared: offer(),
        offer_on_shipment_dispatched: offer(),
        offer_on_shipment_delivered: offer(),
    })
}

/// Of all that is told of, orders are confirmed many at a time.
struct TellOnOrderConfirmed(Links);

impl Reaction<OrderConfirmed> for TellOnOrderConfirmed {
    const PREPARES: bool = true;

    async fn prepare(&self, tx: &mut Tx, events: &[Received<OrderConfirmed>]) -> Result<(), Error> {
        tx.prepare_to_seal(events.iter().map(|event| event.metadata.partition_key.as_str())).await?;
        table::look(tx, events.iter().map(|event| event.data.order_id.as_str())).await
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderConfirmed>) -> Result<(), Error> {
        let OrderConfirmed { order_id, recipient, .. } = &event.data;
        let address = recipient.as_ref().map(|recipient| recipient.email.as_str());
        let subject =
            Subject { whose: &event.metadata.partition_key, order_id, kind: NotificationKind::OrderConfirmed, address };
        tell(tx, subject, texts::confirmed(&event.data, self.0.invoice(order_id))).await
    }
}

struct TellOnOrderClosed(Links);

impl Reaction<OrderClosed> for TellOnOrderClosed {
    async fn react(&self, tx: &mut Tx, event: &Received<OrderClosed>) -> Result<(), Error> {
        let OrderClosed { order_id, recipient, .. } = &event.data;
        let address = recipient.as_ref().map(|recipient| recipient.email.as_str());
        let subject =
            Subject { whose: &event.metadata.partition_key, order_id, kind: NotificationKind::OrderCancelled, address };
        tell(tx, subject, texts::cancelled(&event.data, self.0.credit_note(order_id))).await
    }
}

async fn tell_on_order_shipped(tx: &mut Tx, event: &Received<OrderShipped>) -> Result<(), Error> {
    let OrderShipped { order_id, recipient, .. } = &event.data;
    let address = recipient.as_ref().map(|recipient| recipient.email.as_str());
    let subject =
        Subject { whose: &event.metadata.partition_key, order_id, kind: NotificationKind::OrderShipped, address };
    tell(tx, subject, texts::shipped(&event.data)).await
}

/// What a message is about and who gets it.
struct Subject<'a> {
    /// Under whose key it is kept: the order's; of a message about an account, the customer's, or of one with a code, its own.
    whose: &'a str,
    /// The order, or what names a message about an account.
    order_id: &'a str,
    kind: NotificationKind,
    address: Option<&'a str>,
}

/// Writes a message down once, with the intent to send it.
async fn tell(tx: &mut Tx, about: Subject<'_>, text: Text) -> Result<(), Error> {
    let Subject { whose, order_id, kind, address } = about;
    let address = address.unwrap_or_default();
    if address.is_empty() {
        tracing::warn!(order_id, kind = kind.as_str_name(), "there is nobody to tell");
        return Ok(());
    }
    if let Some(written) = table::write(tx, whose, order_id, kind, address, &text).await? {
        let (key, action) = (key(order_id, kind), "send".to_owned());
        let payload = if written.encoded_len() <= MOST_KEPT { written.encode_to_vec() } else { Vec::new() };
        let subject = whose.to_owned();
        intend(tx, NewIntent { kind: MAIL, key, action, payload, subject });
    }
    Ok(())
}

/// The key of the intent to send a message, `<order>/<kind>`.
pub(crate) fn key(order_id: &str, kind: NotificationKind) -> String {
    format!("{order_id}/{}", name(kind))
}

/// The message that a key stands for.
pub(crate) fn of_key(key: &str) -> Option<(&str, NotificationKind)> {
    let (order_id, kind) = key.rsplit_once('/')?;
    Some((order_id, KINDS.into_iter().find(|known| name(*known) == kind)?))
}

/// Part of keys that are in databases and at the mail system: not to be changed.
pub(crate) const fn name(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::OrderConfirmed => "confirmed",
        NotificationKind::OrderCancelled => "cancelled",
        NotificationKind::OrderShipped => "shipped",
        NotificationKind::Verification => "verification",
        NotificationKind::SignUpRepeated => "sign_up_repeated",
        NotificationKind::PasswordReset => "password_reset",
        NotificationKind::PasswordChanged => "password_changed",
        NotificationKind::EmailChange => "email_change",
        NotificationKind::EmailChanged => "email_changed",
        NotificationKind::Unspecified => "unspecified",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_which_message_it_is() {
        for kind in KINDS {
            assert_eq!(of_key(&key("o-1", kind)), Some(("o-1", kind)));
        }
        assert_eq!((of_key("o-1"), of_key("o-1/lost")), (None, None));
    }
}
