//! What an event says of sales, whoever keeps it.

/// What an event says of sales: of an order, or of one kind of stock at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An order was placed.
    Placed(Placed),
    /// An order has come so far.
    Reached {
        /// The order.
        order_id: String,
        /// How far.
        reached: Reached,
        /// When, in microseconds since the Unix epoch.
        at: i64,
        /// The day of that.
        day: i64,
    },
    /// Stock has changed.
    Moved(Moved),
}

/// An order that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The order.
    pub order_id: String,
    /// Whose it is.
    pub customer_id: String,
    /// Where it goes.
    pub country: String,
    /// In what it is paid.
    pub currency: String,
    /// When it was placed, in microseconds since the Unix epoch.
    pub at: i64,
    /// The day of that.
    pub day: i64,
    /// Units in it.
    pub units: i64,
    /// What it costs, in minor units.
    pub amount: i64,
    /// What it is of.
    pub lines: Vec<Line>,
}

/// What an order is of: a product, of which it has one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product_id: String,
    /// Units of it.
    pub units: i64,
    /// What they cost, in minor units of the order's currency.
    pub amount: i64,
}

/// How far an order has come besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Its stock is reserved.
    StockConfirmed,
    /// It is paid.
    Paid,
    /// It is a sale.
    Confirmed,
    /// It has left.
    Shipped,
    /// It has arrived.
    Delivered,
    /// It was cancelled, with the contract's number of why.
    Cancelled(i64),
}

/// A change of stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What tells it apart from every other: its event, and which change of that it is.
    pub id: String,
    /// What.
    pub sku: String,
    /// Where.
    pub location: String,
    /// On which day.
    pub day: i64,
    /// How many units more are available.
    pub change: i64,
    /// It was taken for an order, or given back by one.
    pub is_taken: bool,
}
