use contracts::tradewind::inventory::v1::{StockRejected, StockReleased, StockReserved};

use super::{Command, Reply};

impl Reply for StockReserved {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::ConfirmStock)
    }
}

impl Reply for StockRejected {
    fn heard(&self) -> (&str, Command) {
        let (short_lines, reason) = (self.short_lines.clone(), self.reason.clone());
        (&self.order_id, Command::RejectStock { short_lines, reason })
    }
}

impl Reply for StockReleased {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RecordRelease)
    }
}
