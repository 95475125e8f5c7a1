//! The money that was captured and paid back, counted: each amount once, when the event that records it is committed.

use std::sync::LazyLock;

use contracts::tradewind::money::v1::Money;
use opentelemetry::{KeyValue, global, metrics::Counter};
use tradewind_domain::Currency;
use tradewind_store::Tx;

use crate::domain::PaymentEvent;

static MOVED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_payment_moved_minor")
        .with_description("Money that was captured or refunded, in minor units of its currency")
        .build()
});

const MOVEMENT: &str = "movement";
const CURRENCY: &str = "currency";

/// Counts what these events move, once they are committed.
pub(super) fn count(tx: &mut Tx, events: &[PaymentEvent]) {
    for (movement, amount) in events.iter().filter_map(moved) {
        let (minor, labels) = (u64::try_from(amount.minor).unwrap_or_default(), labels(movement, &amount.currency));
        tx.after(move || MOVED.add(minor, &labels));
    }
}

fn moved(event: &PaymentEvent) -> Option<(&'static str, &Money)> {
    match event {
        PaymentEvent::Captured(event) => Some(("captured", event.amount.as_ref()?)),
        PaymentEvent::Refunded(event) => Some(("refunded", event.amount.as_ref()?)),
        PaymentEvent::Requested(_)
        | PaymentEvent::Declined(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::Voided(_)
        | PaymentEvent::RefundRequested(_) => None,
    }
}

/// The provider says which currency it was: what is none has no name of its own here.
fn labels(movement: &'static str, currency: &str) -> [KeyValue; 2] {
    let currency = Currency::parse(currency).map_or("other", Currency::code);
    [KeyValue::new(MOVEMENT, movement), KeyValue::new(CURRENCY, currency)]
}

#[cfg(test)]
mod tests {
    use contracts::tradewind::payment::v1::{PaymentCaptured, PaymentRefundRequested, PaymentRefunded};

    use super::*;

    #[test]
    fn money_is_moved_by_what_the_provider_has_done() {
        let amount = Some(Money { currency: "EUR".to_owned(), minor: 700 });
        let told = |event: PaymentEvent| moved(&event).map(|(movement, amount)| (movement, amount.minor));
        let captured = PaymentCaptured { amount: amount.clone(), ..PaymentCaptured::default() };
        assert_eq!(told(captured.into()), Some(("captured", 700)));
        let refunded = PaymentRefunded { amount: amount.clone(), ..PaymentRefunded::default() };
        assert_eq!(told(refunded.into()), Some(("refunded", 700)));
        let requested = PaymentRefundRequested { amount, ..PaymentRefundRequested::default() };
        assert_eq!(told(requested.into()), None, "it is not paid back yet");
    }

    #[test]
    fn what_is_no_currency_is_another() {
        for (said, shown) in [("GBP", "GBP"), ("XBT", "other"), ("gbp", "other"), ("", "other")] {
            assert_eq!(labels("captured", said)[1].value.as_str(), shown, "{said}");
        }
    }
}
