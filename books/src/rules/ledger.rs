//! The rule of the ledger, against the card provider's statement.

use std::collections::{BTreeMap, BTreeSet};

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::payment::v1::Account;

use super::{Broken, Rule, of_kind};
use crate::Facts;

/// In each currency: all accounts sum to nothing, no refund is under way, and what was cleared is what the statement kept.
pub(super) fn balanced(facts: &Facts) -> Vec<Broken> {
    let mut kept = BTreeMap::<&str, i64>::new();
    for (kind, sign) in [("capture", 1), ("refund", -1)] {
        for entry in of_kind(&facts.card, kind) {
            *kept.entry(&entry.currency).or_default() += sign * entry.amount_minor;
        }
    }
    let mut ledger = BTreeMap::<&str, BTreeMap<Account, i64>>::new();
    for balance in &facts.balances {
        let Some(Money { currency, minor }) = &balance.amount else { continue };
        *ledger.entry(currency).or_default().entry(balance.account()).or_default() += minor;
    }
    let currencies: BTreeSet<_> = kept.keys().chain(ledger.keys()).copied().collect();
    let broken = currencies.into_iter().filter_map(|currency| {
        let kept = kept.get(currency).copied().unwrap_or_default();
        let accounts = ledger.remove(currency).unwrap_or_default();
        let of = |account| accounts.get(&account).copied().unwrap_or_default();
        let holds =
            accounts.values().sum::<i64>() == 0 && of(Account::Customer) == 0 && of(Account::ProviderClearing) == kept;
        Rule::Balanced.unless(holds, || format!("of {currency} {kept} was kept, and the ledger has {accounts:?}"))
    });
    broken.collect()
}
