//! Makes the kit's reactions out of what a context's contract declares: the contract's role of a reaction says what becomes of who
//! waits for it when an operator gives its event up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contracts::reactions::{REACTIONS, Reaction as Declared, Reacts, TakesOn};
use contracts::tradewind::options::v1::Role;
use prost::{Message, Name};
use tradewind_domain::Error;
use tradewind_events::{Forward, Reaction, Reactions};
use tradewind_projections::{Projection, Slot};

/// The reactions of one reader of a context, read by a consumer of its name. Each is a function that is called as the contract calls it:
///
/// ```
/// # use contracts::{reactions, tradewind::{identity::v1::*, ordering::v1::*, payment::v1::*, shipping::v1::*}};
/// # use tradewind_domain::Error;
/// # use tradewind_events::Received;
/// # use tradewind_store::Tx;
/// # async fn tell<E>(_: &mut Tx, _: &Received<E>) -> Result<(), Error> { Ok(()) }
/// async fn tell_on_order_confirmed(_: &mut Tx, _: &Received<OrderConfirmed>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_closed(_: &mut Tx, _: &Received<OrderClosed>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_shipped(_: &mut Tx, _: &Received<OrderShipped>) -> Result<(), Error> { Ok(()) }
///
/// tradewind_runtime::reactions(reactions::Notification {
///     tell_on_order_confirmed, tell_on_order_closed, tell_on_order_shipped,
/// #     tell_on_verification_requested: tell::<VerificationRequested>,
/// #     tell_on_sign_up_repeated: tell::<SignUpRepeated>,
/// #     tell_on_password_reset_requested: tell::<PasswordResetRequested>,
/// #     tell_on_password_changed: tell::<PasswordChanged>,
/// #     tell_on_email_change_requested: tell::<EmailChangeRequested>,
/// #     tell_on_email_changed: tell::<EmailChanged>,
/// #     forget_on_order_erased: tell::<OrderErased>,
/// #     forget_on_customer_erased: tell::<CustomerErased>,
/// #     forget_on_confirmation_forgotten: tell::<ConfirmationForgotten>,
/// #     offer_on_order_placed: tell::<OrderPlaced>,
/// #     offer_on_order_confirmed: tell::<OrderConfirmed>,
/// #     offer_on_order_cancelled: tell::<OrderCancelled>,
/// #     offer_on_order_closed: tell::<OrderClosed>,
/// #     offer_on_order_shipped: tell::<OrderShipped>,
/// #     offer_on_order_delivered: tell::<OrderDelivered>,
/// #     offer_on_payment_captured: tell::<PaymentCaptured>,
/// #     offer_on_payment_declined: tell::<PaymentDeclined>,
/// #     offer_on_payment_refunded: tell::<PaymentRefunded>,
/// #     offer_on_shipment_booked: tell::<ShipmentBooked>,
/// #     offer_on_shipment_cleared: tell::<ShipmentCleared>,
/// #     offer_on_shipment_dispatched: tell::<ShipmentDispatched>,
/// #     offer_on_shipment_delivered: tell::<ShipmentDelivered>,
/// });
/// ```
///
/// A reaction that is missing does not compile, nor does one that the contract does not have, or that is for another event:
///
/// ```compile_fail,E0063
/// # use contracts::{reactions, tradewind::{identity::v1::*, ordering::v1::*, payment::v1::*, shipping::v1::*}};
/// # use tradewind_domain::Error;
/// # use tradewind_events::Received;
/// # use tradewind_store::Tx;
/// # async fn tell<E>(_: &mut Tx, _: &Received<E>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_confirmed(_: &mut Tx, _: &Received<OrderConfirmed>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_closed(_: &mut Tx, _: &Received<OrderClosed>) -> Result<(), Error> { Ok(()) }
/// tradewind_runtime::reactions(reactions::Notification {
///     tell_on_order_confirmed, tell_on_order_closed,
/// #     tell_on_verification_requested: tell::<VerificationRequested>,
/// #     tell_on_sign_up_repeated: tell::<SignUpRepeated>,
/// #     tell_on_password_reset_requested: tell::<PasswordResetRequested>,
/// #     tell_on_password_changed: tell::<PasswordChanged>,
/// #     tell_on_email_change_requested: tell::<EmailChangeRequested>,
/// #     tell_on_email_changed: tell::<EmailChanged>,
/// #     forget_on_order_erased: tell::<OrderErased>,
/// #     forget_on_customer_erased: tell::<CustomerErased>,
/// #     forget_on_confirmation_forgotten: tell::<ConfirmationForgotten>,
/// #     offer_on_order_placed: tell::<OrderPlaced>,
/// #     offer_on_order_confirmed: tell::<OrderConfirmed>,
/// #     offer_on_order_cancelled: tell::<OrderCancelled>,
/// #     offer_on_order_closed: tell::<OrderClosed>,
/// #     offer_on_order_shipped: tell::<OrderShipped>,
/// #     offer_on_order_delivered: tell::<OrderDelivered>,
/// #     offer_on_payment_captured: tell::<PaymentCaptured>,
/// #     offer_on_payment_declined: tell::<PaymentDeclined>,
/// #     offer_on_payment_refunded: tell::<PaymentRefunded>,
/// #     offer_on_shipment_booked: tell::<ShipmentBooked>,
/// #     offer_on_shipment_cleared: tell::<ShipmentCleared>,
/// #     offer_on_shipment_dispatched: tell::<ShipmentDispatched>,
/// #     offer_on_shipment_delivered: tell::<ShipmentDelivered>,
/// });
/// ```
///
/// ```compile_fail,E0560
/// # use contracts::{reactions, tradewind::{identity::v1::*, ordering::v1::*, payment::v1::*, shipping::v1::*}};
/// # use tradewind_domain::Error;
/// # use tradewind_events::Received;
/// # use tradewind_store::Tx;
/// # async fn tell<E>(_: &mut Tx, _: &Received<E>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_confirmed(_: &mut Tx, _: &Received<OrderConfirmed>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_closed(_: &mut Tx, _: &Received<OrderClosed>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_shipped(_: &mut Tx, _: &Received<OrderShipped>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_paid(_: &mut Tx, _: &Received<OrderPaid>) -> Result<(), Error> { Ok(()) }
/// tradewind_runtime::reactions(reactions::Notification {
///     tell_on_order_confirmed, tell_on_order_closed, tell_on_order_shipped, tell_on_order_paid,
/// #     tell_on_verification_requested: tell::<VerificationRequested>,
/// #     tell_on_sign_up_repeated: tell::<SignUpRepeated>,
/// #     tell_on_password_reset_requested: tell::<PasswordResetRequested>,
/// #     tell_on_password_changed: tell::<PasswordChanged>,
/// #     tell_on_email_change_requested: tell::<EmailChangeRequested>,
/// #     tell_on_email_changed: tell::<EmailChanged>,
/// #     forget_on_order_erased: tell::<OrderErased>,
/// #     forget_on_customer_erased: tell::<CustomerErased>,
/// #     forget_on_confirmation_forgotten: tell::<ConfirmationForgotten>,
/// #     offer_on_order_placed: tell::<OrderPlaced>,
/// #     offer_on_order_confirmed: tell::<OrderConfirmed>,
/// #     offer_on_order_cancelled: tell::<OrderCancelled>,
/// #     offer_on_order_closed: tell::<OrderClosed>,
/// #     offer_on_order_shipped: tell::<OrderShipped>,
/// #     offer_on_order_delivered: tell::<OrderDelivered>,
/// #     offer_on_payment_captured: tell::<PaymentCaptured>,
/// #     offer_on_payment_declined: tell::<PaymentDeclined>,
/// #     offer_on_payment_refunded: tell::<PaymentRefunded>,
/// #     offer_on_shipment_booked: tell::<ShipmentBooked>,
/// #     offer_on_shipment_cleared: tell::<ShipmentCleared>,
/// #     offer_on_shipment_dispatched: tell::<ShipmentDispatched>,
/// #     offer_on_shipment_delivered: tell::<ShipmentDelivered>,
/// });
/// ```
///
/// ```compile_fail,E0631
/// # use contracts::{reactions, tradewind::{identity::v1::*, ordering::v1::*, payment::v1::*, shipping::v1::*}};
/// # use tradewind_domain::Error;
/// # use tradewind_events::Received;
/// # use tradewind_store::Tx;
/// # async fn tell<E>(_: &mut Tx, _: &Received<E>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_confirmed(_: &mut Tx, _: &Received<OrderConfirmed>) -> Result<(), Error> { Ok(()) }
/// # async fn tell_on_order_closed(_: &mut Tx, _: &Received<OrderClosed>) -> Result<(), Error> { Ok(()) }
/// async fn tell_on_order_shipped(_: &mut Tx, _: &Received<OrderClosed>) -> Result<(), Error> { Ok(()) }
///
/// tradewind_runtime::reactions(reactions::Notification {
///     tell_on_order_confirmed, tell_on_order_closed, tell_on_order_shipped,
/// #     tell_on_verification_requested: tell::<VerificationRequested>,
/// #     tell_on_sign_up_repeated: tell::<SignUpRepeated>,
/// #     tell_on_password_reset_requested: tell::<PasswordResetRequested>,
/// #     tell_on_password_changed: tell::<PasswordChanged>,
/// #     tell_on_email_change_requested: tell::<EmailChangeRequested>,
/// #     tell_on_email_changed: tell::<EmailChanged>,
/// #     forget_on_order_erased: tell::<OrderErased>,
/// #     forget_on_customer_erased: tell::<CustomerErased>,
/// #     forget_on_confirmation_forgotten: tell::<ConfirmationForgotten>,
/// #     offer_on_order_placed: tell::<OrderPlaced>,
/// #     offer_on_order_confirmed: tell::<OrderConfirmed>,
/// #     offer_on_order_cancelled: tell::<OrderCancelled>,
/// #     offer_on_order_closed: tell::<OrderClosed>,
/// #     offer_on_order_shipped: tell::<OrderShipped>,
/// #     offer_on_order_delivered: tell::<OrderDelivered>,
/// #     offer_on_payment_captured: tell::<PaymentCaptured>,
/// #     offer_on_payment_declined: tell::<PaymentDeclined>,
/// #     offer_on_payment_refunded: tell::<PaymentRefunded>,
/// #     offer_on_shipment_booked: tell::<ShipmentBooked>,
/// #     offer_on_shipment_cleared: tell::<ShipmentCleared>,
/// #     offer_on_shipment_dispatched: tell::<ShipmentDispatched>,
/// #     offer_on_shipment_delivered: tell::<ShipmentDelivered>,
/// });
/// ```
///
/// Nor does one that takes something on and does not say, with a [`Forward`], how it is refused:
///
/// ```compile_fail,E0277
/// # use contracts::{reactions, tradewind::ordering::v1::{OrderCancelled, OrderStockConfirmed}};
/// # use tradewind_domain::Error;
/// # use tradewind_events::Received;
/// # use tradewind_store::Tx;
/// async fn charge_on_order_stock_confirmed(_: &mut Tx, _: &Received<OrderStockConfirmed>) -> Result<(), Error> { Ok(()) }
/// # async fn give_back_on_order_cancelled(_: &mut Tx, _: &Received<OrderCancelled>) -> Result<(), Error> { Ok(()) }
///
/// tradewind_runtime::reactions(reactions::Payment { charge_on_order_stock_confirmed, give_back_on_order_cancelled });
/// ```
#[must_use]
pub fn reactions<R: contracts::reactions::Reactions<Composed>>(reactions: R) -> Reactions {
    reactions.hand_to(Composed(Reactions::new(R::READER))).0
}

/// What of a context's reactions is composed.
pub struct Composed(Reactions);

impl<E, R> Reacts<E, R> for Composed
where
    E: Message + Name + Default + 'static,
    R: Reaction<E>,
{
    fn reacts(self, declared: &'static Declared, reaction: R) -> Self {
        Self(match declared.role {
            Role::Observe => self.0.on(declared.name, reaction),
            _ => self.0.owed(declared.name, reaction),
        })
    }
}

impl<E, R> TakesOn<E, Forward<R>> for Composed
where
    E: Message + Name + Default + 'static,
    R: Reaction<E>,
{
    fn takes_on(self, declared: &'static Declared, reaction: Forward<R>) -> Self {
        Self(self.0.forward(declared.name, reaction))
    }
}

/// Tells whether these are all that the contract declares for `context`, which a service that composes none at all lacks. What follows
/// a context's own events is nobody else's business.
pub(crate) fn are_whole(context: &str, composed: &[(String, &str)]) -> bool {
    let is_of_others = |event: &str| event.split('.').nth(1) != Some(context);
    let declared = REACTIONS.iter().filter(|declared| declared.context == context && is_of_others(declared.event));
    let declared: BTreeSet<_> = declared.map(|declared| (declared.event, declared.name)).collect();
    let of_others = composed.iter().filter(|(event, _)| is_of_others(event));
    let mut composed: Vec<_> = of_others.map(|(event, name)| (event.as_str(), *name)).collect();
    composed.sort_unstable();
    declared.into_iter().eq(composed)
}

/// Who reads what a context does about these events: whom its contract names, or else the context itself.
pub(crate) fn reader_of(context: &'static str, reactions: &Reactions) -> &'static str {
    let composed = reactions.declared();
    let is_composed = |declared: &&Declared| composed.contains(&(declared.event.to_owned(), declared.name));
    let of_context = REACTIONS.iter().filter(|declared| declared.context == context);
    of_context.filter(is_composed).map(|declared| declared.reader).next().unwrap_or(context)
}

/// Makes sure that no two consumers are given the messages of one source by the same consumer at the broker, where each message would be
/// for one of them alone. The two slots of a projection may: only one of them reads.
///
/// # Errors
/// `Internal` with who they are.
pub(crate) fn none_shares_a_reader(
    context: &str,
    reactions: &[Arc<Reactions>],
    projections: &[Projection],
) -> Result<(), Error> {
    let mut takes: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for one in reactions {
        let is_slot = |projection: &&Projection| Slot::Second.consumer(projection.name()) == one.consumer();
        let name = projections.iter().find(is_slot).map_or(one.consumer(), Projection::name);
        for source in one.sources().into_iter().filter(|source| source != context) {
            let other = *takes.entry((one.reader(), source.clone())).or_insert(name);
            if other != name {
                return Err(Error::internal(format!(
                    "{other} and {name} would take each other's messages of {source}: let the contract name a reader for one of them"
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_composed_and_what_follows_own_events_is_not_looked_at() {
        let mut composed: Vec<_> = REACTIONS
            .iter()
            .filter(|declared| declared.context == "payment")
            .map(|declared| (declared.event.to_owned(), declared.name))
            .collect();
        composed.push(("tradewind.payment.v1.PaymentCaptured".to_owned(), "book_on_payment_captured"));
        assert!(are_whole("payment", &composed));
        assert!(!are_whole("payment", &composed[1..]));
        composed.push(("tradewind.ordering.v1.OrderPaid".to_owned(), "book_on_order_paid"));
        assert!(!are_whole("payment", &composed));
    }
}
