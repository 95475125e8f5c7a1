//! What an order's events ask of its shipment.

use contracts::tradewind::{
    ordering::v1::{OrderCancellationRequested, OrderCancelled, OrderConfirmed, OrderPaid, PricedLine},
    shipping::v1::ParcelItem,
};

use super::Command;

impl From<&OrderPaid> for Command {
    fn from(event: &OrderPaid) -> Self {
        let OrderPaid { order_id, recipient, lines, .. } = event;
        let items = lines.iter().map(item).collect();
        Self::Book { order_id: order_id.clone(), recipient: recipient.clone(), items }
    }
}

impl From<&OrderConfirmed> for Command {
    fn from(_: &OrderConfirmed) -> Self {
        Self::Clear
    }
}

impl From<&OrderCancellationRequested> for Command {
    fn from(_: &OrderCancellationRequested) -> Self {
        Self::RequestCancellation
    }
}

impl From<&OrderCancelled> for Command {
    fn from(event: &OrderCancelled) -> Self {
        Self::Cancel { order_id: event.order_id.clone() }
    }
}

fn item(line: &PricedLine) -> ParcelItem {
    ParcelItem { sku: line.sku.clone(), quantity: line.quantity.into() }
}
