//! The one place where a shipment's events become calls that are owed to the carrier.
//!
//! A shipment has at most one intent, and its action is always the last thing the carrier has to hear. Writing the next
//! one replaces the one before, whose outcome is then dropped, also where its call is under way: a cancellation replaces
//! an open booking, and a delivery replaces a dispatch that the carrier has not heard of, so it makes both calls.

use contracts::tradewind::shipping::v1::ShipmentRequested;
use prost::Message;
use tradewind_domain::Error;
use tradewind_store::Tx;
use tradewind_work::{NewIntent, intend};

use super::Booking;
use crate::domain::{Command, Shipment, ShipmentEvent};

/// The kind of all intents of this context.
pub(super) const CARRIER: &str = "carrier";

const BOOK: &str = "book";
const CANCEL: &str = "cancel";
const DISPATCH: &str = "dispatch";
const DELIVER: &str = "deliver";

/// A call that is owed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Owed {
    Book(Booking),
    Cancel,
    Dispatch,
    Deliver,
}

impl Owed {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Book(_) => BOOK,
            Self::Cancel => CANCEL,
            Self::Dispatch => DISPATCH,
            Self::Deliver => DELIVER,
        }
    }
}

/// Lets the order's shipment decide on `command`, writes the intent that its events ask for in the same transaction, and
/// returns the events.
///
/// # Errors
/// The shipment's refusal, or the database's.
pub(super) async fn execute(tx: &mut Tx, order_id: &str, command: Command) -> Result<Vec<ShipmentEvent>, Error> {
    let executed = tx.execute::<Shipment>(order_id, command).await?;
    for event in &executed.events {
        if let Some(intent) = intent_of(order_id, event) {
            intend(tx, intent);
        }
    }
    Ok(executed.events)
}

/// The intent that an event asks for. Only a booking needs to know more than the order.
#[must_use]
pub fn intent_of(order_id: &str, event: &ShipmentEvent) -> Option<NewIntent> {
    let (action, payload) = match event {
        ShipmentEvent::Requested(event) => (BOOK, event.encode_to_vec()),
        ShipmentEvent::CancellationRequested(_) => (CANCEL, Vec::new()),
        ShipmentEvent::Dispatched(_) => (DISPATCH, Vec::new()),
        ShipmentEvent::Delivered(_) => (DELIVER, Vec::new()),
        ShipmentEvent::Booked(_)
        | ShipmentEvent::Rejected(_)
        | ShipmentEvent::Cleared(_)
        | ShipmentEvent::Cancelled(_)
        | ShipmentEvent::CancellationRefused(_) => return None,
    };
    let (key, subject) = (order_id.to_owned(), order_id.to_owned());
    Some(NewIntent { kind: CARRIER, key, action: action.to_owned(), payload, subject })
}

/// The call that an intent stands for.
///
/// # Errors
/// `Internal` for what [`execute`] has never written.
pub(crate) fn owed(action: &str, payload: &[u8]) -> Result<Owed, Error> {
    match action {
        BOOK => {
            let ShipmentRequested { order_id, recipient, items } =
                ShipmentRequested::decode(payload).map_err(Error::internal)?;
            let recipient = recipient.ok_or_else(|| Error::internal("a booking without a recipient"))?;
            Ok(Owed::Book(Booking { order_id, recipient, items }))
        }
        CANCEL => Ok(Owed::Cancel),
        DISPATCH => Ok(Owed::Dispatch),
        DELIVER => Ok(Owed::Deliver),
        unknown => Err(Error::internal(format!("no call is named {unknown}"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use contracts::tradewind::{
        ordering::v1::Recipient,
        shipping::v1::{
            ParcelItem, ShipmentBooked, ShipmentCancellationRequested, ShipmentDelivered, ShipmentDispatched,
        },
    };

    use super::*;

    fn owed_after(event: impl Into<ShipmentEvent>) -> Option<Owed> {
        intent_of("o", &event.into()).map(|intent| {
            assert_eq!((intent.kind, intent.key.as_str()), (CARRIER, "o"));
            owed(&intent.action, &intent.payload).unwrap()
        })
    }

    #[test]
    fn each_request_becomes_its_call() {
        let order_id = "o".to_owned();
        let recipient = Recipient { name: "A. Customer".to_owned(), ..Recipient::default() };
        let items = vec![ParcelItem { sku: "S".to_owned(), quantity: 2 }];
        let booking = Booking { order_id: order_id.clone(), recipient: recipient.clone(), items: items.clone() };
        let requested = ShipmentRequested { order_id, recipient: Some(recipient), items };
        assert_eq!(owed_after(requested), Some(Owed::Book(booking)));
        assert_eq!(owed_after(ShipmentCancellationRequested::default()), Some(Owed::Cancel));
        assert_eq!(owed_after(ShipmentDispatched::default()), Some(Owed::Dispatch));
        assert_eq!(owed_after(ShipmentDelivered::default()), Some(Owed::Deliver));
        assert_eq!(owed_after(ShipmentBooked::default()), None);
    }

    #[test]
    fn what_was_never_written_is_a_defect() {
        assert!(owed("lose", &[]).is_err());
        assert!(owed(BOOK, &[0xff]).is_err());
        assert!(owed(BOOK, &[]).is_err(), "no recipient");
    }
}
