//! All accounts, a page at a time.

use contracts::tradewind::identity::v1::{Account, ListAccountsResponse};
use tradewind_domain::{Error, request};

use super::Means;
use crate::domain::Email;
use crate::store::accounts;
use crate::store::private::Look;

/// Returns up to `size` accounts that follow the id `after`; only that of an address, where one is given.
///
/// # Errors
/// When the database fails.
pub async fn list_accounts(
    means: &Means,
    after: &str,
    email: Option<&Email>,
    size: usize,
) -> Result<ListAccountsResponse, Error> {
    let found = accounts::page(&Look(&means.store), after, email, size + 1).await?;
    let found = found.into_iter().map(Account::from).collect();
    let (accounts, next_page_token) = request::page(found, size, |last: &Account| last.account_id.clone());
    Ok(ListAccountsResponse { accounts, next_page_token })
}
