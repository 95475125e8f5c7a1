//! What customers are told, in plain words. Pure: events in, text out.

pub(crate) mod accounts;

use contracts::tradewind::money::v1::Money as ContractMoney;
use contracts::tradewind::ordering::v1::{CancellationReason, OrderClosed, OrderConfirmed, OrderShipped, Recipient};
use tradewind_domain::Money;

/// A message that is not addressed yet. It names its reader: it must never have `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// One line.
    pub(crate) subject: String,
    /// Any number of lines.
    pub(crate) body: String,
}

/// The order is confirmed; its invoice is at that address, if there is one to tell.
pub(crate) fn confirmed(event: &OrderConfirmed, invoice: Option<String>) -> Text {
    let order_id = one_line(&event.order_id);
    let charged = amount(event.total.as_ref()).map(|total| format!("We have charged your card {total}."));
    let tracking = one_line(&event.tracking);
    let tracking = (!tracking.is_empty()).then(|| format!("Its tracking number is {tracking}."));
    let lines = [
        Some(format!("Thank you. Your order {order_id} is confirmed, and we are packing your parcel.")),
        charged,
        tracking,
        invoice.map(|address| format!("Your invoice: {address}")),
        Some("We will write again when it leaves.".to_owned()),
    ];
    Text { subject: format!("Your order {order_id} is confirmed"), body: letter(event.recipient.as_ref(), lines) }
}

/// The order is cancelled, and nothing is owed any more; what was paid back has a credit note at that address, if there is one to tell.
pub(crate) fn cancelled(event: &OrderClosed, credit_note: Option<String>) -> Text {
    let order_id = one_line(&event.order_id);
    let why = match event.reason() {
        CancellationReason::OutOfStock => ", because we do not have everything you ordered in stock",
        CancellationReason::PaymentDeclined => ", because your card was declined",
        CancellationReason::PaymentMismatch => ", because your card was not charged what your order costs",
        CancellationReason::ShipmentRejected => ", because our carrier cannot deliver to your address",
        CancellationReason::Customer => ", as you asked",
        CancellationReason::Deadline => ", because we could not complete it in time",
        CancellationReason::Unspecified => "",
    };
    let money = match &event.refunded {
        Some(refunded) => match amount(Some(refunded)) {
            Some(refunded) => format!("We have paid back {refunded} to your card."),
            None => "We have paid back what you were charged.".to_owned(),
        },
        None => "You have not been charged.".to_owned(),
    };
    let credit_note =
        credit_note.filter(|_| event.refunded.is_some()).map(|address| format!("Your credit note: {address}"));
    let lines = [Some(format!("Your order {order_id} is cancelled{why}.")), Some(money), credit_note];
    Text { subject: format!("Your order {order_id} is cancelled"), body: letter(event.recipient.as_ref(), lines) }
}

/// The parcel has left.
pub(crate) fn shipped(event: &OrderShipped) -> Text {
    let order_id = one_line(&event.order_id);
    let tracking = one_line(&event.tracking);
    let tracking = (!tracking.is_empty()).then(|| format!("Its tracking number is {tracking}."));
    let lines = [Some(format!("The parcel with your order {order_id} is on its way.")), tracking];
    Text { subject: format!("Your order {order_id} is on its way"), body: letter(event.recipient.as_ref(), lines) }
}

/// A letter about an order.
fn letter(recipient: Option<&Recipient>, lines: impl IntoIterator<Item = Option<String>>) -> String {
    letter_to(recipient.map(|recipient| recipient.name.as_str()), lines)
}

/// A salutation, the lines there are, and who writes.
fn letter_to(name: Option<&str>, lines: impl IntoIterator<Item = Option<String>>) -> String {
    let name = name.map(one_line).unwrap_or_default();
    let salutation = if name.is_empty() { "Hello,".to_owned() } else { format!("Hello {name},") };
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    format!("{salutation}\n\n{}\n\nTradewind\n", lines.join("\n"))
}

/// An amount for people; none where the currency is unknown here.
fn amount(money: Option<&ContractMoney>) -> Option<Money> {
    money.and_then(|money| Money::new(&money.currency, money.minor).ok())
}

/// Text that cannot begin another line, nor another header.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|char| if is_break(char) { ' ' } else { char }).collect();
    spaced.trim().to_owned()
}

/// Also the separators that Unicode does not count as control characters.
fn is_break(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp(minor: i64) -> ContractMoney {
        ContractMoney { currency: "GBP".to_owned(), minor }
    }

    fn recipient() -> Recipient {
        Recipient { name: "A. Customer".to_owned(), ..Recipient::default() }
    }

    #[test]
    fn a_confirmation_names_what_was_charged() {
        let event = OrderConfirmed {
            order_id: "o-1".to_owned(),
            recipient: Some(recipient()),
            total: Some(gbp(1234)),
            tracking: "TW000000001".to_owned(),
            ..OrderConfirmed::default()
        };
        let text = confirmed(&event, None);
        assert_eq!(text.subject, "Your order o-1 is confirmed");
        assert_eq!(
            text.body,
            "Hello A. Customer,\n\nThank you. Your order o-1 is confirmed, and we are packing your parcel.\n\
             We have charged your card GBP 12.34.\nIts tracking number is TW000000001.\n\
             We will write again when it leaves.\n\nTradewind\n"
        );
        let linked = confirmed(&event, Some("https://shop.example/1".to_owned())).body;
        assert!(linked.contains(".\nYour invoice: https://shop.example/1\nWe will write again"), "{linked}");
    }

    #[test]
    fn a_cancellation_says_why_and_what_was_paid_back() {
        let closed = |reason: CancellationReason, refunded| {
            let event = OrderClosed {
                order_id: "o-1".to_owned(),
                recipient: Some(recipient()),
                reason: reason.into(),
                refunded,
                ..OrderClosed::default()
            };
            cancelled(&event, Some("https://shop.example/1".to_owned())).body
        };
        assert_eq!(
            closed(CancellationReason::Customer, Some(gbp(500))),
            "Hello A. Customer,\n\nYour order o-1 is cancelled, as you asked.\n\
             We have paid back GBP 5.00 to your card.\nYour credit note: https://shop.example/1\n\nTradewind\n"
        );
        let declined = closed(CancellationReason::PaymentDeclined, None);
        assert!(
            declined.contains("because your card was declined.\nYou have not been charged.\n\nTradewind"),
            "{declined}"
        );
        let unknown = closed(CancellationReason::Unspecified, Some(ContractMoney::default()));
        assert!(unknown.contains("is cancelled.\nWe have paid back what you were charged.\n"), "{unknown}");
    }

    #[test]
    fn a_dispatch_names_the_tracking_number() {
        let event = OrderShipped {
            order_id: "o-1".to_owned(),
            recipient: None,
            tracking: "TW000000001".to_owned(),
            ..OrderShipped::default()
        };
        let body = "Hello,\n\nThe parcel with your order o-1 is on its way.\nIts tracking number is TW000000001.\n\n\
                    Tradewind\n";
        assert!(shipped(&event).body == body);
    }

    #[test]
    fn nothing_that_is_told_can_begin_a_line() {
        let event = OrderConfirmed {
            order_id: "o\r\nBcc: somebody@example.com".to_owned(),
            recipient: Some(Recipient { name: "A\r\n.\r\nQUIT\u{2028}B".to_owned(), ..Recipient::default() }),
            total: None,
            tracking: "T\nW".to_owned(),
        };
        let text = confirmed(&event, None);
        assert_eq!(text.subject, "Your order o  Bcc: somebody@example.com is confirmed");
        assert!(text.body.starts_with("Hello A  .  QUIT B,\n\n"), "{}", text.body);
        assert!(text.body.contains("\nIts tracking number is T W.\n"), "{}", text.body);
    }
}
