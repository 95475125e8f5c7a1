//! What everybody says, as values.

use contracts::tradewind::inventory::v1::{Reservation, StockDifference, StockLevel};
use contracts::tradewind::ordering::v1::Order;
use contracts::tradewind::payment::v1::Balance;
use serde::Deserialize;

/// All that is compared.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every order, says ordering.
    pub orders: Vec<Order>,
    /// Every level of stock, says inventory.
    pub levels: Vec<StockLevel>,
    /// Every reservation that still holds stock, says inventory.
    pub reservations: Vec<Reservation>,
    /// The balance of every account of the ledger, says payment.
    pub balances: Vec<Balance>,
    /// Every level whose counters are not what its movements come to, says inventory when it has compared them.
    pub differences: Vec<StockDifference>,
    /// What the card provider did.
    pub card: Vec<CardEntry>,
    /// What the carrier has booked or refused.
    pub carrier: Vec<Booking>,
}

/// One entry of the card provider's statement.
#[derive(Clone, Debug, Deserialize)]
pub struct CardEntry {
    /// Whose card.
    pub order_id: String,
    /// `capture`, `refund`, or something that moves no money.
    pub kind: String,
    /// In the currency's smallest unit.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// One booking of the carrier's statement, as it stands.
#[derive(Clone, Debug, Deserialize)]
pub struct Booking {
    /// Whose parcel.
    pub order_id: String,
    /// `booked`, `dispatched`, `delivered`, `cancelled` or `rejected`.
    pub status: String,
    /// The parcel's number; none where there is no parcel.
    pub tracking: Option<String>,
}
