//! Roles, given and taken.

use contracts::tradewind::identity::v1::{GrantRoleResponse, RevokeRoleResponse};
use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Means;
use super::means::{check_staff, hold_with};
use crate::domain::{Account, AccountError, Command, Role, Roles};
use crate::store::account;
use crate::store::accounts::{self, Change};

/// Gives an account a role; `by` is who asks, if it is somebody.
///
/// # Errors
/// `NotFound`; `Denied` with reason `ROLE_MISSING`.
pub async fn grant_role(
    means: &Means,
    account_id: &str,
    role: Role,
    by: Option<&str>,
) -> Result<GrantRoleResponse, Error> {
    let change = |roles: &mut Roles| roles.insert(role);
    let granted = async |tx: &mut Tx| decide(tx, (account_id, by), Command::Grant(role), change).await;
    Ok(GrantRoleResponse { account: Some(means.store.transact(granted).await?.0.into()) })
}

/// Takes a role from an account; `by` is who asks, if it is somebody.
///
/// # Errors
/// `NotFound`; `Denied` with reason `ROLE_MISSING`.
pub async fn revoke_role(
    means: &Means,
    account_id: &str,
    role: Role,
    by: Option<&str>,
) -> Result<RevokeRoleResponse, Error> {
    let change = |roles: &mut Roles| roles.remove(role);
    let revoked = async |tx: &mut Tx| decide(tx, (account_id, by), Command::Revoke(role), change).await;
    Ok(RevokeRoleResponse { account: Some(means.store.transact(revoked).await?.0.into()) })
}

async fn decide(
    tx: &mut Tx,
    (account_id, by): (&str, Option<&str>),
    command: Command,
    change: impl Fn(&mut Roles) + Send,
) -> Result<account::Model, Error> {
    hold_with(tx, account_id, by).await?;
    check_staff(tx, by).await?;
    let decided = tx.execute::<Account>(account_id, command).await?;
    let account = accounts::by_id(tx, account_id).await?.ok_or(AccountError::NotFound)?;
    if decided.events.is_empty() {
        return Ok(account);
    }
    let mut roles = Roles::read(&account.roles);
    change(&mut roles);
    let (account_id, now) = (account_id.to_owned(), roles.text());
    tx.after({
        let account_id = account_id.clone();
        move || tracing::info!(account_id, roles = now, "the roles of an account have changed")
    });
    accounts::change(tx, &account_id, Change { roles: Some(roles), ..Change::default() }).await
}
