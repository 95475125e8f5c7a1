//! Stand-ins for the other contexts: they answer each event of an order at once, and remember what they said last.

use contracts::reactions;
use contracts::tradewind::{
    catalog::v1::{ProductListed, ProductRepriced, ProductRetired},
    inventory::v1::{StockRejected, StockReleased, StockReserved},
    ordering::v1::{
        OrderCancellationRequested, OrderCancelled, OrderConfirmed, OrderErased, OrderPaid, OrderPlaced, OrderShipped,
        OrderStockConfirmed, ShortLine,
    },
    payment::v1::{Mismatch, PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentRequested, PaymentVoided},
    shipping::v1::{
        ShipmentBooked, ShipmentCancellationRefused, ShipmentCancelled, ShipmentDelivered, ShipmentDispatched,
        ShipmentRejected,
    },
};
use tradewind_domain::{Aggregate, DomainError, Error, ErrorKind};
use tradewind_events::{Forward, Reactions, Received};
use tradewind_store::Tx;

tradewind_domain::events! {
    /// What the other contexts say in these tests.
    pub(crate) enum Saying {
        Listed(ProductListed), Repriced(ProductRepriced), Retired(ProductRetired),
        Reserved(StockReserved), Rejected(StockRejected), Released(StockReleased),
        Requested(PaymentRequested), Captured(PaymentCaptured), Declined(PaymentDeclined),
        Voided(PaymentVoided), Refunded(PaymentRefunded),
        Booked(ShipmentBooked), Refused(ShipmentRejected), Cancelled(ShipmentCancelled),
        CancellationRefused(ShipmentCancellationRefused), Dispatched(ShipmentDispatched), Delivered(ShipmentDelivered),
    }
}

/// What a context has said about one order or product.
#[derive(Clone, Default)]
pub(crate) struct Said {
    last: Option<Saying>,
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
pub(crate) enum Never {}

impl DomainError for Never {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
    fn reason(&self) -> &'static str {
        "NEVER"
    }
}

impl Aggregate for Said {
    const NAME: &'static str = "said";
    type Command = Saying;
    type Event = Saying;
    type Error = Never;

    fn decide(&self, saying: Saying) -> Result<Vec<Saying>, Never> {
        Ok(vec![saying])
    }

    fn evolve(&mut self, saying: &Saying) {
        self.last = Some(saying.clone());
    }
}

macro_rules! answers {
    ($($name:ident on $event:ident: |$order:ident, $last:pat_param| $answer:expr;)+) => {$(
        async fn $name(tx: &mut Tx, event: &Received<$event>) -> Result<(), Error> {
            let $order = &event.data;
            let id = $order.order_id.clone();
            let $last = tx.load::<Said>(&id).await?.state.last;
            let answer: Option<Saying> = $answer;
            if let Some(saying) = answer {
                tx.execute::<Said>(&id, saying).await?;
            }
            Ok(())
        }
    )+};
}

/// Of this there is never enough.
pub(crate) const SCARCE: &str = "SKU-SCARCE";
/// Nobody delivers there.
pub(crate) const NOWHERE: &str = "NOWHERE";

answers! {
    reserve_on_order_placed on OrderPlaced: |order, _| {
        let short = |sku: &str| ShortLine { sku: sku.to_owned(), requested: 1, available: 0 };
        let short_lines: Vec<_> =
            order.lines.iter().filter(|line| line.sku == SCARCE).map(|line| short(&line.sku)).collect();
        Some(match short_lines.is_empty() {
            true => StockReserved { order_id: order.order_id.clone(), allocations: vec![] }.into(),
            false => StockRejected { order_id: order.order_id.clone(), short_lines, reason: String::new() }.into(),
        })
    };
    release_on_order_cancelled on OrderCancelled: |order, last| match last {
        Some(Saying::Reserved(_)) => {
            Some(StockReleased { order_id: order.order_id.clone(), allocations: vec![] }.into())
        }
        _ => None,
    };
    ship_on_order_shipped on OrderShipped: |order, _| {
        let _ = order;
        None
    };
    charge_on_order_stock_confirmed on OrderStockConfirmed: |order, _| {
        let order_id = order.order_id.clone();
        Some(match order.payment_token.as_str() {
            "tok_declined" => PaymentDeclined { order_id, reason: "CARD_DECLINED".to_owned(), mismatch: 0 }.into(),
            // The provider took something else.
            "tok_mismatch" => PaymentCaptured {
                order_id,
                amount: order.total.clone(),
                mismatch: Mismatch::Amount.into(),
                ..PaymentCaptured::default()
            }
            .into(),
            // The provider never answers.
            "tok_timeout" => PaymentRequested { order_id, ..PaymentRequested::default() }.into(),
            _ => PaymentCaptured {
                order_id,
                amount: order.total.clone(),
                charge_id: "ch-1".to_owned(),
                ..PaymentCaptured::default()
            }
            .into(),
        })
    };
    give_back_on_order_cancelled on OrderCancelled: |order, last| {
        let order_id = order.order_id.clone();
        match last {
            Some(Saying::Captured(charge)) => {
                let refund_id = "re-1".to_owned();
                Some(PaymentRefunded { order_id, amount: charge.amount, refund_id, ..PaymentRefunded::default() }.into())
            }
            Some(Saying::Requested(_)) => Some(PaymentVoided { order_id }.into()),
            _ => None,
        }
    };
    book_on_order_paid on OrderPaid: |order, _| {
        let order_id = order.order_id.clone();
        let address = order.recipient.clone().and_then(|recipient| recipient.address).unwrap_or_default();
        Some(match address.postal_code.as_str() {
            NOWHERE => ShipmentRejected { order_id, reason: "UNDELIVERABLE_ADDRESS".to_owned() }.into(),
            _ => ShipmentBooked { order_id, tracking: "T-1".to_owned() }.into(),
        })
    };
    clear_on_order_confirmed on OrderConfirmed: |order, _| {
        let _ = order;
        None
    };
    answer_on_order_cancellation_requested on OrderCancellationRequested: |order, last| {
        let order_id = order.order_id.clone();
        match last {
            Some(Saying::Booked(_)) => Some(ShipmentCancelled { order_id }.into()),
            _ => Some(ShipmentCancellationRefused { order_id }.into()),
        }
    };
    cancel_on_order_cancelled on OrderCancelled: |order, last| match last {
        Some(Saying::Booked(_)) => Some(ShipmentCancelled { order_id: order.order_id.clone() }.into()),
        _ => None,
    };
}

/// None of these tests gives an event up.
async fn refuse(_: &mut Tx, _: &str) -> Result<(), Error> {
    Ok(())
}

/// The name of a context and what it reacts to.
type Participant = (&'static str, fn() -> Reactions);

/// The stand-ins.
pub(crate) const PARTICIPANTS: [Participant; 4] =
    [("catalog", || Reactions::new("catalog")), ("inventory", inventory), ("payment", payment), ("shipping", shipping)];

fn inventory() -> Reactions {
    tradewind_runtime::reactions(reactions::Inventory {
        reserve_on_order_placed: Forward::new::<Said>(reserve_on_order_placed, refuse),
        release_on_order_cancelled,
        ship_on_order_shipped,
    })
}

fn payment() -> Reactions {
    tradewind_runtime::reactions(reactions::Payment {
        charge_on_order_stock_confirmed: Forward::new::<Said>(charge_on_order_stock_confirmed, refuse),
        give_back_on_order_cancelled,
        forget_on_order_erased: forget,
    })
}

fn shipping() -> Reactions {
    tradewind_runtime::reactions(reactions::Shipping {
        book_on_order_paid: Forward::new::<Said>(book_on_order_paid, refuse),
        clear_on_order_confirmed,
        answer_on_order_cancellation_requested,
        cancel_on_order_cancelled,
        forget_on_order_erased: forget,
    })
}

async fn forget(tx: &mut Tx, event: &Received<OrderErased>) -> Result<(), Error> {
    tx.erase(&event.data.order_id).await.map(drop)
}
