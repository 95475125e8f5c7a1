use contracts::tradewind::inventory::v1::{StockRejected, StockReleased, StockReserved};

use super::{Command, Reply};

impl Reply for StockReserved {
    const REACTION: &'static str = "confirm_stock_on_stock_reserved";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::ConfirmStock)
    }
}

impl Reply for StockRejected {
    const REACTION: &'static str = "cancel_on_stock_rejected";
    fn heard(&self) -> (&str, Command) {
        let (short_lines, reason) = (self.short_lines.clone(), self.reason.clone());
        (&self.order_id, Command::RejectStock { short_lines, reason })
    }
}

impl Reply for StockReleased {
    const REACTION: &'static str = "close_on_stock_released";
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RecordRelease)
    }
}
