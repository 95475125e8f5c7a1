use std::sync::Arc;

use contracts::tradewind::{
    money::v1::Money,
    ordering::v1::{CancellationReason, Compensation, OrderCancelled, OrderPlaced, OrderStatus, ShortLine},
};

use super::{OrderEvent, debts::Debts};

/// One order: the saga's own state, which nobody else writes.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// What was placed; shared, for a copy of the order is taken on every command.
    pub(crate) placed: Option<Arc<OrderPlaced>>,
    pub(crate) status: OrderStatus,
    /// Asked while it was confirmed, and shipping has not answered.
    pub(crate) cancellation_requested: bool,
    /// Shipping has answered that the parcel has left.
    pub(crate) cancellation_refused: bool,
    /// Its number: a later build may have written one that this one has no name for.
    pub(crate) reason: i32,
    pub(crate) detail: String,
    pub(crate) short_lines: Vec<ShortLine>,
    pub(crate) refunded: Option<Money>,
    pub(crate) tracking: String,
    /// Whose it was is forgotten.
    pub(crate) erased: bool,
    pub(super) debts: Debts,
}

impl Order {
    /// How far the order is; `Unspecified` before it is placed.
    #[must_use]
    pub const fn status(&self) -> OrderStatus {
        self.status
    }

    /// Tells whether nothing more is to be waited for: confirmed or beyond with no cancellation under way, or
    /// cancelled with everything given back.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        match self.status {
            OrderStatus::Confirmed | OrderStatus::Shipped => !self.cancellation_requested,
            OrderStatus::Delivered | OrderStatus::Cancelled => true,
            _ => false,
        }
    }

    /// Tells whether nobody needs to know any more who receives it: it has arrived, or is cancelled with everything given back.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.status, OrderStatus::Delivered | OrderStatus::Cancelled)
    }

    /// What an event makes of it.
    pub(super) fn apply(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed(event) => {
                self.placed = Some(Arc::new(event.clone()));
                self.status = OrderStatus::Pending;
                self.debts.incur(Compensation::Stock);
            }
            OrderEvent::StockConfirmed(_) => {
                self.status = OrderStatus::StockConfirmed;
                self.debts.incur(Compensation::Payment);
            }
            OrderEvent::Paid(_) => {
                self.status = OrderStatus::Paid;
                self.debts.incur(Compensation::Shipment);
            }
            OrderEvent::Confirmed(event) => {
                self.status = OrderStatus::Confirmed;
                self.tracking.clone_from(&event.tracking);
            }
            OrderEvent::CancellationRequested(_) => self.cancellation_requested = true,
            OrderEvent::CancellationRefused(_) => {
                self.cancellation_requested = false;
                self.cancellation_refused = true;
            }
            OrderEvent::Cancelled(event) => self.apply_cancelled(event),
            OrderEvent::Compensated(event) => {
                self.debts.settle(event.compensation());
                self.refunded = event.refunded.clone().or(self.refunded.take());
            }
            OrderEvent::Closed(event) => {
                self.status = OrderStatus::Cancelled;
                self.debts = Debts::default();
                self.refunded.clone_from(&event.refunded);
            }
            OrderEvent::Shipped(event) => {
                self.status = OrderStatus::Shipped;
                self.tracking.clone_from(&event.tracking);
            }
            OrderEvent::Delivered(_) => {
                self.status = OrderStatus::Delivered;
                self.cancellation_requested = false;
            }
            OrderEvent::Erased(_) => self.forget(),
        }
    }

    /// Forgets whose it was but for what everybody may know.
    fn forget(&mut self) {
        self.erased = true;
        if let Some(placed) = &mut self.placed {
            let placed = Arc::make_mut(placed);
            placed.recipient = None;
            placed.payment_token.clear();
        }
    }

    fn apply_cancelled(&mut self, event: &OrderCancelled) {
        let refused = match event.reason() {
            CancellationReason::OutOfStock => Some(Compensation::Stock),
            CancellationReason::PaymentDeclined => Some(Compensation::Payment),
            CancellationReason::ShipmentRejected => Some(Compensation::Shipment),
            // A confirmed order is cancelled only after shipping has taken the booking back.
            CancellationReason::Customer if self.status == OrderStatus::Confirmed => Some(Compensation::Shipment),
            _ => None,
        };
        if let Some(settled) = refused {
            self.debts.settle(settled);
        }
        self.status = OrderStatus::Cancelling;
        self.cancellation_requested = false;
        self.reason = event.reason;
        self.detail.clone_from(&event.detail);
        self.short_lines.clone_from(&event.short_lines);
    }
}
