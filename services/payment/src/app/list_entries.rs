use contracts::tradewind::payment::v1::{GetBalanceResponse, LedgerEntry, ListEntriesResponse};
use tradewind_domain::{Error, request};
use tradewind_sql::Place;
use tradewind_store::Store;

use super::ledger::slot;
use crate::store::{self, Wanted};

/// Up to `size` of the entries that follow `after` by time; from the first without it.
///
/// They are read from a projection, which is a moment behind the payments themselves.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn list_entries(
    store: &Store,
    wanted: &Wanted,
    after: Option<Place>,
    size: usize,
) -> Result<ListEntriesResponse, Error> {
    let found = store::entries(store.reader(), slot(store).await?, wanted, after, size + 1).await?;
    let place = |last: &LedgerEntry| Place::of(last.time.as_ref(), &last.event_id, last.leg).to_string();
    let (entries, next_page_token) = request::page(found, size, place);
    Ok(ListEntriesResponse { entries, next_page_token })
}

/// The balance of every account in each currency.
///
/// # Errors
/// `Unavailable` when the database is; `Rejected` with reason `BALANCE_TOO_LARGE`.
pub async fn get_balance(store: &Store) -> Result<GetBalanceResponse, Error> {
    Ok(GetBalanceResponse { balances: store::balances(store.reader(), slot(store).await?).await? })
}
