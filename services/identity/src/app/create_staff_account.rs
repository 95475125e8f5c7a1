//! The first account of a shop's own people, which an operator makes.

use contracts::tradewind::identity::v1::CreateStaffAccountResponse;
use tradewind_domain::{Error, Sensitive};
use tradewind_sql::{from_micros, micros, timestamp};
use tradewind_store::Tx;
use uuid::Uuid;

use super::Means;
use super::verify_email::add;
use crate::domain::{Account, Command, Email, Role, Roles, check_password};
use crate::secrets;
use crate::store::{Hidden, account};

/// Makes an account with the role staff; without a password, it is given one for one use.
///
/// # Errors
/// `AlreadyExists` with reason `EMAIL_TAKEN`; `Invalid` when nobody should use that password; `Exhausted` with reason
/// `TOO_MANY_SIGN_INS`.
pub async fn create_staff_account(
    means: &Means,
    email: &Email,
    name: &str,
    password: Option<Sensitive<String>>,
) -> Result<CreateStaffAccountResponse, Error> {
    let (password, made) = match password {
        Some(password) => {
            check_password(password.expose(), email)?;
            (password, None)
        }
        None => {
            let made = secrets::password()?;
            (made.clone(), Some(made))
        }
    };
    let hashed = means.passwords.hash(&password).await?;
    let now = means.store.now();
    let mut roles = Roles::default();
    roles.insert(Role::Staff);
    let row = account::Model {
        account_id: Uuid::now_v7().to_string(),
        email: email.as_str().into(),
        name: name.into(),
        password: Hidden(hashed),
        password_until: made.is_some().then(|| micros(now + means.rules.one_time_password)),
        roles: roles.text(),
        locked: false,
        created: micros(now),
        updated: micros(now),
        mail: None,
    };
    means.store.transact(async |tx: &mut Tx| create(tx, row.clone()).await).await?;
    Ok(CreateStaffAccountResponse {
        password_expire_time: row.password_until.map(|until| timestamp(from_micros(until))),
        account: Some(row.into()),
        one_time_password: made.map(Sensitive::into_exposed).unwrap_or_default(),
    })
}

async fn create(tx: &mut Tx, row: account::Model) -> Result<(), Error> {
    let account_id = row.account_id.clone();
    add(tx, row).await?;
    tx.execute::<Account>(&account_id, Command::Grant(Role::Staff)).await.map(drop)
}
