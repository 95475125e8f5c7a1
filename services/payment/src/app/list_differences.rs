use contracts::tradewind::payment::v1::{Difference, DifferenceState, ListDifferencesResponse};
use tradewind_domain::{Error, request};
use tradewind_sql::Place;
use tradewind_store::Store;

use crate::store;

/// Up to `size` of the differences that follow `after` by the time at which they were found; from the first without it.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn list_differences(
    store: &Store,
    state: DifferenceState,
    after: Option<Place>,
    size: usize,
) -> Result<ListDifferencesResponse, Error> {
    let found = store::differences(store.reader(), state, after, size + 1).await?;
    let place = |last: &Difference| Place::of(last.found_time.as_ref(), &last.difference_id, 0).to_string();
    let (differences, next_page_token) = request::page(found, size, place);
    Ok(ListDifferencesResponse { differences, next_page_token })
}
