//! What events move between the accounts.

use std::collections::BTreeMap;

use contracts::tradewind::payment::v1::Account;
use proptest::prelude::*;

use super::properties::{Story, any_commands};
use super::*;
use crate::domain::{Transfer, transfers};

/// The balance of each account in each currency.
type Balances = BTreeMap<(String, Account), i64>;

fn book(balances: &mut Balances, transfer: &Transfer) {
    let currency = &transfer.amount.currency;
    *balances.entry((currency.clone(), transfer.debit)).or_default() += transfer.amount.minor;
    *balances.entry((currency.clone(), transfer.credit)).or_default() -= transfer.amount.minor;
}

fn booked(commands: Vec<Command>) -> Vec<(Account, i64)> {
    let mut balances = Balances::new();
    Story::told(commands).events.iter().flat_map(transfers).for_each(|transfer| book(&mut balances, &transfer));
    balances.into_iter().map(|((_, account), minor)| (account, minor)).filter(|(_, minor)| *minor != 0).collect()
}

#[test]
fn what_is_taken_is_sold_and_what_is_given_back_is_not() {
    use Account::{Customer, ProviderClearing, Refunds, Revenue};
    let taken = || vec![charge(), Command::RecordCaptured(moved(2_000, "ch_1"))];
    assert_eq!(booked(vec![charge()]), []);
    assert_eq!(booked(taken()), [(ProviderClearing, 2_000), (Revenue, -2_000)]);
    let owed = || [taken(), vec![give_back()]].concat();
    assert_eq!(booked(owed()), [(ProviderClearing, 2_000), (Customer, -2_000), (Revenue, -2_000), (Refunds, 2_000)]);
    let back = |minor| [owed(), vec![Command::RecordRefunded(moved(minor, "re_1"))]].concat();
    assert_eq!(booked(back(2_000)), [(Revenue, -2_000), (Refunds, 2_000)]);
    let still_owed = [(ProviderClearing, 1), (Customer, -1), (Revenue, -2_000), (Refunds, 2_000)];
    assert_eq!(booked(back(1_999)), still_owed, "what did not come back is still the customer's");
}

#[test]
fn what_is_captured_is_booked_as_it_was_captured() {
    let other = vec![charge(), Command::RecordCaptured(moved(7, "ch_1"))];
    let revenue = booked(other).into_iter().find(|(account, _)| *account == Account::Revenue);
    assert_eq!(revenue, Some((Account::Revenue, -7)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_accounts_sum_to_zero_after_every_event(payments in prop::collection::vec(any_commands(), 1..4)) {
        let mut balances = Balances::new();
        for commands in payments {
            for event in Story::told(commands).events {
                for transfer in transfers(&event) {
                    prop_assert!(transfer.amount.minor > 0 && transfer.debit != transfer.credit, "{transfer:?}");
                    book(&mut balances, &transfer);
                }
                let mut sums = BTreeMap::<&str, i64>::new();
                balances.iter().for_each(|((currency, _), minor)| *sums.entry(currency).or_default() += minor);
                prop_assert!(sums.values().all(|sum| *sum == 0), "{event:?}: {balances:?}");
            }
        }
    }

    #[test]
    fn what_the_provider_holds_is_what_was_taken_and_not_given_back(commands in any_commands()) {
        let story = Story::told(commands);
        let mut balances = Balances::new();
        story.events.iter().flat_map(transfers).for_each(|transfer| book(&mut balances, &transfer));
        let expected: i64 = story.events.iter().map(|event| match event {
            PaymentEvent::Captured(event) => event.amount.as_ref().map_or(0, |amount| amount.minor),
            PaymentEvent::Refunded(event) => -event.amount.as_ref().map_or(0, |amount| amount.minor),
            _ => 0,
        }).sum();
        let held: i64 = balances.iter().filter(|((_, account), _)| *account == Account::ProviderClearing).map(|(_, minor)| minor).sum();
        prop_assert_eq!(held, expected);
    }
}
