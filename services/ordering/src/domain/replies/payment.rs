use contracts::tradewind::payment::v1::{PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided};

use super::{Command, Reply};

impl Reply for PaymentCaptured {
    fn heard(&self) -> (&str, Command) {
        // Also a mismatch that this build has no name for is one.
        let command = if self.mismatch == 0 { Command::RecordPayment } else { Command::RefusePayment };
        (&self.order_id, command)
    }
}

impl Reply for PaymentDeclined {
    fn heard(&self) -> (&str, Command) {
        // Of a mismatch something was taken, which is still owed.
        let command = match self.mismatch {
            0 => Command::DeclinePayment { reason: self.reason.clone() },
            _ => Command::RefusePayment,
        };
        (&self.order_id, command)
    }
}

impl Reply for PaymentVoided {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RecordVoid)
    }
}

impl Reply for PaymentRefunded {
    fn heard(&self) -> (&str, Command) {
        (&self.order_id, Command::RecordRefund { amount: self.amount.clone() })
    }
}
