use contracts::tradewind::ordering::v1::{
    OrderCancellationRefused, OrderCancellationRequested, OrderCancelled, OrderClosed, OrderCompensated,
    OrderConfirmed, OrderDelivered, OrderErased, OrderPaid, OrderPlaced, OrderShipped, OrderStockConfirmed,
};

tradewind_domain::events! {
    /// What can happen to an order.
    pub enum OrderEvent {
        Placed(OrderPlaced),
        StockConfirmed(OrderStockConfirmed),
        Paid(OrderPaid),
        Confirmed(OrderConfirmed),
        CancellationRequested(OrderCancellationRequested),
        CancellationRefused(OrderCancellationRefused),
        Cancelled(OrderCancelled),
        Compensated(OrderCompensated),
        Closed(OrderClosed),
        Shipped(OrderShipped),
        Delivered(OrderDelivered),
        Erased(OrderErased): informative,
    }
}
