//! What a customer says of themselves.

use contracts::tradewind::identity::v1::UpdateProfileResponse;
use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Means;
use crate::domain::{Account, AccountError, Command};
use crate::store::account;
use crate::store::accounts::{self, Change};

/// Changes a profile; what it says already changes nothing.
///
/// # Errors
/// `NotFound`.
pub async fn update_profile(means: &Means, account_id: &str, name: &str) -> Result<UpdateProfileResponse, Error> {
    let (row, _) = means.store.transact(async |tx: &mut Tx| update(tx, account_id, name).await).await?;
    Ok(UpdateProfileResponse { profile: Some(row.into()) })
}

async fn update(tx: &mut Tx, account_id: &str, name: &str) -> Result<account::Model, Error> {
    let account = accounts::by_id(tx, account_id).await?.ok_or(AccountError::NotFound)?;
    if account.name.0 == name {
        return Ok(account);
    }
    tx.execute::<Account>(account_id, Command::Update).await?;
    let change = Change { name: Some(name.to_owned()), ..Change::default() };
    accounts::change(tx, account_id, change).await
}
