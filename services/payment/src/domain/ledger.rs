//! Which amounts a payment's events move, from which account to which.
//!
//! A capture is money that the provider holds for the shop and that the customer has paid, for something that is sold. A refund is
//! owed to the customer from its request on, at the expense of what was sold, until the provider has paid it.

use contracts::tradewind::{money::v1::Money, payment::v1::Account};

use super::PaymentEvent;

/// An amount that goes from one account to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    /// The account that is debited.
    pub debit: Account,
    /// The account that is credited.
    pub credit: Account,
    /// How much; more than 0.
    pub amount: Money,
    /// The provider's id of the charge or refund, or empty.
    pub reference: String,
}

/// What an event moves, in the order of its legs. A capture is booked as it was captured, whatever was asked for.
#[must_use]
pub fn transfers(event: &PaymentEvent) -> Vec<Transfer> {
    let (legs, amount, reference): (&[_], _, _) = match event {
        PaymentEvent::Captured(event) => (
            &[(Account::ProviderClearing, Account::Customer), (Account::Customer, Account::Revenue)],
            &event.amount,
            event.charge_id.as_str(),
        ),
        PaymentEvent::RefundRequested(event) => (&[(Account::Refunds, Account::Customer)], &event.amount, ""),
        PaymentEvent::Refunded(event) => {
            (&[(Account::Customer, Account::ProviderClearing)], &event.amount, event.refund_id.as_str())
        }
        PaymentEvent::Requested(_)
        | PaymentEvent::Declined(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::Voided(_) => return Vec::new(),
    };
    // Nothing is captured or refunded of less.
    let Some(amount) = amount.as_ref().filter(|amount| amount.minor > 0) else { return Vec::new() };
    let transfer = |(debit, credit): &(Account, Account)| Transfer {
        debit: *debit,
        credit: *credit,
        amount: amount.clone(),
        reference: reference.to_owned(),
    };
    legs.iter().map(transfer).collect()
}
