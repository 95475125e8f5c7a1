//! What the card provider answers, as functions of bytes.

use time::{Duration, OffsetDateTime};

use super::statement::PageView;
use super::{ChargeView, RefundView, receipt};
use crate::app::ChargeAnswer;

pub(crate) fn card_answers(bytes: &[u8]) {
    if let Ok(RefundView::Refunded { refund_id, amount_minor, currency }) = serde_json::from_slice(bytes) {
        let _ = receipt(&refund_id, amount_minor, &currency);
    }
    let Ok(charge) = serde_json::from_slice::<ChargeView>(bytes) else { return };
    if let Ok(ChargeAnswer::Captured(receipt)) = charge.read() {
        assert!(receipt.amount.currency.len() == 3, "{receipt:?}");
    }
}

pub(crate) fn card_statements(bytes: &[u8]) {
    let time = OffsetDateTime::UNIX_EPOCH..OffsetDateTime::UNIX_EPOCH + Duration::days(31);
    let Ok(page) = serde_json::from_slice::<PageView>(bytes) else { return };
    let Ok(page) = page.read(&time) else { return };
    assert!(page.lines.len() <= 100, "{} lines", page.lines.len());
    for line in page.lines {
        assert!(time.contains(&line.time) && line.amount.minor != 0 && line.amount.currency.len() == 3, "{line:?}");
        assert!((1..=64).contains(&line.id.len()) && line.order_id.len() <= 64, "{line:?}");
    }
}
