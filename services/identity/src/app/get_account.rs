//! One account, as staff sees it and as its owner does.

use contracts::tradewind::identity::v1::{GetAccountResponse, GetProfileResponse};
use tradewind_domain::Error;

use super::Means;

/// Returns an account.
///
/// # Errors
/// `NotFound`.
pub async fn get_account(means: &Means, account_id: &str) -> Result<GetAccountResponse, Error> {
    Ok(GetAccountResponse { account: Some(means.account(account_id).await?.into()) })
}

/// Returns a profile.
///
/// # Errors
/// `NotFound`.
pub async fn get_profile(means: &Means, account_id: &str) -> Result<GetProfileResponse, Error> {
    Ok(GetProfileResponse { profile: Some(means.account(account_id).await?.into()) })
}
