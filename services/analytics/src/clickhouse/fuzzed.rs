//! What ClickHouse answers, as a function of bytes.

use super::{server, sold, stock};
use crate::domain::Span;
use crate::store::sales::{StepSum, WantedSales};

/// Answers to what is asked there.
pub(crate) fn answers(bytes: &[u8]) {
    let wanted = WantedSales { kind: 1, span: Span::Day, from: 0, to: 27, key: None };
    for row in server::read::<sold::Row>(bytes).unwrap_or_default() {
        assert_eq!(row.model(&wanted).kind, wanted.kind);
    }
    for row in server::read::<stock::Row>(bytes).unwrap_or_default() {
        _ = row.taken((0, 27));
    }
    _ = server::read::<StepSum>(bytes);
}
