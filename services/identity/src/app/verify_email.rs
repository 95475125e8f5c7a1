//! The end of a sign-up: the account is there.

use contracts::tradewind::identity::v1::VerifyEmailResponse;
use tradewind_domain::Error;
use tradewind_sql::micros;
use tradewind_store::Tx;
use uuid::Uuid;

use super::code::{self, Purpose};
use super::means::{email_taken, wrong_code};
use super::{Means, Origin};
use crate::domain::{Account, Command, Roles};
use crate::store::{account, accounts, confirmation, familiars};

/// Makes the account that a code is good for. Its owner is at home where they entered it.
///
/// # Errors
/// `Invalid` with reason `CODE_INVALID`; `AlreadyExists` with reason `EMAIL_TAKEN`.
pub async fn verify_email(means: &Means, ticket: &str, code: &str, from: Origin) -> Result<VerifyEmailResponse, Error> {
    let found = code::enter(means, ticket, Purpose::SignUp, code).await?;
    let (account_id, _) = means.store.transact(async |tx: &mut Tx| register(tx, &found, from).await).await?;
    Ok(VerifyEmailResponse { account_id })
}

async fn register(tx: &mut Tx, found: &confirmation::Model, from: Origin) -> Result<String, Error> {
    let password = found.password.clone().ok_or_else(|| Error::internal("a sign-up without a password"))?;
    if !code::confirm(tx, found).await? {
        return Err(wrong_code());
    }
    let account_id = Uuid::now_v7().to_string();
    let row = account::Model {
        account_id: account_id.clone(),
        email: found.email.clone(),
        name: found.name.clone(),
        password,
        password_until: None,
        roles: Roles::default().text(),
        locked: false,
        created: micros(tx.now()),
        updated: micros(tx.now()),
        mail: None,
    };
    add(tx, row).await?;
    familiars::meet(tx, &account_id, from.network()).await?;
    Ok(account_id)
}

/// Adds an account that has shown that its address is its own.
///
/// # Errors
/// `AlreadyExists` with reason `EMAIL_TAKEN`.
pub(super) async fn add(tx: &mut Tx, row: account::Model) -> Result<(), Error> {
    let account_id = row.account_id.clone();
    if !accounts::insert(tx, row).await? {
        return Err(email_taken());
    }
    tx.create::<Account>(&account_id, Command::Register(account_id.clone())).await?;
    tx.after(move || tracing::info!(account_id, "an account is made"));
    Ok(())
}
