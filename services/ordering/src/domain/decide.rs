//! What each command leads to in each status.
//!
//! Three kinds of answers run through it: a reply that was waited for moves the order on; one that was heard before,
//! or that comes too late, changes nothing; one that nobody asked for is refused, so that a person sees it.

use super::{
    Command, Order, OrderError, OrderEvent, Place,
    pricing::{contract_money, total},
};
use contracts::tradewind::{
    money::v1::Money,
    ordering::v1::{
        CancellationReason, Compensation, OrderCancellationRefused, OrderCancellationRequested, OrderCancelled,
        OrderClosed, OrderCompensated, OrderConfirmed, OrderDelivered, OrderErased, OrderPaid, OrderPlaced,
        OrderShipped, OrderStatus, OrderStockConfirmed, ShortLine,
    },
};

type Decision = Result<Vec<OrderEvent>, OrderError>;

const NOTHING: Decision = Ok(Vec::new());

pub(super) fn decide(order: &Order, command: Command) -> Decision {
    use OrderStatus::{Cancelled, Cancelling, Confirmed, Delivered, Paid, Pending, Shipped, StockConfirmed};
    let Some(placed) = order.placed.as_deref() else {
        return match command {
            Command::Place(place) => Ok(vec![accept(*place)?.into()]),
            _ => Err(OrderError::NotFound),
        };
    };
    let unexpected = OrderError::Unexpected { command: command.name(), status: order.status };
    match command {
        Command::Place(place) => {
            let same = accept(*place)?;
            // An order of a release before does not say it.
            let country = if placed.country.is_empty() { String::new() } else { same.country.clone() };
            if (OrderPlaced { country, ..same }) == *placed { NOTHING } else { Err(OrderError::AlreadyExists) }
        }

        Command::ConfirmStock => match order.status {
            Pending => Ok(vec![stock_confirmed(placed).into()]),
            _ => NOTHING,
        },
        Command::RecordPayment => match order.status {
            Pending => Err(unexpected),
            StockConfirmed => Ok(vec![paid(placed).into()]),
            _ => NOTHING,
        },
        Command::RefusePayment => match order.status {
            Pending => Err(unexpected),
            StockConfirmed => {
                Ok(order.cancel(CancellationReason::PaymentMismatch, "PROVIDER_MISMATCH".to_owned(), Vec::new()))
            }
            _ => NOTHING,
        },
        Command::ConfirmShipment { tracking } => match order.status {
            Pending | StockConfirmed => Err(unexpected),
            Paid => Ok(vec![confirmed(placed, tracking).into()]),
            _ => NOTHING,
        },

        Command::RejectStock { short_lines, reason } if order.status == Pending => {
            let short = || format!("{} of {} lines are short", short_lines.len(), placed.lines.len());
            let detail = if reason.is_empty() { short() } else { reason };
            Ok(order.cancel(CancellationReason::OutOfStock, detail, short_lines))
        }
        Command::DeclinePayment { reason } if order.status == StockConfirmed => {
            Ok(order.cancel(CancellationReason::PaymentDeclined, reason, Vec::new()))
        }
        Command::RejectShipment { reason } if order.status == Paid => {
            Ok(order.cancel(CancellationReason::ShipmentRejected, reason, Vec::new()))
        }
        Command::RecordShipmentCancelled if order.status == Confirmed && order.cancellation_requested => {
            Ok(order.cancel(CancellationReason::Customer, String::new(), Vec::new()))
        }
        Command::RejectStock { .. } | Command::RecordRelease => order.settle(Compensation::Stock, None, unexpected),
        Command::DeclinePayment { .. } | Command::RecordVoid => order.settle(Compensation::Payment, None, unexpected),
        Command::RecordRefund { amount } => order.settle(Compensation::Payment, amount, unexpected),
        Command::RejectShipment { .. } | Command::RecordShipmentCancelled => {
            order.settle(Compensation::Shipment, None, unexpected)
        }

        Command::Ship { tracking } => match order.status {
            Confirmed => Ok(vec![shipped(placed, tracking).into()]),
            Shipped | Delivered => NOTHING,
            _ => Err(unexpected),
        },
        Command::Deliver => match order.status {
            Shipped => Ok(vec![OrderDelivered { order_id: placed.order_id.clone() }.into()]),
            Delivered => NOTHING,
            _ => Err(unexpected),
        },

        Command::Cancel => match order.status {
            Pending | StockConfirmed | Paid => {
                Ok(order.cancel(CancellationReason::Customer, String::new(), Vec::new()))
            }
            Confirmed if order.cancellation_refused => Err(OrderError::AlreadyShipped),
            Confirmed if !order.cancellation_requested => {
                Ok(vec![OrderCancellationRequested { order_id: placed.order_id.clone() }.into()])
            }
            Shipped | Delivered => Err(OrderError::AlreadyShipped),
            _ => NOTHING,
        },
        Command::RefuseCancellation => match order.status {
            Confirmed | Shipped if order.cancellation_requested => {
                Ok(vec![OrderCancellationRefused { order_id: placed.order_id.clone() }.into()])
            }
            _ => NOTHING,
        },
        Command::Expire => match order.status {
            Pending | StockConfirmed | Paid => {
                Ok(order.cancel(CancellationReason::Deadline, String::new(), Vec::new()))
            }
            Confirmed | Shipped | Delivered | Cancelling | Cancelled | OrderStatus::Unspecified => NOTHING,
        },
        Command::Erase if order.erased => NOTHING,
        Command::Erase if order.is_over() => Ok(vec![OrderErased { order_id: placed.order_id.clone() }.into()]),
        Command::Erase => Err(unexpected),
    }
}

impl Order {
    /// Cancels the order, and closes it at once where nothing is owed.
    fn cancel(&self, reason: CancellationReason, detail: String, short_lines: Vec<ShortLine>) -> Vec<OrderEvent> {
        let cancelled = OrderCancelled { order_id: self.id(), reason: reason.into(), detail, short_lines }.into();
        let mut after = self.clone();
        after.apply(&cancelled);
        if after.debts.are_settled() {
            return vec![cancelled, after.closed(None).into()];
        }
        vec![cancelled]
    }

    /// Records that a cancelled order got something back, and closes it with the last debt; an order that is not
    /// cancelled is owed nothing, so `unexpected` is the answer there.
    fn settle(&self, what: Compensation, refunded: Option<Money>, unexpected: OrderError) -> Decision {
        if !matches!(self.status, OrderStatus::Cancelling | OrderStatus::Cancelled) {
            return Err(unexpected);
        }
        if !self.debts.include(what) {
            return NOTHING;
        }
        let mut left = self.debts;
        left.settle(what);
        if left.are_settled() {
            return Ok(vec![self.closed(refunded).into()]);
        }
        Ok(vec![OrderCompensated { order_id: self.id(), compensation: what.into(), refunded }.into()])
    }

    fn closed(&self, refunded: Option<Money>) -> OrderClosed {
        OrderClosed {
            order_id: self.id(),
            recipient: self.placed.as_ref().and_then(|placed| placed.recipient.clone()),
            reason: self.reason,
            refunded: refunded.or_else(|| self.refunded.clone()),
        }
    }

    fn id(&self) -> String {
        self.placed.as_ref().map(|placed| placed.order_id.clone()).unwrap_or_default()
    }
}

fn accept(place: Place) -> Result<OrderPlaced, OrderError> {
    let actual = total(&place.lines)?;
    if let Some(expected) = place.expected_total.filter(|expected| *expected != actual) {
        return Err(OrderError::PriceChanged { expected, actual });
    }
    let country = place.recipient.address.as_ref().map(|address| address.country.clone()).unwrap_or_default();
    Ok(OrderPlaced {
        order_id: place.order_id,
        customer_id: place.customer_id,
        recipient: Some(place.recipient),
        lines: place.lines.into_iter().map(Into::into).collect(),
        total: Some(contract_money(actual)),
        payment_token: place.payment_token.into_exposed(),
        deadline: Some(place.deadline),
        country,
    })
}

fn stock_confirmed(placed: &OrderPlaced) -> OrderStockConfirmed {
    OrderStockConfirmed {
        order_id: placed.order_id.clone(),
        total: placed.total.clone(),
        payment_token: placed.payment_token.clone(),
    }
}

fn paid(placed: &OrderPlaced) -> OrderPaid {
    OrderPaid { order_id: placed.order_id.clone(), recipient: placed.recipient.clone(), lines: placed.lines.clone() }
}

fn confirmed(placed: &OrderPlaced, tracking: String) -> OrderConfirmed {
    OrderConfirmed {
        order_id: placed.order_id.clone(),
        recipient: placed.recipient.clone(),
        total: placed.total.clone(),
        tracking,
    }
}

fn shipped(placed: &OrderPlaced, tracking: String) -> OrderShipped {
    OrderShipped { order_id: placed.order_id.clone(), recipient: placed.recipient.clone(), tracking }
}
